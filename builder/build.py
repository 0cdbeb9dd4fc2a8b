"""The build: plan, read and cut, inpaint, insert, release. Each stage goes from tables and arrays to tables and arrays.

What a stage leaves in the work folder carries a key of what it was made from, so a build that was killed goes on
where it was, and ends as if it had not been.
"""

import hashlib
import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from builder.errors import BuilderError
from builder.filled import FilledCubes
from builder.finding import Finding
from builder.inpaint import account_of, inpaint
from builder.inventory import Inventory
from builder.prepare import PreparedScan, prepare_scans
from builder.release import check_replaceable, write_release
from builder.report import report_path, show_findings, write_report
from builder.rows import Row, scan_rows
from builder.work_folder import work_folder
from builder.workers import each
from generation.choice import Choice, choose
from generation.cubes import SCHEMA as CUBES_SCHEMA
from generation.cubes import SIDES, CubeStore
from m3dsynth_dataset.manifest import Manifest

VERSIONED = ("m3dsynth", "numpy", "scipy", "SimpleITK", "zarr", "numcodecs", "pyarrow", "torch")


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
    with work_folder(options.out, options.work) as work:
        scans, findings = read_scans(inventory, rows, work, options.workers)
        _report(findings, inventory, rows, options.out)
        _check_strict(findings, options)
        store = write_cubes(scans, work / "cubes.zarr")
        filled = inpaint(store, inpainters, work / "inpainted", options.device)
        return write_release(
            options.out,
            _edited_rows(scans, rows, filled, options.workers),
            scans,
            _account(plan, scans, inpainters, filled, findings),
        )


def read_scans(
    inventory: Inventory, rows: dict[str, list[Row]], work: Path, workers: int
) -> tuple[list[PreparedScan], list[Finding]]:
    """Read and cut the scans of a plan.

    Args:
        inventory: The series at hand.
        rows: Of the plan, by scan.
        work: Folder for the results, which lie in its folder ``scans``.
        workers: Processes.

    Raises:
        BuilderError: If no scan is left.
    """
    series = inventory.by_scan_id()
    jobs = [(series[scan_id], members) for scan_id, members in rows.items() if scan_id in series]
    results = list(prepare_scans(jobs, work / "scans", workers))
    scans = [result for result in results if isinstance(result, PreparedScan)]
    findings = [
        *inventory.findings,
        *(result for result in results if isinstance(result, Finding)),
        *chain.from_iterable(scan.findings for scan in scans),
    ]
    if not scans:
        shown = "\n".join(map(str, findings[:10]))
        raise BuilderError(f"none of the {len(rows)} planned scans can be read; what was found:\n{shown}")
    return scans, findings


def write_cubes(scans: Sequence[PreparedScan], path: Path) -> CubeStore:
    """Gather the cubes of all scans in one store."""
    site_rows = [row | {"index": index} for index, row in enumerate(chain.from_iterable(s.site_rows for s in scans))]
    training_rows = [
        row | {"index": index} for index, row in enumerate(chain.from_iterable(s.training_rows for s in scans))
    ]
    table = pa.Table.from_pylist(site_rows + training_rows, schema=CUBES_SCHEMA)
    arrays = {kind: _gathered(scans, kind) for kind in SIDES}
    return CubeStore.write(path, arrays["site"], arrays["training"], table, source=_source(scans))


def by_scan(plan: pa.Table) -> dict[str, list[Row]]:
    """The rows of a plan, by scan."""
    rows: dict[str, list[Row]] = {}
    for row in plan.to_pylist():
        rows.setdefault(row["scan_id"], []).append(row)
    return rows


def _gathered(scans: Sequence[PreparedScan], kind: str) -> np.ndarray:
    empty = np.empty((0, *[SIDES[kind]] * 3), dtype=np.int16)
    return np.concatenate([empty, *(scan.cubes(kind) for scan in scans)])


def _edited_rows(
    scans: Sequence[PreparedScan], rows: dict[str, list[Row]], filled: Sequence[FilledCubes], workers: int
) -> Iterator[Row]:
    jobs = [(scan, rows[scan.scan_id], [cubes.of(scan.centres) for cubes in filled]) for scan in scans]
    return chain.from_iterable(each(scan_rows, jobs, workers, description="inserting edits", unit="scan"))


def _report(findings: Sequence[Finding], inventory: Inventory, rows: dict[str, list[Row]], out: Path) -> None:
    unplanned = [series for series in inventory.series if series.scan_id not in rows]
    show_findings(findings)
    if unplanned:
        tqdm.write(
            f"not in the plan: {len(unplanned)} of {len(inventory.series)} series at hand; their patients have no site,"
            " were not drawn, or are unknown to the annotation database; --patients all takes all whom it knows"
        )
    write_report(report_path(out), findings, unplanned)


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
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONED}},
    }


def _source(scans: Sequence[PreparedScan]) -> str:
    sources = {scan.source for scan in scans}
    return sources.pop() if len(sources) == 1 else "user"
