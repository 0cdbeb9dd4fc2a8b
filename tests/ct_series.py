"""Small CT series as DICOM files, for tests: every knob that real series turn."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

UID_ROOT = "1.2.826.0.1.3680043.10.1338."


@dataclass
class CTSeries:
    """A stack whose stored value at (z, y, x) tells its place: 1000 z + 20 y + x, z counted from the head."""

    scan_id: str = UID_ROOT + "1"
    patient_id: str = "TEST-0001"
    shape: tuple[int, int, int] = (6, 16, 12)
    spacing_mm: tuple[float, float, float] = (2.5, 0.8, 0.7)
    top_mm: float = -30.0
    slope: float = 1.0
    intercept: float = -1024.0
    modality: str = "CT"
    image_type: Sequence[str] = ("ORIGINAL", "PRIMARY", "AXIAL")
    orientation: Sequence[float] = (1, 0, 0, 0, 1, 0)
    missing: Sequence[int] = ()
    shear_mm: float = 0.0
    """By how much each slice lies further back than the one above: a tilted gantry."""
    header: dict[str, object] = field(default_factory=dict)

    @property
    def stored(self) -> np.ndarray:
        z, y, x = np.indices(self.shape)
        return (1000 * z + 20 * y + x).astype(np.int16)

    @property
    def hu(self) -> np.ndarray:
        return np.rint(self.stored * self.slope + self.intercept).astype(np.int16)

    def write(self, folder: Path, prefix: str = "") -> list[Path]:
        """Write the files, named so that their order tells nothing of the slices' order."""
        folder.mkdir(parents=True, exist_ok=True)
        return [
            self.write_slice(folder / f"{prefix}{(7 * index) % 101:03d}.dcm", index)
            for index in range(self.shape[0])
            if index not in self.missing
        ]

    def write_slice(self, path: Path, index: int) -> Path:
        gap, rows, columns = self.spacing_mm
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = f"{self.scan_id}.{index + 1}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
        values = {
            "SOPClassUID": CTImageStorage,
            "SOPInstanceUID": f"{self.scan_id}.{index + 1}",
            "SeriesInstanceUID": self.scan_id,
            "StudyInstanceUID": f"{self.scan_id}.0",
            "PatientID": self.patient_id,
            "PatientName": "",
            "Modality": self.modality,
            "ImageType": list(self.image_type),
            "InstanceNumber": index + 1,
            "ImagePositionPatient": [-100.0, -90.0 + self.shear_mm * index, self.top_mm - gap * index],
            "ImageOrientationPatient": list(self.orientation),
            "PixelSpacing": [rows, columns],
            "SliceThickness": 9.0,  # a lie, as it may be where slices overlap
            "Rows": self.shape[1],
            "Columns": self.shape[2],
            "BitsAllocated": 16,
            "BitsStored": 16,
            "HighBit": 15,
            "PixelRepresentation": 1,
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "RescaleSlope": self.slope,
            "RescaleIntercept": self.intercept,
            "PixelData": self.stored[index].astype("<i2").tobytes(),
        }
        for name, value in (values | self.header).items():
            setattr(dataset, name, value)
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)
        return path
