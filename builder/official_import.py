"""Import of the published M3Dsynth: its tables and TIFF slices, and LIDC-IDRI, into a release of this format.

Scan by scan: the pristine volume comes from DICOM through the writer that every release uses; each tampered copy is
held against it and becomes an edit, or is refused with its reason.
"""

import hashlib
import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import pydicom

from builder.annotations import read_annotations
from builder.errors import BuilderError
from builder.finding import Finding
from builder.inventory import Inventory, find_series
from builder.official_images import PublishedImages, find_images
from builder.official_nodules import nodule_columns
from builder.official_report import ImportReport, SampleReport, make_report
from builder.official_scan import ImportedScan, NoduleColumns, ScanJob, import_scan
from builder.official_tables import COLUMNS, OfficialRow, OfficialTables, SeriesKey, read_tables, tables_folder
from builder.release import check_replaceable, write_release
from builder.series import Series
from builder.work_folder import work_folder
from builder.workers import each
from m3dsynth_dataset.manifest import Manifest

LICENCE_FILE = "LICENSE.md"
NO_NOTICE = Finding(
    LICENCE_FILE,
    "the published licence does not lie beside the tables, so the release's LICENSE only says where to find it",
    "put it there and import again before you pass the release on: its terms want it kept with every copy",
)
AS_PUBLISHED = "as published; neither weights nor seeds are known"
PUBLISHED = "https://github.com/grip-unina/M3Dsynth"
VERSIONED = ("m3dsynth", "numpy", "pillow", "SimpleITK", "zarr", "numcodecs", "pyarrow")


@dataclass(frozen=True)
class ImportOptions:
    """Where an import reads and writes, and how."""

    lidc: Path
    m3dsynth: Path
    """Folder into which the published archives were unpacked."""
    tables: Path
    """A clone of the published repository, or the folder of its tables."""
    out: Path
    annotations: Path | None = None
    """Annotation database; without one the columns that tell of nodules stay empty."""
    work: Path | None = None
    workers: int = 1


def import_official(options: ImportOptions) -> tuple[Manifest, ImportReport]:
    """Import the published release, or the part of it whose scans are at hand.

    Args:
        options: From where, to where.

    Returns:
        The release's manifest, and the report, which is also written beside the release.

    Raises:
        BuilderError: If nothing can be imported.
    """
    check_replaceable(options.out)
    tables, images = read_tables(options.tables), find_images(options.m3dsynth)
    inventory = find_series(options.lidc, workers=options.workers)
    series, ambiguous = match_series(inventory, tables)
    _check_any(series, inventory, tables, options.lidc)
    with work_folder(options.out, options.work) as work:
        arguments = [(job, images, work) for job in _jobs(series, tables, images, options.annotations)]
        results = list(each(import_scan, arguments, options.workers, description="importing scans", unit="scan"))
        scans = [result for result in results if isinstance(result, ImportedScan)]
        unreadable = [result for result in results if isinstance(result, Finding)]
        notice = _notice(options.tables)
        left_out = [*inventory.findings, *ambiguous, *unreadable, *(() if notice else (NO_NOTICE,))]
        report = make_report(tables, images, _imported_keys(series, scans), _reports(scans), left_out)
        report.write(options.out)
        report.check_any()
        rows = chain.from_iterable(scan.rows() for scan in scans)
        prepared = [scan.prepared for scan in scans]
        manifest = write_release(options.out, rows, prepared, _account(options, scans, report), notice=notice)
    return manifest, report


def match_series(inventory: Inventory, tables: OfficialTables) -> tuple[dict[SeriesKey, Series], list[Finding]]:
    """Find the published series among those at hand, by patient and SeriesNumber.

    Args:
        inventory: The series at hand.
        tables: The published tables.

    Returns:
        The series, in the order of the table, and what is ambiguous.
    """
    patients = {key.patient_id for key in tables.series}
    found: dict[SeriesKey, list[Series]] = defaultdict(list)
    for series in inventory.series:
        if series.patient_id in patients and (number := _series_number(series)) is not None:
            found[SeriesKey(series.patient_id, number)].append(series)
    findings = [
        Finding(str(key), f"{len(members)} series of that number at hand", "remove all but the published one")
        for key, members in found.items()
        if key in tables.series and len(members) > 1
    ]
    return {key: found[key][0] for key in tables.series if len(found.get(key, ())) == 1}, findings


