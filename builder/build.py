"""The build: plan, read and cut, inpaint, insert, release. Each stage goes from tables and arrays to tables and arrays.

What a stage leaves in the work folder carries a key of what it was made from, so a build that was killed goes on
where it was, and ends as if it had not been.
"""

import hashlib
import json
import platform
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from builder.disk import check_room, predict, told_when_full
from builder.engine import Engine, EngineName, engine_named
from builder.errors import BuilderError
from builder.filled import FilledCubes
from builder.finding import Finding
from builder.inpaint import account_of, inpaint
from builder.inventory import Inventory
from builder.leftovers import clear_leftovers
from builder.prepare import PreparedScan, prepare_scans
from builder.release import check_replaceable, write_release
from builder.report import INPAINT, INSERT, READ, WRITE, BuildReport, page_path, report_path, show_findings
from builder.row_spool import RowSpool
from builder.rows import Row, scan_rows
from builder.versions import versions_of
from builder.work_folder import work_folder
from generation.choice import Choice, choose
from generation.cubes import SCHEMA as CUBES_SCHEMA
from generation.cubes import SIDES, CubeStore
from m3dsynth_dataset.manifest import Manifest

VERSIONED = ("m3dsynth", "numpy", "scipy", "SimpleITK", "zarr", "numcodecs", "pyarrow", "matplotlib", "torch")


@dataclass(frozen=True)
class BuildOptions:
    """Where a build reads and writes, and how."""

    weights: Path
    out: Path
    inpainters: tuple[str, ...] | None = None
    work: Path | None = None
    workers: int = 1
    device: str = "cpu"
    strict: bool = False
    go_on: bool = False
    """Even if the disk looks too small."""
    engine: EngineName = "local"


def build_release(inventory: Inventory, plan: pa.Table, options: BuildOptions) -> Manifest:
    """Build a release.

    Args:
        inventory: The series at hand.
        plan: What to edit where; scans that are not at hand are reported and left out.
        options: Where and how.

    Raises:
        BuilderError: If nothing can be built, or, with ``strict``, if anything had to be left out.
    """
    check_replaceable(options.out)
    inpainters = choose(options.weights, options.inpainters)
    rows = by_scan(plan)
    needed = predict(inventory.by_scan_id(), rows, [choice.manipulation for choice in inpainters])
    report = BuildReport(options.out, _versions())
    with (
        work_folder(options.out, options.work) as work,
        report.kept(),
        told_when_full(needed, work, options.out),
    ):
        clear_leftovers(report_path(options.out), page_path(options.out))
        report.disk = check_room(needed, work, options.out, go_on=options.go_on)
        tqdm.write(report.disk)
        files = [series.slices[0].path for series in inventory.series[:1]]
        files += [choice.weights for choice in inpainters if choice.weights is not None]
        with engine_named(options.engine, options.workers, work, files) as engine:
            engine.device(options.device)  # a word that means none is told now, and not after hours of reading
            scans = _read(inventory, rows, options, report, work, engine)
            filled = _fill(scans, inpainters, options.device, report, work, engine)
            account = _account(plan, scans, inpainters, filled, report.findings)
            edited = _edited_rows(scans, rows, filled, engine)
            return _write(options.out, edited, scans, account, report, work)


def _read(
    inventory: Inventory,
    rows: dict[str, list[Row]],
    options: BuildOptions,
    report: BuildReport,
    work: Path,
    engine: Engine,
) -> list[PreparedScan]:
    report.compare(rows, inventory.series)
    with report.stage(READ, "scan", len(rows) - len(report.not_at_hand)) as stage:
        scans, report.findings = read_scans(inventory, rows, work, engine)
        stage.done, stage.was_ready = len(scans), sum(scan.was_ready for scan in scans)
        stage.left_out = stage.total - stage.done
    _tell(report, inventory)
    check_any(scans, rows)
    _check_strict(report.findings, options)
    return scans


def _fill(
    scans: Sequence[PreparedScan],
    inpainters: Sequence[Choice],
    device: str,
    report: BuildReport,
    work: Path,
    engine: Engine,
) -> list[FilledCubes]:
    store = write_cubes(scans, work / "cubes.zarr")
    sites = [row["manipulation"] for scan in scans for row in scan.site_rows]
    cubes = sum(sites.count(choice.manipulation) for choice in inpainters)
    with report.stage(INPAINT, "cube", cubes) as stage:
        return inpaint(store, inpainters, work / "inpainted", device, engine, stage.count)


def _write(
    out: Path,
    edited: Iterator[Row],
    scans: Sequence[PreparedScan],
    account: dict[str, Any],
    report: BuildReport,
    work: Path,
) -> Manifest:
    with RowSpool(work) as spool:
        with report.stage(INSERT, "scan", len(scans)) as stage:
            spool.extend(edited)
            stage.done = stage.total
            report.rows.update(spool.counts)
        with report.stage(WRITE, "row", spool.counts.total()) as stage:
            manifest = write_release(out, spool, scans, account)
            stage.done = stage.total
            report.status, report.digest = "done", manifest.digest
    return manifest


