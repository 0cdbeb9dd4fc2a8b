"""The published copies of one scan: each held against the pristine volume, and made an edit or refused.

What a scan gave lies in the work folder with a key of what it was made from, so an import that was stopped goes on
where it was.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.errors import SeriesError
from builder.finding import Finding
from builder.official_edit import find_edit
from builder.official_images import LABEL, SCAN, PublishedImages, RefusedSampleError, SliceFolder
from builder.official_report import SampleReport
from builder.official_tables import OfficialRow
from builder.plan import seed_of, source_of
from builder.prepare import PreparedScan, prepare_scan
from builder.rows import Row, scan_rows
from builder.series import Series
from m3dsynth_dataset.edit import EncodedEdit
from m3dsynth_dataset.schema import LABELS, MANIPULATIONS, arrow_schema, class_index
from m3dsynth_dataset.staging import staged
from m3dsynth_dataset.types import Volume
from m3dsynth_dataset.volume import open_volume

UNKNOWN_SEED = -1
"""Of an edit whose randomness was not published."""
NoduleColumns = dict[str, dict[str, float | int]]
"""The columns of a release that tell of a site's nodule, by site."""
_KEY, _REPORTS = b"key", b"reports"


@dataclass(frozen=True)
class ScanJob:
    """What is to be imported of one series."""

    series: Series
    split: str
    rows: tuple[OfficialRow, ...]
    """The tampered ones that have images."""
    nodules: NoduleColumns


@dataclass(frozen=True)
class ImportedScan:
    """What one series gave."""

    prepared: PreparedScan
    path: Path
    """Its rows."""
    reports: tuple[SampleReport, ...]

    def rows(self) -> list[Row]:
        """All rows of the series."""
        rows: list[Row] = pq.read_table(self.path).to_pylist()
        return rows


def import_scan(job: ScanJob, images: PublishedImages, work: Path) -> ImportedScan | Finding:
    """Import the tampered copies of one series, unless the work folder holds just that already.

    Args:
        job: The series and its rows.
        images: Where the published images lie.
        work: The work folder.

    Returns:
        What it gave; a finding if the series cannot be read.
    """
    try:
        prepared = prepare_scan(job.series, [], work / "scans" / job.series.scan_id)
    except SeriesError as error:
        return error.finding
    path = work / "imported" / f"{job.series.scan_id}.parquet"
    key = _key(prepared, job, images)
    if (ready := _ready(prepared, path, key)) is not None:
        return ready
    voxels = np.asarray(open_volume(prepared.volume)[...])
    pristine = _pristine_row(prepared, job.split)
    rows, reports = [pristine], []
    for row in job.rows:
        columns, report = _sample(row, pristine, prepared, voxels, images)
        rows += [columns | job.nodules.get(row.site.site_id, {})] if columns else []
        reports.append(report)
    _keep(path, rows, key, reports)
    return ImportedScan(prepared, path, tuple(reports))


def _pristine_row(prepared: PreparedScan, split: str) -> Row:
    plan_row = {
        "source": source_of(prepared.patient_id),
        "site_id": None,
        "scan_id": prepared.scan_id,
        "patient_id": prepared.patient_id,
        "split": split,
        "manipulation": "none",
        "seed": seed_of(prepared.scan_id, 0),
    }
    return scan_rows(prepared, [plan_row], [])[0]


def _sample(
    row: OfficialRow, pristine: Row, prepared: PreparedScan, voxels: Volume, images: PublishedImages
) -> tuple[Row | None, SampleReport]:
    """A sample's row of the release and what is to be said of it; no row if it is refused."""
    site = row.site
    try:
        stack, label = (SliceFolder.open(images.place(row, kind)) for kind in (SCAN, LABEL))
        edit, observations = find_edit(stack, label, voxels, site.centre_zyx, prepared.geometry.spacing_mm)
    except RefusedSampleError as error:
        return None, SampleReport(
            row.sample_id, row.config, pristine["split"], reason=error.reason, remedy=error.remedy
        )
    columns = pristine | {
        "config": row.config,
        "sample_id": row.sample_id,
        "site_id": site.site_id,
        "label": class_index(LABELS, "tampered"),
        "manipulation": class_index(MANIPULATIONS, site.manipulation),
        "generator": row.generator,
        "centre_zyx": list(site.centre_zyx),
        "centre_mm": list(prepared.geometry.to_mm(site.centre_zyx)),
        "seed": UNKNOWN_SEED,
        **EncodedEdit.encode(edit, voxels[edit.box.slices()]).columns(),
    }
    return columns, SampleReport(row.sample_id, row.config, pristine["split"], edit.box, observations)


def _key(prepared: PreparedScan, job: ScanJob, images: PublishedImages) -> str:
    """The scan, and the published files by name, size and time, as ``make`` knows them."""
    folders = [images.place(row, kind) for row in job.rows for kind in (SCAN, LABEL)]
    paths = sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir())
    files = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    wanted = [prepared.key, job.split, [asdict(row) for row in job.rows], job.nodules, files]
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


def _keep(path: Path, rows: Sequence[Row], key: str, reports: Sequence[SampleReport]) -> None:
    schema = arrow_schema().append(pa.field("config", pa.string())).append(pa.field("split", pa.string()))
    about = {_KEY: key, _REPORTS: json.dumps([report.as_json() for report in reports])}
    with staged(path) as place:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema.with_metadata(about)), place)


def _ready(prepared: PreparedScan, path: Path, key: str) -> ImportedScan | None:
    if not path.is_file():
        return None
    about = pq.read_schema(path).metadata
    if about[_KEY].decode() != key:
        return None
    return ImportedScan(prepared, path, tuple(SampleReport.from_json(each) for each in json.loads(about[_REPORTS])))
