"""Preparation of one scan: its voxels into the release's form, its cubes out of it. DICOM is read only here."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from builder.engine import Engine
from builder.errors import SeriesError
from builder.extract import ScanCubes, cut_scan
from builder.finding import Finding
from builder.plan import source_of
from builder.scan import CT_RANGE_HU, Scan, read_scan
from builder.series import Series
from builder.versions import versions_of
from m3dsynth_dataset.schema import FORMAT_VERSION
from m3dsynth_dataset.staging import staged
from m3dsynth_dataset.volume import Geometry, write_volume

VOLUME, CUBES, RECORD = "volume.zarr", "cubes.npz", "scan.json"
READERS = ("m3dsynth", "numpy", "scipy", "SimpleITK", "zarr", "numcodecs")
"""Another version of one of these may read or cut a scan in another way."""


@dataclass(frozen=True)
class PreparedScan:
    """What a build needs of a scan once its DICOM files are read; lies in a folder of the work folder."""

    folder: Path
    key: str
    """Names what it was made from: another input, another key."""
    scan_id: str
    patient_id: str
    shape_zyx: tuple[int, int, int]
    geometry: Geometry
    site_rows: tuple[dict[str, Any], ...]
    training_rows: tuple[dict[str, Any], ...]
    centres: dict[str, tuple[int, int, int]]
    """Voxel of every site in the scan at hand."""
    findings: tuple[Finding, ...]
    range_hu: tuple[int, int] = CT_RANGE_HU
    """Of its voxels, in HU; padding does not count. What is inserted stays in it, or would be known by it."""
    was_ready: bool = False
    """Whether an earlier run had left it."""

    @property
    def source(self) -> str:
        """LIDC-IDRI, phantom, or the user's own."""
        return source_of(self.patient_id)

    @property
    def volume(self) -> Path:
        """The scan as a release stores it."""
        return self.folder / VOLUME

    def cubes(self, kind: str) -> np.ndarray:
        """The cubes of a kind, ``site`` or ``training``, in HU."""
        with np.load(self.folder / CUBES, allow_pickle=False) as arrays:
            return np.asarray(arrays[kind])

    @classmethod
    def read(cls, folder: Path) -> "PreparedScan":
        """Read what :func:`prepare_scan` left in a folder."""
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        record["geometry"] = Geometry(**{name: tuple(values) for name, values in record["geometry"].items()})
        record["shape_zyx"] = tuple(record["shape_zyx"])
        record["centres"] = {site: tuple(centre) for site, centre in record["centres"].items()}
        record["range_hu"] = tuple(record["range_hu"])
        record["findings"] = tuple(Finding(**finding) for finding in record["findings"])
        for name in ("site_rows", "training_rows"):
            record[name] = tuple(record[name])
        return cls(folder, **record)


def prepare_scans(
    jobs: Sequence[tuple[Series, Sequence[dict[str, Any]]]], work: Path, engine: Engine
) -> Iterator[PreparedScan | Finding]:
    """Prepare scans in parallel, in the order given; a scan that cannot be read gives a finding instead.

    Args:
        jobs: Each series with its rows of the plan.
        work: Folder that holds a folder for every scan; those that are ready are not made again.
        engine: What spreads them.
    """
    arguments = [(series, rows, work / series.scan_id) for series, rows in jobs]
    return engine.each(_prepare_or_report, arguments, description="reading scans", unit="scan", lost=_lost)


def prepare_scan(series: Series, rows: Sequence[dict[str, Any]], folder: Path) -> PreparedScan:
    """Read a scan, store its volume and cut its cubes, unless the folder holds just that already.

    Args:
        series: The scan's files.
        rows: Its rows of the plan.
        folder: Where to leave the result.

    Raises:
        SeriesError: If the scan cannot be read.
    """
    key = _key(series, rows)
    if _holds(folder, key):
        return replace(PreparedScan.read(folder), was_ready=True)
    scan = read_scan(series)
    cubes = cut_scan(scan, rows)
    with staged(folder) as place:
        place.mkdir()
        write_volume(place / VOLUME, scan.voxels, _attributes(scan))
        np.savez(place / CUBES, site=cubes.sites, training=cubes.training)
        (place / RECORD).write_text(json.dumps(_record(key, scan, cubes)), encoding="utf-8")
    return PreparedScan.read(folder)


def _prepare_or_report(series: Series, rows: Sequence[dict[str, Any]], folder: Path) -> PreparedScan | Finding:
    try:
        return prepare_scan(series, rows, folder)
    except SeriesError as error:
        return error.finding


def _holds(folder: Path, key: str) -> bool:
    record = folder / RECORD
    return record.is_file() and json.loads(record.read_text(encoding="utf-8"))["key"] == key


def _lost(series: Series, rows: Sequence[dict[str, Any]], folder: Path) -> PreparedScan | Finding:
    """A process that is killed each time it reads a scan takes nothing else along."""
    return Finding(
        str(series.folder),
        f"the process that read series {series.scan_id} was killed (a crash in a decoder, or lack of memory)",
        "fetch the series again, or build with fewer --workers",
    )


def _record(key: str, scan: Scan, cubes: ScanCubes) -> dict[str, Any]:
    return {
        "key": key,
        "scan_id": scan.scan_id,
        "patient_id": scan.patient_id,
        "shape_zyx": scan.shape,
        "geometry": asdict(scan.geometry),
        "site_rows": cubes.site_rows,
        "training_rows": cubes.training_rows,
        "centres": cubes.centres,
        "range_hu": scan.range_hu,
        "findings": [asdict(finding) for finding in cubes.findings],
    }


def _attributes(scan: Scan) -> dict[str, Any]:
    return {"scan_id": scan.scan_id, "patient_id": scan.patient_id, "unit": "HU", **asdict(scan.geometry)}


def _key(series: Series, rows: Sequence[dict[str, Any]]) -> str:
    """Files by name, size and time, as ``make`` knows them, what is wanted of them and noted, and who reads them."""
    noted = [each.name for each in fields(PreparedScan)]
    files = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in (s.path for s in series.slices)]
    return hashlib.sha256(
        json.dumps([FORMAT_VERSION, noted, versions_of(READERS), files, list(rows)], sort_keys=True).encode()
    ).hexdigest()
