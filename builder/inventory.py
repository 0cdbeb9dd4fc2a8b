"""What a folder of any layout holds: files are told apart by their DICOM headers, never by their names."""

import os
import stat
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from builder.errors import BuilderError, SeriesError
from builder.finding import HARMLESS, Finding, summarised
from builder.header import SUFFIXES, Header, Orphan, Read, read_header
from builder.series import Series
from builder.workers import each

FILES_PER_TASK = 256
Place = tuple[int, int]
"""Of a file on the disk: device and inode."""


@dataclass(frozen=True)
class Inventory:
    """The CT series below a folder whose headers make scans, and what was left out."""

    series: tuple[Series, ...]
    findings: tuple[Finding, ...]

    def by_scan_id(self) -> dict[str, Series]:
        """The series by their SeriesInstanceUID."""
        return {series.scan_id: series for series in self.series}


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
    files, findings = _files(root)
    read = _read_headers(sorted(files), workers)
    headers = _once([found for found in read if isinstance(found, Header)], files)
    orphans = _suspicious([found for found in read if isinstance(found, Orphan)], headers)
    findings += [found for found in read if isinstance(found, Finding)]
    findings += [orphan.finding for orphan in orphans]
    series, irregular = _group(root, headers, orphans)
    harmless = [finding for finding in findings if finding.remedy == HARMLESS]
    others = [finding for finding in findings if finding.remedy != HARMLESS]
    findings = [*_by_patient(root, harmless), *others, *irregular]
    if not headers:
        what = "; ".join(map(str, findings[:3])) or f"{len(files)} files, none of them DICOM"
        raise BuilderError(f"{root}: no CT slice in this folder ({what}); --lidc names the folder that holds the scans")
    return Inventory(tuple(series), tuple(findings))


def _by_patient(root: Path, findings: Sequence[Finding]) -> list[Finding]:
    """One line for all that is alike in a folder right below the root, such as a patient's."""

    def patient(finding: Finding) -> str:
        inner = Path(finding.path).parts[len(root.parts) :]
        return inner[0] if len(inner) > 1 else ""

    return summarised(findings, patient)


def _files(root: Path) -> tuple[dict[Path, Place | None], list[Finding]]:
    """The files below a folder, with their places on the disk; and what cannot be looked into.

    A folder is looked into once, however many links lead to it.
    """
    files: dict[Path, Place | None] = {}
    findings: list[Finding] = []
    seen = {_place(_status(root))}

    def closed(error: OSError) -> None:
        reason = f"the folder cannot be read ({error.strerror})"
        findings.append(Finding(str(error.filename), reason, "check the folder and its permissions"))

    for folder, inner, names in os.walk(root, followlinks=True, onerror=closed):
        places = {name: _place(_status(Path(folder, name))) for name in sorted(inner)}
        inner[:] = [name for name, place in places.items() if place not in seen]
        seen.update(places.values())
        for path in (Path(folder, name) for name in sorted(names)):
            status = _status(path)
            if status is None or stat.S_ISREG(status.st_mode):
                files[path] = _place(status)
            else:  # to open a pipe is to wait for its writer
                findings.append(Finding(str(path), "a pipe or a device, not a file", HARMLESS))
    return files, findings


def _status(path: Path) -> os.stat_result | None:
    """Nothing of a link that leads nowhere: whoever reads it finds out why."""
    try:
        return path.stat()
    except OSError:
        return None


def _place(status: os.stat_result | None) -> Place | None:
    return None if status is None else (status.st_dev, status.st_ino)


def _once(headers: Sequence[Header], files: Mapping[Path, Place | None]) -> list[Header]:
    """Each file once, however many links lead to it."""
    first = {files[header.path]: header for header in reversed(headers)}
    return [header for header in headers if first[files[header.path]] is header]


def _read_headers(files: Sequence[Path], workers: int) -> list[Read]:
    tasks = [files[start : start + FILES_PER_TASK] for start in range(0, len(files), FILES_PER_TASK)]
    jobs = [(task,) for task in tasks]
    return list(chain.from_iterable(each(_read_some, jobs, workers, description="reading headers", unit="part")))


def _read_some(files: Sequence[Path]) -> list[Read]:
    return [found for file in files if (found := read_header(file)) is not None]


def _suspicious(orphans: Sequence[Orphan], headers: Sequence[Header]) -> list[Orphan]:
    """Those that are slices, or are called as slices are, or as those beside them."""
    called = {(header.path.parent, header.path.suffix) for header in headers}
    return [
        orphan
        for orphan in orphans
        if orphan.is_dicom
        or orphan.path.suffix.lower() in SUFFIXES
        or (orphan.path.parent, orphan.path.suffix) in called
    ]


def _group(root: Path, headers: Sequence[Header], orphans: Sequence[Orphan]) -> tuple[list[Series], list[Finding]]:
    members: dict[str, list[Header]] = defaultdict(list)
    for header in headers:
        members[header.scan_id].append(header)
    series: list[Series] = []
    findings: list[Finding] = []
    for scan_id, group in sorted(members.items()):
        if faults := [header.fault for header in group if header.fault]:
            findings += _by_patient(root, faults)
            continue
        try:
            _check_whole(scan_id, group, orphans)
            series.append(_series(scan_id, group))
        except SeriesError as error:
            findings.append(error.finding)
    return series, findings


def _check_whole(scan_id: str, group: Sequence[Header], orphans: Sequence[Orphan]) -> None:
    """See that the files are of one patient, and that none of theirs may lie beside them and tell nothing."""
    first = group[0]
    for header in group:
        for name, value, usual in (
            ("PatientID", header.patient_id, first.patient_id),
            ("FrameOfReferenceUID", header.frame, first.frame),
        ):
            if value != usual:
                reason = f"{name} {value!r} is not that of {first.path.name} in series {scan_id}, {usual!r}"
                raise SeriesError(header.path, reason, "keep the files of one reconstruction only")
    folder = Path(os.path.commonpath([header.path.parent for header in group]))
    for orphan in orphans:
        if orphan.path.is_relative_to(folder):
            reason = f"series {scan_id} may have lost a slice: {orphan.path.name} lies beside it and cannot be read"
            raise SeriesError(folder, reason, "fetch the file again, or remove it")


def _series(scan_id: str, group: Sequence[Header]) -> Series:
    slices = [header.slice for header in group if header.slice is not None]
    slices.sort(key=lambda found: (-found.position_mm[2], str(found.path)))
    series = Series(scan_id, group[0].patient_id, tuple(slices))
    series.check()
    return series
