"""What a folder of any layout holds: files are told apart by their DICOM headers, never by their names."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from builder.errors import BuilderError, SeriesError
from builder.finding import Finding
from builder.series import Series, Slice
from builder.workers import each

TAGS = [
    "SeriesInstanceUID",
    "PatientID",
    "Modality",
    "ImageType",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "BitsAllocated",
    "SamplesPerPixel",
    "NumberOfFrames",
]
FILES_PER_TASK = 256
HARMLESS = "nothing to do, it is left out"


@dataclass(frozen=True)
class Inventory:
    """The CT series below a folder whose headers make scans, and what was left out."""

    series: tuple[Series, ...]
    findings: tuple[Finding, ...]

    def by_scan_id(self) -> dict[str, Series]:
        """The series by their SeriesInstanceUID."""
        return {series.scan_id: series for series in self.series}


@dataclass(frozen=True)
class Header:
    """The header of a file that says it is a CT slice."""

    scan_id: str
    patient_id: str
    slice: Slice
    fault: Finding | None
    """Why the file is of no use, and so the whole series: its other slices alone would pass for a shorter scan."""


def find_series(root: Path, *, workers: int = 1) -> Inventory:
    """Find the CT series below a folder.

    Args:
        root: The folder. Files that are not DICOM are passed over.
        workers: Processes that read headers.

    Raises:
        BuilderError: If there is no such folder, or nothing in it is a CT slice.
    """
    if not root.is_dir():
        raise BuilderError(f"{root}: no such folder; --lidc names the folder that holds the DICOM files")
    files = sorted(_files(root))
    headers, findings = _read_headers(files, workers)
    series, irregular = _group(headers)
    findings = [*_summarised(findings), *irregular]
    if not headers:
        what = "; ".join(map(str, findings[:3])) or f"{len(files)} files, none of them DICOM"
        raise BuilderError(f"{root}: no CT slice in this folder ({what}); --lidc names the folder that holds the scans")
    return Inventory(tuple(series), tuple(findings))


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root, followlinks=True):
        yield from (Path(folder, name) for name in names)


def _read_headers(files: Sequence[Path], workers: int) -> tuple[list[Header], list[Finding]]:
    tasks = [files[start : start + FILES_PER_TASK] for start in range(0, len(files), FILES_PER_TASK)]
    jobs = [(task,) for task in tasks]
    found = list(chain.from_iterable(each(_read_some, jobs, workers, description="reading headers", unit="part")))
    headers = [read for read in found if isinstance(read, Header)]
    return headers, [read for read in found if isinstance(read, Finding)]


def _read_some(files: Sequence[Path]) -> list[Header | Finding]:
    return [found for file in files if (found := _read_header(file)) is not None]


def _read_header(path: Path) -> Header | Finding | None:
    """The header of a CT slice, a finding for any other DICOM file, and nothing for a file that is not DICOM."""
    try:
        with path.open("rb") as file:
            dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=TAGS)
            pixel_bytes = path.stat().st_size - file.tell()
            return _header(path, dataset, pixel_bytes)
    except InvalidDicomError:
        return None
    except SeriesError as error:
        return error.finding
    except OSError as error:
        return Finding(str(path), f"cannot be read ({error.strerror or error})", "check the file and its permissions")
    except (EOFError, ValueError, AttributeError, KeyError, TypeError, NotImplementedError) as error:
        return Finding(str(path), f"its DICOM header is damaged ({error})", "fetch the file again")


def _header(path: Path, dataset: pydicom.Dataset, pixel_bytes: int) -> Header:
    modality = dataset.get("Modality", "no Modality")
    if modality != "CT":
        raise SeriesError(path, f"not a CT slice but {modality}", HARMLESS)
    if "LOCALIZER" in dataset.get("ImageType", []):
        raise SeriesError(path, "a localizer, not a slice", HARMLESS)
    for name in TAGS[:2] + TAGS[4:9]:
        if dataset.get(name) in (None, ""):
            raise SeriesError(path, f"the CT slice has no {name}", "fetch the file again, or leave the series out")
    if int(dataset.get("NumberOfFrames", 1)) != 1 or int(dataset.get("SamplesPerPixel", 1)) != 1:
        raise SeriesError(path, "several frames or colours in one file", "convert the series to single CT slices")
    x, y, z = map(float, dataset.ImagePositionPatient)
    placed = Slice(
        path,
        (x, y, z),
        tuple(map(float, dataset.ImageOrientationPatient)),
        tuple(map(float, dataset.PixelSpacing)),
        (int(dataset.Rows), int(dataset.Columns)),
    )
    return Header(
        str(dataset.SeriesInstanceUID), str(dataset.PatientID), placed, _truncation(path, dataset, pixel_bytes)
    )


def _truncation(path: Path, dataset: pydicom.Dataset, pixel_bytes: int) -> Finding | None:
    """GDCM fills up what a cut file lacks, without a word: so count the bytes that an uncompressed slice needs."""
    syntax = dataset.file_meta.TransferSyntaxUID
    pixel_bytes -= 8 if syntax.is_implicit_VR else 12  # the pixel element's own tag and length
    needed = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("BitsAllocated", 16)) // 8
    if syntax.is_compressed or syntax.is_deflated or pixel_bytes >= needed:
        return None
    return Finding(
        str(path), f"truncated: {pixel_bytes:,} bytes after the header, {needed:,} needed", "fetch the file again"
    )


def _group(headers: Sequence[Header]) -> tuple[list[Series], list[Finding]]:
    members: dict[str, list[Header]] = defaultdict(list)
    for header in headers:
        members[header.scan_id].append(header)
    series: list[Series] = []
    findings: list[Finding] = []
    for scan_id, group in sorted(members.items()):
        if faults := [header.fault for header in group if header.fault]:
            findings += faults
            continue
        slices = sorted((header.slice for header in group), key=lambda found: (-found.position_mm[2], str(found.path)))
        candidate = Series(scan_id, group[0].patient_id, tuple(slices))
        try:
            candidate.check()
            series.append(candidate)
        except SeriesError as error:
            findings.append(error.finding)
    return series, findings


def _summarised(findings: Sequence[Finding]) -> list[Finding]:
    """One line for all files that are harmless and left out for the same reason; one for each other finding."""
    kinds = Counter(finding.reason for finding in findings if finding.remedy == HARMLESS)
    first = {finding.reason: finding for finding in reversed(findings) if finding.remedy == HARMLESS}
    harmless = [
        first[reason] if count == 1 else Finding(first[reason].path, f"{reason} (and {count - 1} more)", HARMLESS)
        for reason, count in kinds.items()
    ]
    return harmless + [finding for finding in findings if finding.remedy != HARMLESS]