def _series_number(series: Series) -> int | None:
    """What the DICOM files call their series; the inventory does not need it."""
    dataset = pydicom.dcmread(series.slices[0].path, stop_before_pixels=True, specific_tags=["SeriesNumber"])
    number = dataset.get("SeriesNumber")
    return None if number is None else int(number)


def _jobs(
    series: Mapping[SeriesKey, Series], tables: OfficialTables, images: PublishedImages, annotations: Path | None
) -> list[ScanJob]:
    rows: dict[SeriesKey, list[OfficialRow]] = defaultdict(list)
    for row in tables.tampered:
        rows[row.site.series].append(row)
    nodules = _nodules(series, rows, annotations)
    return [
        ScanJob(
            member,
            str(tables.splits[key.patient_id]),
            tuple(row for row in rows[key] if images.has(row)),
            nodules.get(key, {}),
        )
        for key, member in series.items()
    ]


def _nodules(
    series: Mapping[SeriesKey, Series], rows: Mapping[SeriesKey, Sequence[OfficialRow]], annotations: Path | None
) -> dict[SeriesKey, NoduleColumns]:
    if annotations is None:
        return {}
    annotated = {scan.scan_id: scan for scan in read_annotations(annotations)}
    return {
        key: nodule_columns(annotated[member.scan_id], [row.site for row in rows[key]])
        for key, member in series.items()
        if member.scan_id in annotated
    }


def _imported_keys(series: Mapping[SeriesKey, Series], scans: Sequence[ImportedScan]) -> frozenset[SeriesKey]:
    read = {scan.prepared.scan_id for scan in scans}
    return frozenset(key for key, member in series.items() if member.scan_id in read)


def _reports(scans: Sequence[ImportedScan]) -> list[SampleReport]:
    return list(chain.from_iterable(scan.reports for scan in scans))


def _check_any(series: Mapping[SeriesKey, Series], inventory: Inventory, tables: OfficialTables, lidc: Path) -> None:
    if not series:
        raise BuilderError(
            f"{lidc}: none of the {len(inventory.series)} series there is one of the {len(tables.series)} published, "
            "by patient and SeriesNumber; --lidc names the folder that holds LIDC-IDRI"
        )


def _account(options: ImportOptions, scans: Sequence[ImportedScan], report: ImportReport) -> dict[str, Any]:
    """How the release came about. Nothing in it depends on the time, the place or the number of workers."""
    sources = {scan.prepared.source for scan in scans}
    return {
        "source": sources.pop() if len(sources) == 1 else "user",
        "scans": len(scans),
        "patients": len({scan.prepared.patient_id for scan in scans}),
        "left_out": len(report.refused) + len(report.left_out),
        "trained_on": [],
        "inpainters": {name: {"published": AS_PUBLISHED} for name in sorted({each.config for each in report.imported})},
        "weights_sha256": {},
        "imported": {
            "from": f"M3Dsynth as published, {PUBLISHED}",
            "licence": "GRIP-UNINA, non-profit use only",
            "samples": len(report.imported),
            "tables_sha256": _tables_sha256(options.tables),
        },
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONED}},
    }


def _tables_sha256(tables: Path) -> str:
    digest = hashlib.sha256()
    for name in COLUMNS:
        digest.update((tables_folder(tables) / name).read_bytes())
    return digest.hexdigest()


def _notice(tables: Path) -> str | None:
    """The published licence, from the user's own copy: whoever passes the images on must keep it with them."""
    folder = tables_folder(tables)
    places = [place / LICENCE_FILE for place in (folder, tables, folder.parent)]
    found = next((path for path in places if path.is_file()), None)
    return None if found is None else found.read_text(encoding="utf-8", errors="replace")
