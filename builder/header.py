"""The header of one file: whether it is a CT slice, of which series, and whether its pixels can be had for certain."""

import os
import re
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.uid import CTImageStorage, MediaStorageDirectoryStorage

from builder.errors import SeriesError
from builder.finding import HARMLESS, Finding
from builder.header_values import LEAVE_OUT, TAGS, check_values, floats, range_hu
from builder.pixel_element import LOSSY, check_pixels
from builder.series import Slice

FETCH = "fetch the file again"
UID = re.compile(r"[0-9]+(\.[0-9]+)*")
UID_LENGTH = 64
SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})
FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")
"""With which a DICOM file without a preamble begins, in either byte order."""


@dataclass(frozen=True)
class Header:
    """The header of a file that says it is of a CT series."""

    path: Path
    scan_id: str
    patient_id: str
    frame: str
    """FrameOfReferenceUID: positions in different ones cannot be compared."""
    slice: Slice | None
    fault: Finding | None
    """Why the file is of no use, and so the whole series: its other slices alone would pass for a shorter scan."""


@dataclass(frozen=True)
class Orphan:
    """A file that does not tell its series, and so may be a slice of any that lies beside it."""

    path: Path
    finding: Finding
    is_dicom: bool
    """Otherwise only its name, if anything, says so."""


Read = Header | Orphan | Finding
"""A finding alone is of a file that is certainly no slice."""


def read_header(path: Path) -> Read | None:
    """Read the header of a file; nothing of a file that is not DICOM, nor looks like it."""
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pydicom about values; those that matter are checked here
            return _read(path, file)
    except SeriesError as error:
        return error.finding
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error})"
        return Orphan(path, Finding(str(path), reason, "check the file and its permissions"), False)
    except Exception as error:  # whatever a stranger's bytes make of a parser
        reason = f"its DICOM header is damaged ({error or type(error).__name__})"
        return Orphan(path, Finding(str(path), reason, FETCH), True)


def _read(path: Path, file: BinaryIO) -> Read | None:
    try:
        dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=TAGS)
    except InvalidDicomError:
        return _without_preamble(path, file)
    return _header(path, dataset, file)


def _without_preamble(path: Path, file: BinaryIO) -> Read | None:
    """GDCM reads such files, but nothing in them says for certain how their numbers are stored."""
    file.seek(0)
    start = file.read(4)
    if start[:2] in FIRST_GROUPS:
        file.seek(0)
        dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=TAGS, force=True)
        if "SeriesInstanceUID" in dataset:
            reason, remedy = "a DICOM file without preamble", "write it anew with a DICOM toolkit"
            return _faulty(path, dataset, SeriesError(path, reason, remedy))
    if not start:
        return Orphan(path, Finding(str(path), "an empty file", FETCH), False)
    if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):  # such as those that macOS leaves
        finding = Finding(str(path), "named like a DICOM file, but is none", "fetch the file again, or remove it")
        return Orphan(path, finding, False)
    return None


def _header(path: Path, dataset: pydicom.Dataset, file: BinaryIO) -> Read:
    modality = dataset.get("Modality")
    kind = dataset.file_meta.get("MediaStorageSOPClassUID")
    if kind == MediaStorageDirectoryStorage:
        raise SeriesError(path, "not a CT slice but a directory", HARMLESS)
    if kind == CTImageStorage and _ends(file) and not dataset.file_meta.TransferSyntaxUID.is_deflated:
        # Its last value may be cut as well, even that of SeriesInstanceUID, which then names another series.
        return Orphan(path, Finding(str(path), "truncated: it ends within its header", FETCH), True)
    if not modality:  # every object of a series has one, unless its file was cut before it
        return _faulty(path, dataset, SeriesError(path, "a DICOM object without Modality", LEAVE_OUT))
    if modality != "CT":
        raise SeriesError(path, f"not a CT slice but {modality}", HARMLESS)
    if "LOCALIZER" in (dataset.get("ImageType") or []):
        raise SeriesError(path, "a localizer, not a slice", HARMLESS)
    try:
        check_values(path, dataset)
        check_pixels(path, dataset, file)
        found = _faulty(path, dataset, None)
        return replace(found, slice=_slice(path, dataset)) if isinstance(found, Header) else found
    except SeriesError as error:
        return _faulty(path, dataset, error)
    except (ValueError, TypeError, AttributeError, OverflowError, EOFError) as error:
        reason = f"its DICOM header is damaged ({error or type(error).__name__})"
        return _faulty(path, dataset, SeriesError(path, reason, FETCH))


def _ends(file: BinaryIO) -> bool:
    start = file.read(1)
    file.seek(-len(start), os.SEEK_CUR)
    return not start


def _faulty(path: Path, dataset: pydicom.Dataset, error: SeriesError | None) -> Header | Orphan:
    """The header of a file that is of no use, by its series if it tells."""
    scan_id = str(dataset.get("SeriesInstanceUID") or "")
    if not scan_id:
        reason = error.finding.reason if error else "the CT slice has no SeriesInstanceUID"
        return Orphan(path, Finding(str(path), reason, LEAVE_OUT), True)
    if error is None and (not UID.fullmatch(scan_id) or len(scan_id) > UID_LENGTH):  # it names folders of the release
        error = SeriesError(path, f"SeriesInstanceUID {scan_id!r:.100} is no DICOM identifier", LEAVE_OUT)
    patient, frame = str(dataset.get("PatientID") or ""), str(dataset.get("FrameOfReferenceUID") or "")
    return Header(path, scan_id, patient, frame, None, error.finding if error else None)


def _slice(path: Path, dataset: pydicom.Dataset) -> Slice:
    x, y, z = floats(dataset, "ImagePositionPatient")
    syntax = dataset.file_meta.TransferSyntaxUID
    return Slice(
        path,
        (x, y, z),
        floats(dataset, "ImageOrientationPatient"),
        floats(dataset, "PixelSpacing"),
        (int(dataset.Rows), int(dataset.Columns)),
        float(dataset.RescaleSlope),
        float(dataset.RescaleIntercept),
        range_hu(dataset),
        syntax.is_encapsulated,
        dataset.get("LossyImageCompression") == "01" or syntax in LOSSY,
    )
