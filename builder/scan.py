"""Scans: the voxels of a CT series in HU."""

import os
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import SimpleITK as sitk

from builder.complaints import complaints
from builder.cube import PADDING_BELOW_HU
from builder.errors import SeriesError
from builder.readable import readable, rescaled
from builder.series import Series, Slice
from m3dsynth_dataset.types import Volume
from m3dsynth_dataset.volume import Geometry

HU_RANGE = (-32_768, 32_767)
TOLERANCE_HU = 1e-3
"""Of numbers that were rescaled in another order."""
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
        lows = [np.where(plane < PADDING_BELOW_HU, HU_RANGE[1], plane).min() for plane in self.voxels]
        low, high = int(min(lows)), int(self.voxels.max())
        return (low, high) if low <= high else CT_RANGE_HU


def read_scan(series: Series) -> Scan:
    """Read the voxels of a series with SimpleITK (GDCM), which applies each file's rescale slope and intercept.

    Raises:
        SeriesError: If a file cannot be decoded, or its values do not fit its header or 16 bits.
    """
    voxels = np.empty(series.shape_zyx, dtype=np.int16)
    for plane, each in zip(voxels, series.slices, strict=True):  # one at a time, or long scans would take memory thrice
        plane[...] = _read_slice(each)
    return Scan(series.scan_id, series.patient_id, voxels, series.geometry)


def _read_slice(wanted: Slice) -> np.ndarray:
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")  # whatever the file is called
    reader.SetOutputPixelType(sitk.sitkFloat64)  # 32 bits would round 4999.4999 to 4999.5, and that to 5000
    try:
        with readable(wanted) as path, complaints(wanted.is_compressed) as told:
            reader.SetFileName(os.fspath(path))
            values = sitk.GetArrayFromImage(reader.Execute()).squeeze(0)
    except (RuntimeError, ValueError) as error:
        reason = f"cannot be decoded ({_last_line(error)})"
        raise SeriesError(wanted.path, reason, "fetch the file again") from error
    if told:
        raise SeriesError(wanted.path, f"cannot be decoded for certain ({told[0]})", "fetch the file again")
    values = rescaled(wanted, values)
    _check_values(wanted, values)
    return np.asarray(np.rint(values))


def _check_values(wanted: Slice, values: np.ndarray) -> None:
    if values.shape != wanted.shape:
        reason = f"its header says {wanted.shape} pixels, but {values.shape} are in it"
        raise SeriesError(wanted.path, reason, "fetch the file again")
    low, high = float(values.min()), float(values.max())
    if not (HU_RANGE[0] <= low and high <= HU_RANGE[1]):
        reason = f"values from {low:g} to {high:g} HU do not fit into 16 bits"
        raise SeriesError(wanted.path, reason, "check its RescaleSlope and RescaleIntercept")
    least, most = wanted.range_hu
    if low < least - TOLERANCE_HU or high > most + TOLERANCE_HU:
        reason = f"values from {low:g} to {high:g} HU, though its bits can say {least:g} to {most:g} HU only"
        raise SeriesError(wanted.path, reason, "check its BitsStored")


def _last_line(error: Exception) -> str:
    """Of what ITK says, without where its objects lie in memory, so that a report does not differ from run to run."""
    return re.sub(r"\(0x[0-9a-f]+\)", "", str(error).strip().splitlines()[-1].strip())
