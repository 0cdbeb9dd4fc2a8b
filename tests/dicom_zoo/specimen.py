"""A CT series as odd as one likes, and its truth."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

UID_ROOT = "1.2.826.0.1.3680043.10.1338.8."
SHAPE = (10, 40, 32)
SPACING_MM = (2.0, 1.1, 0.9)


@dataclass(frozen=True)
class Raw:
    """A value that no well-meaning program would write."""

    vr: str
    value: bytes


@dataclass(eq=False)
class Slice:
    """One file to be."""

    stored: np.ndarray
    """The numbers that the standard says are in it."""
    header: dict[str, Any]
    slope: float = 1.0
    intercept: float = -1024.0
    path: Path = Path()
    syntax: str | None = None
    stream: Callable[[np.ndarray], list[bytes]] | None = None
    raw: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def hu(self) -> np.ndarray:
        return np.rint(self.stored * float(self.slope) + float(self.intercept))


@dataclass(eq=False)
class Specimen:
    """A folder of the zoo."""

    folder: Path
    scan_id: str
    patient_id: str
    rng: np.random.Generator
    kinds: list[str] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    syntax: str = ExplicitVRLittleEndian
    stream: Callable[[np.ndarray], list[bytes]] | None = None
    """Fragments of a slice's raw numbers."""
    bits: tuple[int, int] = (16, 16)
    """Allocated, stored."""
    signed: bool = True
    raw: Callable[[np.ndarray], np.ndarray] = lambda stored: stored
    """What lies in the file instead of a number, such as one with bits of an overlay."""
    direction: tuple[float, float] = (1.0, 1.0)
    """In which rows and columns run along x and y."""
    refused: str | None = None
    """Why, as a pattern; nothing of a series that is all right."""
    noted: list[str] = field(default_factory=list)
    """Patterns of what may be reported beside."""
    after: list[Callable[["Specimen"], None]] = field(default_factory=list)
    """What befalls the files once they are written."""
    companions: list["Specimen"] = field(default_factory=list)
    """Other series in the folder."""
    is_companion: bool = False
    """What is wrong with the other may take it along."""
    is_fuzzed: bool = False
    """Its truth is what pydicom makes of it; it may be refused as well."""

    def __post_init__(self) -> None:
        # 12 bits, so that all ways to store them can
        self.fill(self.rng.integers(0, 4096, SHAPE))

    def fill(self, stored: np.ndarray) -> None:
        self.slices = [Slice(plane, self._header(number)) for number, plane in enumerate(stored)]
        for number, each in enumerate(self.slices):
            each.path = self.folder / f"{(7 * number) % 101:03d}.dcm"

    @property
    def hu(self) -> np.ndarray:
        """The truth, slices from the head down."""
        return np.stack([each.hu for each in self.slices]).astype(np.int16)

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        return (-100.0, -90.0, -30.0)

    @property
    def last(self) -> Slice:
        return self.slices[-1]

    @property
    def middle(self) -> Slice:
        return self.slices[int(self.rng.integers(3, len(self.slices) - 3))]

    def everywhere(self, **header: Any) -> None:
        for each in self.slices:
            each.header |= header

    def write(self) -> None:
        for each in self.slices:
            self.write_slice(each)
        for befall in self.after:
            befall(self)
        for companion in self.companions:
            companion.write()

    def write_slice(self, each: Slice) -> None:
        with pydicom.config.disable_value_validation():
            self._write_slice(each)

    def _write_slice(self, each: Slice) -> None:
        each.path.parent.mkdir(parents=True, exist_ok=True)
        syntax = UID(each.syntax or self.syntax)
        dataset = FileDataset(os.fspath(each.path), {}, file_meta=_meta(syntax, each), preamble=b"\0" * 128)
        header = each.header | {"RescaleSlope": each.slope, "RescaleIntercept": each.intercept}
        allocated, stored_bits = self.bits
        pixels = {
            "Rows": each.stored.shape[0],
            "Columns": each.stored.shape[1],
            "BitsAllocated": allocated,
            "BitsStored": stored_bits,
            "HighBit": stored_bits - 1,
            "PixelRepresentation": int(self.signed),
        }
        for name, value in (pixels | header | each.header).items():
            _put(dataset, name, value)
        self._put_pixels(dataset, each, syntax)
        pydicom.dcmwrite(each.path, dataset, enforce_file_format=False)

    def _put_pixels(self, dataset: FileDataset, each: Slice, syntax: UID) -> None:
        cells = (each.raw or self.raw)(each.stored).astype(np.int64) % (1 << self.bits[0])
        stream = each.stream or self.stream
        if syntax.is_encapsulated and stream is not None:
            dataset.PixelData = encapsulate(list(stream(cells)))
            dataset["PixelData"].is_undefined_length = True
        else:
            order = "<" if syntax.is_little_endian else ">"
            content = cells.astype(f"{order}u{self.bits[0] // 8}").tobytes()
            dataset.PixelData = content + b"\0" * (len(content) % 2)
        dataset["PixelData"].VR = "OW" if self.bits[0] > 8 else "OB"

    def _header(self, number: int) -> dict[str, Any]:
        gap, rows, columns = SPACING_MM
        x, y, z = self.origin_mm
        return {
            "SOPClassUID": CTImageStorage,
            "SOPInstanceUID": f"{self.scan_id}.{number + 1}",
            "StudyInstanceUID": f"{self.scan_id}.0",
            "SeriesInstanceUID": self.scan_id,
            "FrameOfReferenceUID": f"{self.scan_id}.9999",
            "PatientID": self.patient_id,
            "PatientName": "",
            "Modality": "CT",
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "InstanceNumber": number + 1,
            "ImagePositionPatient": [x, y, z - gap * number],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [rows, columns],
            "SliceThickness": 9.0,
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
        }


def _meta(syntax: UID, each: Slice) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = each.header.get("SOPClassUID", CTImageStorage)
    meta.MediaStorageSOPInstanceUID = str(each.header.get("SOPInstanceUID") or "1.2.3")
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = "1.2.3.4"
    return meta


def _put(dataset: FileDataset, name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, Raw):
        tag = Tag(tag_for_keyword(name))
        dataset[tag] = RawDataElement(tag, value.vr, len(value.value), value.value, 0, False, True)
    else:
        setattr(dataset, name, value)
