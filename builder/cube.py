"""Cubes: 32 mm around a site on voxels of exactly 1 mm, and the way back to the scan's own voxels.

Both ways are cubic convolution (Keys, IEEE Trans. ASSP 29, 1981) with one small matrix an axis. A matrix per axis
lands on exactly the 32 positions that a cube has, whatever the spacing; a zoom factor does not (at 3 mm it makes
33 slices).
"""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.schema import AIR_HU
from m3dsynth_dataset.types import Triple

CUBE_MM = 32
CORE_MM = 16
"""What an inpainter fills: the inner 16 mm."""
PADDING_BELOW_HU = -1024
"""Less than no matter at all: the scanner's mark for voxels outside its field of view."""
TAPS = np.arange(-1, 3)
"""The four neighbours of cubic interpolation, from the voxel before a position."""

Cube = Float32[np.ndarray, "side side side"]
"""HU on voxels of 1 mm."""
Block = Float32[np.ndarray, "d h w"]
"""HU on the scan's voxels."""


@runtime_checkable
class Voxels(Protocol):
    """A scan in memory or on disk: anything that has a shape and is cut with slices."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along z, y, x."""

    def __getitem__(self, index: tuple[slice, slice, slice], /) -> object:
        """The voxels of a box."""


def cut_cube(voxels: Voxels, centre: Triple, spacing_mm: tuple[float, float, float], side: int = CUBE_MM) -> Cube:
    """Cut a cube out of a scan. Beyond the scan, and outside its field of view, there is air (-1000 HU).

    Args:
        voxels: The scan in HU, slice 0 the most cranial.
        centre: Voxel around which the cube lies; may be near an edge, or beyond it.
        spacing_mm: Of the scan along z, y, x.
        side: Of the cube in mm, and so in voxels.
    """
    positions = [middle + _offsets(side) / step for middle, step in zip(centre, spacing_mm, strict=True)]
    reach = Box.between([int(p[0]) - 2 for p in positions], [int(p[-1]) + 4 for p in positions])
    box = reach.intersection(Box((0, 0, 0), _shape(voxels)))
    if not box.size:
        return np.full((side,) * 3, AIR_HU, dtype=np.float32)
    above_air = _without_padding(np.asarray(voxels[box.slices()])) - np.float32(AIR_HU)
    matrices = [
        interpolation(where, start, count) for where, start, count in zip(positions, box.start, box.shape, strict=True)
    ]
    return _resample(above_air, matrices) + np.float32(AIR_HU)


def paste_cube(cube: Cube, box: Box, centre: Triple, spacing_mm: tuple[float, float, float]) -> Block:
    """Bring a cube back onto the scan's voxels.

    Args:
        cube: HU on voxels of 1 mm.
        box: Voxels of the scan to compute; must lie at least 2 mm inside the cube.
        centre: Voxel of the scan around which the cube lies.
        spacing_mm: Of the scan along z, y, x.
    """
    middle = (len(cube) - 1) / 2
    matrices = [interpolation(offset + middle, 0, len(cube)) for offset in offsets_mm(box, centre, spacing_mm)]
    return _resample(cube, matrices)


def offsets_mm(
    box: Box, centre: Triple, spacing_mm: tuple[float, float, float]
) -> tuple[Float64[np.ndarray, " d"], Float64[np.ndarray, " h"], Float64[np.ndarray, " w"]]:
    """How far the voxels of a box lie from a centre, along z, y and x."""
    z, y, x = (
        (np.arange(start, stop) - middle) * step
        for start, stop, middle, step in zip(box.start, box.stop, centre, spacing_mm, strict=True)
    )
    return z, y, x


def box_around(centre: Triple, side_mm: float, spacing_mm: tuple[float, float, float], shape: Triple) -> Box:
    """The voxels of a scan less than half a side from a centre on every axis; empty when the scan has none."""
    reach = [int(np.ceil(side_mm / 2 / step)) - 1 for step in spacing_mm]
    whole = Box.between(
        [middle - length for middle, length in zip(centre, reach, strict=True)],
        [middle + length + 1 for middle, length in zip(centre, reach, strict=True)],
    )
    return whole.intersection(Box((0, 0, 0), shape))


def interpolation(positions: Float64[np.ndarray, " n"], start: int, count: int) -> Float32[np.ndarray, "n count"]:
    """The matrix that takes samples at ``start, start + 1, ...`` to values at any positions.

    Samples that a position needs and that are not there count as zero.
    """
    before = np.floor(positions).astype(int)
    taps = before[:, None] + TAPS - start
    weights = _keys(positions[:, None] - (before[:, None] + TAPS))
    matrix = np.zeros((len(positions), count), dtype=np.float32)
    rows, columns = np.nonzero((taps >= 0) & (taps < count))
    matrix[rows, taps[rows, columns]] = weights[rows, columns]
    return matrix


def _keys(distance: Float64[np.ndarray, "n taps"]) -> Float64[np.ndarray, "n taps"]:
    """Cubic convolution kernel with a = -1/2 (Keys 1981, equation 15)."""
    s = np.abs(distance)
    near = 1.5 * s**3 - 2.5 * s**2 + 1
    far = -0.5 * s**3 + 2.5 * s**2 - 4 * s + 2
    return np.where(s < 1, near, np.where(s < 2, far, 0.0))


def _offsets(side: int) -> Float64[np.ndarray, " side"]:
    """Positions of a cube's voxels from its middle in mm; the middle lies between two voxels."""
    return np.arange(side) - (side - 1) / 2


def _resample(block: Float32[np.ndarray, "d h w"], matrices: list[np.ndarray]) -> Float32[np.ndarray, "a b c"]:
    for matrix in matrices:
        # Each axis comes last after its turn, so that after three turns the order is z, y, x again.
        block = np.tensordot(block, matrix, axes=(0, 1))
    return block


def _without_padding(voxels: np.ndarray) -> Block:
    return np.where(voxels < PADDING_BELOW_HU, AIR_HU, voxels).astype(np.float32)


def _shape(voxels: Voxels) -> Triple:
    z, y, x = voxels.shape
    return z, y, x