def read_scans(
    inventory: Inventory, rows: dict[str, list[Row]], work: Path, engine: Engine
) -> tuple[list[PreparedScan], list[Finding]]:
    """Read and cut the scans of a plan.

    Args:
        inventory: The series at hand.
        rows: Of the plan, by scan.
        work: Folder for the results, which lie in its folder ``scans``.
        engine: What spreads them.

    Returns:
        The scans, and what was left out.
    """
    series = inventory.by_scan_id()
    jobs = [(series[scan_id], members) for scan_id, members in rows.items() if scan_id in series]
    results = list(prepare_scans(jobs, work / "scans", engine))
    scans = [result for result in results if isinstance(result, PreparedScan)]
    findings = [
        *inventory.findings,
        *(result for result in results if isinstance(result, Finding)),
        *chain.from_iterable(scan.findings for scan in scans),
    ]
    return scans, findings


def check_any(scans: Sequence[PreparedScan], rows: dict[str, list[Row]]) -> None:
    """See that there is a scan to go on with.

    Raises:
        BuilderError: If there is none.
    """
    if not scans:
        raise BuilderError(f"none of the {len(rows)} planned scans is at hand and can be read; see what was left out")


def write_cubes(scans: Sequence[PreparedScan], path: Path) -> CubeStore:
    """Gather the cubes of all scans in one store."""
    site_rows = [row | {"index": index} for index, row in enumerate(chain.from_iterable(s.site_rows for s in scans))]
    training_rows = [
        row | {"index": index} for index, row in enumerate(chain.from_iterable(s.training_rows for s in scans))
    ]
    table = pa.Table.from_pylist(site_rows + training_rows, schema=CUBES_SCHEMA)
    with _gathered(scans, "site", path.parent) as sites, _gathered(scans, "training", path.parent) as training:
        return CubeStore.write(path, sites, training, table, source=_source(scans))


def by_scan(plan: pa.Table) -> dict[str, list[Row]]:
    """The rows of a plan, by scan."""
    rows: dict[str, list[Row]] = {}
    for row in plan.to_pylist():
        rows.setdefault(row["scan_id"], []).append(row)
    return rows


@contextmanager
def _gathered(scans: Sequence[PreparedScan], kind: str, folder: Path) -> Iterator[np.ndarray]:
    """The cubes of all scans, in a file, since together they may not fit into memory."""
    shape = (sum(len(_kind_rows(scan, kind)) for scan in scans), *[SIDES[kind]] * 3)
    if not shape[0]:
        yield np.empty(shape, dtype=np.int16)
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:  # has no name, so nothing is left of it in any case
        for scan in scans:
            file.write(scan.cubes(kind).tobytes())
        file.flush()
        yield np.memmap(file, dtype=np.int16, mode="r", shape=shape)


def _kind_rows(scan: PreparedScan, kind: str) -> Sequence[Row]:
    return scan.site_rows if kind == "site" else scan.training_rows


def _edited_rows(
    scans: Sequence[PreparedScan], rows: dict[str, list[Row]], filled: Sequence[FilledCubes], engine: Engine
) -> Iterator[Row]:
    jobs = [(scan, rows[scan.scan_id], [cubes.of(scan.centres) for cubes in filled]) for scan in scans]
    return chain.from_iterable(engine.each(scan_rows, jobs, description="inserting edits", unit="scan"))


def _tell(report: BuildReport, inventory: Inventory) -> None:
    show_findings(report.findings)
    if report.unplanned:
        tqdm.write(
            f"not in the plan: {len(report.unplanned)} of {len(inventory.series)} series at hand; their patients have"
            " no site, were not drawn, or are unknown to the annotation database; --patients all takes all whom it"
            " knows"
        )


def _check_strict(findings: Sequence[Finding], options: BuildOptions) -> None:
    if options.strict and findings:
        raise BuilderError(f"{len(findings)} things had to be left out (see above), and --strict allows none")


def _account(
    plan: pa.Table,
    scans: Sequence[PreparedScan],
    inpainters: Sequence[Choice],
    filled: Sequence[FilledCubes],
    findings: Sequence[Finding],
) -> dict[str, Any]:
    """How a release came about. Nothing in it depends on the time, the place or the number of workers."""
    accounts = {cubes.config: account_of(choice) for cubes, choice in zip(filled, inpainters, strict=True)}
    learned_from = {str(account["trained_on"]) for account in accounts.values() if account.get("trained_on")}
    return {
        "source": _source(scans),
        "scans": len(scans),
        "patients": len({scan.patient_id for scan in scans}),
        "left_out": len(findings),
        "plan_sha256": hashlib.sha256(json.dumps(plan.to_pylist(), sort_keys=True).encode()).hexdigest(),
        "weights_sha256": {cubes.config: cubes.weights_sha256 for cubes in filled},
        "inpainters": accounts,
        "trained_on": sorted(learned_from),
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **versions_of(VERSIONED)}


def _source(scans: Sequence[PreparedScan]) -> str:
    sources = {scan.source for scan in scans}
    return sources.pop() if len(sources) == 1 else "user"
