"""The values in a CT slice's header that voxels and their places depend on.

What GDCM reads in another way than the standard, or makes up where a header is silent, is refused here, so that no
voxel depends on it.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import pydicom

from builder.errors import SeriesError

NEEDED = (
    "PatientID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PhotometricInterpretation",
    "RescaleSlope",
    "RescaleIntercept",
)
"""GDCM takes 1 and 0 for a slope and an intercept that are missing."""
TAGS = [
    *NEEDED,
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
    "ImageType",
    "SamplesPerPixel",
    "NumberOfFrames",
    "GantryDetectorTilt",
    "RescaleType",
    "ModalityLUTSequence",
    "LossyImageCompression",
]
LEAVE_OUT = "fetch the file again, or leave the series out"
PIXEL_MM = (0.05, 5.0)
"""No scanner of lungs has smaller or larger pixels; what is beyond is a damaged number, or another unit."""
FARTHEST_MM = 10_000.0
TILT_TOLERANCE_DEGREES = 1.0
HU_TYPES = ("", "HU", "US")
"""RescaleType is optional, and US says that it is not specified."""


def check_values(path: Path, dataset: pydicom.Dataset) -> None:
    """See that a header says where its voxels lie, and what their numbers mean.

    Raises:
        SeriesError: If it does not.
        ValueError, TypeError: If a value is no number.
    """
    for name in NEEDED:
        if dataset.get(name) in (None, ""):
            raise SeriesError(path, f"the CT slice has no {name}", LEAVE_OUT)
    if int(dataset.get("NumberOfFrames") or 1) != 1 or int(dataset.get("SamplesPerPixel") or 1) != 1:
        raise SeriesError(path, "several frames or colours in one file", "convert the series to single CT slices")
    _check_place(path, dataset)
    _check_grey_values(path, dataset)


def _check_place(path: Path, dataset: pydicom.Dataset) -> None:
    for name, count, limit in (
        ("ImagePositionPatient", 3, FARTHEST_MM),
        ("ImageOrientationPatient", 6, 1.01),
        ("PixelSpacing", 2, PIXEL_MM[1]),
    ):
        values = floats(dataset, name)
        if len(values) != count or not all(math.isfinite(value) and abs(value) <= limit for value in values):
            raise SeriesError(path, f"{name} is {_text(values)}, not {count} numbers that can be", LEAVE_OUT)
    if min(floats(dataset, "PixelSpacing")) < PIXEL_MM[0]:
        raise SeriesError(path, f"PixelSpacing is {_text(floats(dataset, 'PixelSpacing'))} mm", LEAVE_OUT)
    tilt = float(dataset.get("GantryDetectorTilt") or 0)
    if not abs(tilt) <= TILT_TOLERANCE_DEGREES:
        reason = f"a tilted gantry: GantryDetectorTilt is {tilt:g} degrees"
        raise SeriesError(path, reason, "resample the series to axial slices, or leave it out")


def _check_grey_values(path: Path, dataset: pydicom.Dataset) -> None:
    photometric = dataset.PhotometricInterpretation
    if photometric != "MONOCHROME2":  # GDCM turns MONOCHROME1 over, rescaled or not
        raise SeriesError(path, f"its pixels are {photometric}, not MONOCHROME2", "convert the series to CT slices")
    slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
    if not (math.isfinite(slope) and math.isfinite(intercept) and slope):  # GDCM takes 1 for a slope of 0
        raise SeriesError(path, f"RescaleSlope is {slope:g} and RescaleIntercept {intercept:g}", LEAVE_OUT)
    unit = str(dataset.get("RescaleType") or "").strip().upper()
    if unit not in HU_TYPES or "ModalityLUTSequence" in dataset:
        unit = "the entries of a table" if "ModalityLUTSequence" in dataset else unit
        raise SeriesError(path, f"its values are {unit}, not HU", "convert the series to HU, or leave it out")


def range_hu(dataset: pydicom.Dataset) -> tuple[float, float]:
    """What the stored bits, rescaled, can say."""
    values = 1 << int(dataset.BitsStored)
    lowest = -values // 2 if int(dataset.PixelRepresentation) else 0
    slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
    low, high = sorted((lowest * slope + intercept, (lowest + values - 1) * slope + intercept))
    return low, high


def floats(dataset: pydicom.Dataset, name: str) -> tuple[float, ...]:
    """The numbers of an element, however many there are."""
    values = dataset[name].value
    values = values if isinstance(values, Sequence) and not isinstance(values, str) else [values]
    return tuple(map(float, values))


def _text(values: Sequence[float]) -> str:
    return "\\".join(f"{value:g}" for value in values)
