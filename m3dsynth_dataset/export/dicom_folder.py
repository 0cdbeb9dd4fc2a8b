"""Original DICOM files: the headers of a scan's slices, found in a folder of any layout."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.errors import InvalidDicomError
from tqdm import tqdm

from m3dsynth_dataset.errors import ExportError
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.volume import Geometry

NEEDED = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "ImagePositionPatient",
    "Rows",
    "Columns",
    "PixelSpacing",
)
SPACING_TOLERANCE = 1e-3
"""Of the pixel spacing, as a share of it."""
UNREADABLE = (
    InvalidDicomError,
    OSError,
    EOFError,
    ValueError,
    AttributeError,
    KeyError,
    TypeError,
    NotImplementedError,
)
"""What pydicom raises for files that are not DICOM, cut or damaged."""
READERS = 8
"""Threads; most of the time they wait for the disk."""


class DicomFolder:
    """A folder that holds the files of series. Their headers are read once, when the first series is asked for.

    Args:
        path: The folder; names and layout below it mean nothing.

    Raises:
        ExportError: If there is no such folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser()
        if not self.path.is_dir():
            raise ExportError(f"{self.path}: no such folder; the source is the folder that holds the DICOM files")

    def read(self) -> int:
        """Read the headers now; returns the number of CT series."""
        return len(self._series)

    def headers(self, sample: Sample) -> list[Dataset]:
        """The original header of every slice of a sample, without pixels, from the head down.

        Raises:
            ExportError: If the series is not there, or is not the one that the sample was made from.
        """
        scan_id = sample.row["scan_id"]
        if scan_id not in self._series:
            raise ExportError(
                f"{self.path}: holds no CT slice of series {scan_id} ({sample.row['patient_id']}), only "
                f"{len(self._series)} other series; fetch it, or export without the source"
            )
        found = {str(header.SOPInstanceUID): header for header in _read_headers(self._series[scan_id])}
        return _matched(list(found.values()), sample, self._series[scan_id][0].parent)

    @cached_property
    def _series(self) -> dict[str, list[Path]]:
        """Files by SeriesInstanceUID."""
        files = sorted(_files(self.path))
        series: dict[str, list[Path]] = defaultdict(list)
        with ThreadPoolExecutor(READERS) as pool:
            bar = tqdm(pool.map(_series_of, files), total=len(files), desc="reading headers", unit="file", disable=None)
            for path, scan_id in zip(files, bar, strict=True):
                if scan_id is not None:
                    series[scan_id].append(path)
        return dict(series)


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root, followlinks=True):
        yield from (Path(folder, name) for name in names)


def _series_of(path: Path) -> str | None:
    """SeriesInstanceUID of a CT slice; nothing for other files and for those that cannot be read."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["Modality", "SeriesInstanceUID"])
        return str(header.SeriesInstanceUID) if header.get("Modality") == "CT" else None
    except UNREADABLE:
        return None


def _read_headers(paths: Iterable[Path]) -> Iterator[Dataset]:
    """The headers of slices, without the localizers that some series begin with."""
    for path in paths:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        if "LOCALIZER" not in (header.get("ImageType") or []):
            missing = [name for name in NEEDED if header.get(name) in (None, "")]
            if missing:
                raise ExportError(f"{path}: a CT slice without {', '.join(missing)}; fetch the file again")
            yield header


def _matched(headers: list[Dataset], sample: Sample, folder: Path) -> list[Dataset]:
    """The headers in the order of the sample's slices."""
    geometry, slices = sample.geometry, int(sample.row["shape_zyx"][0])
    if len(headers) != slices:
        raise ExportError(
            f"{folder}: {len(headers)} slices of series {sample.row['scan_id']}, the scan in the release has {slices}; "
            "fetch the series again, or export without the source"
        )
    down = np.reshape(geometry.direction, (3, 3))[:, 2]
    headers.sort(key=lambda header: float(down @ np.array(header.ImagePositionPatient, dtype=float)))
    for index, header in enumerate(headers):
        _check_match(header, index, geometry, sample)
    return headers


def _check_match(header: Dataset, index: int, geometry: Geometry, sample: Sample) -> None:
    """A header may differ from the sample's geometry by what headers are rounded by, and no more."""
    _, rows, columns = sample.row["shape_zyx"]
    depth, *in_plane = geometry.spacing_mm
    expected = geometry.to_mm((index, 0, 0))
    away = np.abs(np.array(header.ImagePositionPatient, dtype=float) - expected)
    placed = away[2] < depth / 2 and away[:2].max() < min(in_plane) / 2
    same = np.allclose([float(each) for each in header.PixelSpacing], in_plane, rtol=SPACING_TOLERANCE)
    if not (placed and same and (header.Rows, header.Columns) == (rows, columns)):
        raise ExportError(
            f"{header.filename}: position {list(header.ImagePositionPatient)}, spacing {list(header.PixelSpacing)} and "
            f"{header.Rows} x {header.Columns} pixels are not those of slice {index} of sample {sample.id}, "
            f"{[round(value, 3) for value in expected]}, {in_plane} and {rows} x {columns}; "
            "the release was made from other files of this series: export without the source"
        )
