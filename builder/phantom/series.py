"""CT series as DICOM files, marked as what they are: derived, not of a patient."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from builder.phantom.files import Stored, Template
from builder.phantom.identity import MAKER, Identity
from builder.phantom.scanner import AIR, PADDING, Scanner

DATE, TIME = "20000101", "000000"
DESCRIPTION = "m3dsynth phantom, not a patient"
WHITEST = 3071
"""Largest HU of 12 bits."""

PLACE = ("SOPInstanceUID", "InstanceNumber", "ImagePositionPatient")
"""What differs from image to image of a series."""

Plane = Float32[np.ndarray, "rows columns"]


@dataclass(frozen=True)
class Sequence:
    """In which files the slices of a scan lie, from the feet up."""

    positions: tuple[tuple[float, float, float], ...]
    """ImagePositionPatient (x, y, z) in mm."""
    instances: tuple[int, ...]
    """InstanceNumber."""
    files: tuple[str, ...]


def draw_sequence(rng: np.random.Generator, scanner: Scanner) -> Sequence:
    """Instance numbers up or down; files numbered alike, the other way round, or without order."""
    up = np.arange(1, scanner.slices + 1)
    instances = up[::-1] if scanner.descending else up
    names = (instances, instances[::-1], rng.permutation(up))[int(rng.integers(3))]
    return Sequence(
        positions=tuple(scanner.position(float(height)) for height in scanner.heights),
        instances=tuple(instances.tolist()),
        files=tuple(f"{name:06d}.dcm" for name in names.tolist()),
    )


def outside(scanner: Scanner) -> Bool[np.ndarray, "rows columns"]:
    """The pixels outside the circular field of view."""
    half = scanner.matrix / 2
    away = (np.arange(scanner.matrix) - half + 0.5) ** 2
    return np.asarray(away[:, None] + away > half**2)


def stored(hu: Plane, scanner: Scanner, beyond: Bool[np.ndarray, "rows columns"]) -> Stored:
    """What the scanner stores for HU, with its padding or air in the pixels ``beyond`` the field of view."""
    storage = scanner.storage
    values = np.rint(np.clip(hu, AIR, WHITEST)) - storage.intercept
    values[beyond] = PADDING if storage.padded else AIR - storage.intercept
    return np.asarray(values.astype(np.int16 if storage.signed else np.uint16))


class Series:
    """Writes the slices of one CT series.

    Args:
        folder: Where to; must exist.
        identity: Whose.
        scanner: How it was scanned.
        sequence: Names and numbers of the slices.
        contrast: Whether contrast medium was given.
    """

    def __init__(self, folder: Path, identity: Identity, scanner: Scanner, sequence: Sequence, contrast: bool) -> None:
        self._folder, self._identity, self._sequence = folder, identity, sequence
        header = _header(identity, scanner, "ct")
        header.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
        header.SeriesNumber = 2
        header.SeriesDescription = DESCRIPTION
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        header.PixelSpacing = [scanner.pixel, scanner.pixel]
        header.Rows = header.Columns = scanner.matrix
        if contrast:
            header.ContrastBolusAgent = "IV"
        self._template = Template(header, (*PLACE, "SliceLocation"))

    def write(self, index: int, pixels: Stored) -> None:
        """Write slice ``index``, counted from the feet."""
        number, position = self._sequence.instances[index], self._sequence.positions[index]
        own = _place(self._identity.uid(f"ct/{number}"), number, position)
        own.SliceLocation = position[2]
        self._template.write(self._folder / self._sequence.files[index], own, pixels)


def write_localizer(folder: Path, identity: Identity, scanner: Scanner, projection: Plane) -> None:
    """The scout view of an exam.

    Args:
        folder: Where to; must exist.
        identity: Whose.
        scanner: How it was scanned.
        projection: Mean HU from front to back, a row for each slice, from the head down.
    """
    header = _header(identity, scanner, "localizer")
    header.ImageType = ["DERIVED", "SECONDARY", "LOCALIZER"]
    header.SeriesNumber = 1
    header.SeriesDescription = f"{DESCRIPTION} (localizer)"
    header.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    header.PixelSpacing = [scanner.spacing, scanner.pixel]
    header.Rows, header.Columns = projection.shape
    x, _, z = scanner.position(float(scanner.heights[-1]))
    values = np.rint(np.clip(projection, AIR, WHITEST)) - scanner.storage.intercept
    pixels = values.astype(np.int16 if scanner.storage.signed else np.uint16)
    Template(header, PLACE).write(folder / "000001.dcm", _place(identity.uid("localizer/1"), 1, (x, 0.0, z)), pixels)


def _place(instance: str, number: int, position: tuple[float, float, float]) -> Dataset:
    """What tells an image from the others of its series."""
    own = Dataset()
    own.SOPInstanceUID = instance
    own.InstanceNumber = number
    own.ImagePositionPatient = list(position)
    return own


def _header(identity: Identity, scanner: Scanner, role: str) -> Dataset:
    """What all images of a series have in common."""
    header = Dataset()
    _describe_patient(header, identity)
    _describe_scan(header, scanner)
    header.SOPClassUID = CTImageStorage
    header.StudyInstanceUID = identity.uid("study")
    header.SeriesInstanceUID = identity.uid(role)
    header.FrameOfReferenceUID = identity.uid("frame")
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
    header.PixelRepresentation = int(scanner.storage.signed)
    if scanner.storage.padded:
        header.PixelPaddingValue = PADDING
    header.RescaleIntercept, header.RescaleSlope, header.RescaleType = scanner.storage.intercept, 1, "HU"
    header.WindowCenter, header.WindowWidth = -600, 1600
    return header


def _describe_patient(header: Dataset, identity: Identity) -> None:
    header.SpecificCharacterSet = "ISO_IR 100"
    header.PatientName = f"{identity.patient}^Procedural"
    header.PatientID = identity.patient
    header.PatientBirthDate, header.PatientSex = "", ""
    header.PatientIdentityRemoved = "YES"
    header.DeidentificationMethod = "Procedural phantom; there is no patient"
    header.StudyDate = header.SeriesDate = header.AcquisitionDate = header.ContentDate = DATE
    header.StudyTime = header.SeriesTime = header.AcquisitionTime = header.ContentTime = TIME
    header.AccessionNumber, header.ReferringPhysicianName, header.StudyID = "", "", "1"
    header.StudyDescription = DESCRIPTION
    header.DerivationDescription = "Drawn by a program; no X-rays were used"
    header.BurnedInAnnotation = "NO"


def _describe_scan(header: Dataset, scanner: Scanner) -> None:
    header.Modality = "CT"
    header.Manufacturer = MAKER
    header.ManufacturerModelName = "procedural phantom"
    header.BodyPartExamined = "CHEST"
    header.PatientPosition = "HFS"
    header.PatientOrientation = ""
    header.Laterality = ""
    header.PositionReferenceIndicator = ""
    header.AcquisitionNumber = 1
    header.KVP = scanner.kilovolts
    header.SliceThickness = scanner.thickness
    header.ReconstructionDiameter = round(scanner.pixel * scanner.matrix, 3)
    header.ConvolutionKernel = scanner.kernel.name
