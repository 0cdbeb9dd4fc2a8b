"""A part of a scan, for a detector that judges scans."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.lazy import EditedVolume
from m3dsynth_dataset.types import Patch, Triple


@dataclass(frozen=True, eq=False)
class _Array:
    """Voxels that are in memory already."""

    voxels: Patch

    @property
    def shape(self) -> Triple:
        """Voxels along z, y, x."""
        z, y, x = self.voxels.shape
        return z, y, x

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a voxel."""
        return self.voxels.dtype

    def read(self, box: Box) -> np.ndarray:
        """The voxels of a box."""
        return self.voxels[box.slices()].copy()


def excerpt(ct: EditedVolume, start: Triple, shape: Triple) -> EditedVolume:
    """A box of a scan as though it were the whole of one.

    Args:
        ct: The scan.
        start: First voxel along z, y, x; may lie outside.
        shape: Voxels along z, y, x; air where they lie outside.
    """
    return EditedVolume(_Array(ct.crop(start, shape)), None)
