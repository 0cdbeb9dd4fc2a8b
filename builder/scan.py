"""Scans: the voxels of a CT series in HU."""

import os
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import SimpleITK as sitk

from builder.cube import PADDING_BELOW_HU
from builder.errors import SeriesError
from builder.series import Series
from m3dsynth_dataset.types import Volume
from m3dsynth_dataset.volume import Geometry

HU_RANGE = (-32_768, 32_767)
CT_RANGE_HU = (-1024, 3071)
"""What twelve bits hold."""


@dataclass(frozen=True, eq=False)
class Scan:
    """One pristine CT series."""

    scan_id: str
    patient_id: str
    voxels: Volume
    """HU. Padding outside the field of view is not clamped: it is whatever the files say."""
    geometry: Geometry

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, y, x."""
        z, y, x = self.voxels.shape
        return z, y, x

    @cached_property
    def range_hu(self) -> tuple[int, int]:
        """Lowest and highest voxel, padding aside."""
        tissue = self.voxels[self.voxels >= PADDING_BELOW_HU]
        return (int(tissue.min()), int(tissue.max())) if tissue.size else CT_RANGE_HU


def read_scan(series: Series) -> Scan:
    """Read the voxels of a series with SimpleITK (GDCM), which applies each file's rescale slope and intercept.

    Raises:
        SeriesError: If a file cannot be decoded, or its values do not fit into 16 bits.
    """
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([os.fspath(each.path) for each in series.slices])
    # ITK asks the first file for the type of all; a slope that is not whole in a later one must not be cut off.
    reader.SetOutputPixelType(sitk.sitkFloat32)
    try:
        image = reader.Execute()
    except RuntimeError as error:
        reason = f"cannot be decoded ({_last_line(error)})"
        raise SeriesError(series.folder, reason, "fetch the series again") from error
    values = sitk.GetArrayViewFromImage(image)
    low, high = float(values.min()), float(values.max())
    if not (HU_RANGE[0] <= low and high <= HU_RANGE[1]):
        reason = f"values from {low:g} to {high:g} HU do not fit into 16 bits"
        raise SeriesError(series.folder, reason, "check its RescaleSlope and RescaleIntercept")
    voxels = np.empty(values.shape, dtype=np.int16)
    for plane, found in zip(voxels, values, strict=True):  # by slices, or long scans would take memory thrice
        plane[...] = np.rint(found)
    return Scan(series.scan_id, series.patient_id, voxels, series.geometry)


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip()
