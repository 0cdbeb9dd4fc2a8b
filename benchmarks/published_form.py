"""The form in which M3Dsynth was published, to measure against: one LZMA TIFF of uint16 per slice.

A reader of that form opens every slice that a crop touches and decodes it whole.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from m3dsynth_dataset.types import Patch, Volume

OFFSET_HU = 1024


def write_slices(folder: Path, voxels: Volume) -> None:
    """Write a scan as a folder of slices."""
    folder.mkdir(parents=True)
    for index, pixels in enumerate(voxels):
        stored = np.clip(pixels.astype(np.int32) + OFFSET_HU, 0, None).astype(np.uint16)
        Image.fromarray(stored).save(_slice(folder, index), compression="lzma")


def read_crop(folder: Path, start: tuple[int, int, int], shape: tuple[int, int, int]) -> Patch:
    """Read a crop that lies inside the scan, in HU."""
    z, y, x = start
    depth, height, width = shape
    slices = [np.asarray(Image.open(_slice(folder, index))) for index in range(z, z + depth)]
    stored = np.stack([pixels[y : y + height, x : x + width] for pixels in slices])
    return (stored.astype(np.int32) - OFFSET_HU).astype(np.int16)


def _slice(folder: Path, index: int) -> Path:
    return folder / f"slide{index:04d}.tiff"
