"""Where in a window around an edit is measured: inside the mask, away from its border, and across the border."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from jaxtyping import Bool

from m3dsynth_dataset.box import Box

EDGE_MM = 3.0
"""Over so much an edit fades in: what lies deeper is the inpainter's alone."""
FEWEST_IN_PLANE = 8
"""Voxels along y and x that a spectrum needs."""
FEWEST_IN_CORE = 4
"""Voxels along y and x that the core needs."""

Mask = Bool[np.ndarray, "d h w"]


@dataclass(frozen=True, eq=False)
class Frame:
    """A mask and the boxes in it; the same for a window on the edit, on the scan before, and on any place beside."""

    mask: Mask
    """Voxels of the window that came from the inpainter."""
    spacing_mm: tuple[float, float, float]
    """Along z, y, x."""
    slab: Box
    """A box wholly inside the mask, less its first and last 3 mm along z: for spectra, whose window fades in plane."""
    core: Box
    """The slab less 3 mm on its other sides, too: cubes without an edge."""

    @classmethod
    def of(cls, mask: Mask, spacing_mm: tuple[float, float, float]) -> Frame | None:
        """The frame of a mask; None if the mask is too thin to measure in.

        Args:
            mask: Of a window.
            spacing_mm: Along z, y, x.
        """
        inner = inner_box(mask)
        slab, core = _less(inner, spacing_mm, (0,)), _less(inner, spacing_mm, (0, 1, 2))
        if not inner.size or min(slab.shape[1:]) < FEWEST_IN_PLANE or min(core.shape[1:]) < FEWEST_IN_CORE:
            return None
        return cls(mask, spacing_mm, slab, core)


def inner_box(mask: Mask) -> Box:
    """A large box wholly inside a mask: of the box around it, the side with most voxels outside goes, again and again.

    For a mask that is a box it is that box; empty for an empty mask.
    """
    if not mask.any():
        return Box((0, 0, 0), (0, 0, 0))
    places = np.nonzero(mask)
    start, stop = [int(each.min()) for each in places], [int(each.max()) + 1 for each in places]
    while not (inside := mask[Box.between(start, stop).slices()]).all():
        shares = [(1 - np.take(inside, side, axis).mean(), axis, side) for axis in range(3) for side in (0, -1)]
        _, axis, side = max(shares, key=lambda found: (found[0], found[1]))
        if side == 0:
            start[axis] += 1
        else:
            stop[axis] -= 1
    return Box.between(start, stop)


def _less(box: Box, spacing_mm: tuple[float, float, float], axes: tuple[int, ...]) -> Box:
    """A box less 3 mm on both sides along some axes, of which a voxel stays."""
    start, stop = list(box.start), list(box.stop)
    for axis in axes:
        edge = min(ceil(EDGE_MM / spacing_mm[axis] - 1e-6), max(box.shape[axis] - 1, 0) // 2)
        start[axis] += edge
        stop[axis] -= edge
    return Box.between(start, stop)
