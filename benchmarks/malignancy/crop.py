"""What the classifier sees of a place: a cube of the scan on voxels of equal sides, and where in the scan it lies.

Liao et al. cut the lung out first: what lies outside of it becomes a grey of its own, and the location map counts from
the lung's box. There is no lung mask here. Bone and chest wall stay as they are, air lies beyond the scan, and the map
counts from the scan's own box.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.lazy import EditedVolume

STRIDE = 4
"""Voxels of the cube to one cell of the location map, along each axis."""

Vector = Float[np.ndarray, " 3"]
Turn = Float[np.ndarray, "3 3"]
Cube = Float[Tensor, "side side side"]
LocationMap = Float[Tensor, "3 cells cells cells"]


@dataclass(frozen=True, eq=False)
class View:
    """How a place is looked at; the plain view changes nothing."""

    shift_mm: Vector
    """Along z, y, x."""
    turn: Turn
    """From the cube's axes to the scan's: a rotation, with or without mirrors."""
    scale: float
    """How much larger everything appears."""

    @classmethod
    def plain(cls) -> View:
        """Straight on."""
        return cls(np.zeros(3), np.eye(3), 1.0)

    @classmethod
    def draw(cls, rng: np.random.Generator, shift_mm: float) -> View:
        """Any angle in plane, mirrored along any axis, up to a tenth larger or smaller, and shifted.

        Args:
            rng: Source of randomness.
            shift_mm: Largest shift along each axis.
        """
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.eye(3)
        turn[1:, 1:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        mirrors = rng.choice([-1.0, 1.0], 3)
        return cls(rng.uniform(-shift_mm, shift_mm, 3), turn * mirrors, float(rng.uniform(0.9, 1.1)))


def cut(
    ct: EditedVolume,
    centre_zyx: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    side: int,
    voxel_mm: float,
    view: View | None = None,
) -> tuple[Cube, LocationMap]:
    """A cube around a voxel, by trilinear interpolation.

    Args:
        ct: The scan, HU.
        centre_zyx: Voxel; the cube's middle, between its middle voxels.
        spacing_mm: Of the scan, z, y, x.
        side: Voxels of the cube, a multiple of 4.
        voxel_mm: Their size.
        view: How it is looked at.

    Returns:
        HU; and for each cell of 4 x 4 x 4 voxels its position along z, y, x in the scan, 0 in the middle, -0.5 and
        0.5 at the ends.
    """
    view = view or View.plain()
    spacing = np.array(spacing_mm)
    centre = np.array(centre_zyx) + view.shift_mm / spacing
    steps = view.turn * (voxel_mm / view.scale) / spacing[:, None]
    """Voxels of the scan to one of the cube; columns are the cube's axes."""
    box = _reach(centre, np.abs(steps).sum(axis=1) * (side - 1) / 2)
    voxels = torch.from_numpy(ct.crop(box.start, box.shape).astype(np.float32))
    grid = functional.affine_grid(_theta(box, centre, steps, side), [1, 1, side, side, side], align_corners=True)
    cube = functional.grid_sample(voxels[None, None], grid, align_corners=True)
    return cube[0, 0], _locations(centre, steps, side, ct.shape)


def _reach(centre: Vector, half: Vector) -> Box:
    """The voxels between which there is anything to interpolate; two at least along each axis."""
    low = np.floor(centre - half).astype(int)
    return Box.between(low.tolist(), (np.maximum(np.ceil(centre + half).astype(int), low + 1) + 1).tolist())


def _theta(box: Box, centre: Vector, steps: Turn, side: int) -> Float[Tensor, "1 3 4"]:
    """What ``affine_grid`` wants: x, y, z, everything from -1 at the first voxel to 1 at the last."""
    ends = (np.array(box.shape) - 1) / 2
    matrix = steps * ((side - 1) / 2) / ends[:, None]
    offset = (centre - box.start) / ends - 1
    theta = np.column_stack([matrix[::-1, ::-1], offset[::-1]])
    return torch.from_numpy(theta.astype(np.float32))[None]


def _locations(centre: Vector, steps: Turn, side: int, shape: tuple[int, int, int]) -> LocationMap:
    cells = (np.arange(side // STRIDE) + 0.5) * STRIDE - side / 2
    offsets = np.stack(np.meshgrid(cells, cells, cells, indexing="ij"))
    places = centre[:, None, None, None] + np.einsum("ij,jzyx->izyx", steps, offsets)
    size = (np.array(shape) - 1)[:, None, None, None]
    return torch.from_numpy((places / np.maximum(size, 1) - 0.5).astype(np.float32))
