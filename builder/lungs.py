"""Where the lungs of a scan lie, seen from the front and from below: for pictures, not for measuring."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_fill_holes, binary_opening

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.volume import open_voxels

BODY_HU = -400
"""Tissue is above it; lungs, and the air around the patient, are below."""
STEP = 4
"""Of the voxels that are looked at, in a slice; every slice of a chunk is decompressed anyway."""
SLAB, SLICES = 16, 4
"""Slices that are read at once, and how many of them are looked at."""


@dataclass(frozen=True, eq=False)
class Shadow:
    """The lungs of a scan, in mm from its middle, x to the patient's left and y to the back; z below its top."""

    coronal: np.ndarray
    """Whether any voxel along y is lung; rows from the head down, columns from right to left."""
    axial: np.ndarray
    """The same along z; rows from front to back."""
    x_mm: tuple[float, float]
    """Of the first and the last column's outer edges."""
    y_mm: tuple[float, float]
    depth_mm: float


def lung_shadow(volume: Path, spacing_mm: Sequence[float], direction: Sequence[float]) -> Shadow:
    """Find the lungs: what is air within the body, slice by slice, without the specks of noise.

    Args:
        volume: Folder of the scan's volume.
        spacing_mm: z, y, x.
        direction: Row-major 3 x 3, as rows have it; only the signs of its diagonal count.
    """
    source = open_voxels(volume)
    depth, height, width = source.shape
    parts = []
    for first in range(0, depth, SLAB):
        last = min(first + SLAB, depth)
        voxels = source.read(Box.between((first, 0, 0), (last, height, width)))[:: SLAB // SLICES, ::STEP, ::STEP]
        body = voxels > BODY_HU
        parts.append(np.stack([binary_opening(binary_fill_holes(each) & ~each) for each in body]))
    lungs = np.concatenate(parts)
    lungs = lungs[:, :: -1 if direction[4] < 0 else 1, :: -1 if direction[0] < 0 else 1]
    half_y, half_x = (length * step / 2 for length, step in zip((height, width), spacing_mm[1:], strict=True))
    return Shadow(
        np.asarray(lungs.any(axis=1)),
        np.asarray(lungs.any(axis=0)),
        (-half_x, half_x),
        (-half_y, half_y),
        depth * float(spacing_mm[0]),
    )
