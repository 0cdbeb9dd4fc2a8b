"""A rehearsal: a crowd of tiny scans written, then built by the command that builds the real release."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from builder.errors import BuilderError
from builder.plan import write_plan
from builder.rehearsal.crowd import write_crowd
from builder.rehearsal.watch import Watch, watched
from builder.report import report_path
from m3dsynth_dataset.staging import staged

SCANS, PLAN, RELEASE = "scans", "plan.parquet", "m3dsynth"
RESULT, PICTURE = "rehearsal.json", "memory.png"


@dataclass(frozen=True)
class Rehearsal:
    """What came of it."""

    series: int
    sites: int
    rows: int
    workers: int
    digest: str
    seconds: float
    peak_mib: float
    """Of all processes together."""
    peak_process_mib: float
    peak_open_files: int
    stages: Sequence[Mapping[str, Any]]
    """As the build report has them."""
    watch: Watch

    def summary(self) -> str:
        """In a line or two."""
        stages = "; ".join(map(_described, self.stages))
        return (
            f"{self.series} series, {self.sites:,} sites, {self.rows:,} rows in {self.seconds:.0f} s with"
            f" {self.workers} workers: {stages}\nlargest process {self.peak_process_mib:,.0f} MiB, all processes"
            f" {self.peak_mib:,.0f} MiB, at most {self.peak_open_files} open files in one"
        )


def rehearse(out: Path, *, series: int, sites: int, weights: Path, workers: int, options: Sequence[str]) -> Rehearsal:
    """Write the scans, unless they are there, and build, watching memory and open files.

    Args:
        out: Folder for all of it; what a stopped rehearsal left there is gone on with.
        series: How many scans.
        sites: In all of them.
        weights: Of the generators.
        workers: Processes of the build.
        options: More of ``python -m builder build``.

    Raises:
        BuilderError: If the build fails.
    """
    scans, plan = _crowd(out, series, sites, workers)
    command = [
        sys.executable, "-m", "builder", "build", "--lidc", str(scans), "--plan", str(plan), "--out",
        str(out / RELEASE), "--weights", str(weights), "--workers", str(workers), *options,
    ]  # fmt: skip
    with subprocess.Popen(command) as build, watched(build.pid) as watch:
        status = build.wait()
    if status:
        raise BuilderError(f"the build failed with status {status}; the same command goes on from there")
    rehearsal = _told(out, series, sites, workers, watch)
    with staged(out / RESULT) as place:
        place.write_text(json.dumps(asdict(rehearsal), indent=1) + "\n", encoding="utf-8")
    return rehearsal


def _crowd(out: Path, series: int, sites: int, workers: int) -> tuple[Path, Path]:
    """Folder and plan; the plan comes last, so where it is, the scans are whole."""
    place = out / f"{SCANS}-{series}-{sites}"
    if not (place / PLAN).is_file():
        with staged(place) as partial:
            plan = write_crowd(partial / SCANS, series=series, sites=sites, workers=workers)
            write_plan(plan, partial / PLAN)
    return place / SCANS, place / PLAN


def _described(stage: Mapping[str, Any]) -> str:
    rate = stage["done"] / max(stage["seconds"], 0.1)
    return f"{stage['name']} {stage['seconds']:.0f} s ({rate:,.1f} {stage['unit']}s/s)"


def _told(out: Path, series: int, sites: int, workers: int, watch: Watch) -> Rehearsal:
    report = json.loads(report_path(out / RELEASE).read_text(encoding="utf-8"))
    return Rehearsal(
        series=series,
        sites=sites,
        rows=sum(report["rows"].values()),
        workers=workers,
        digest=report["digest"],
        seconds=watch.seconds[-1],
        peak_mib=max(watch.total_mib),
        peak_process_mib=max(watch.largest_mib),
        peak_open_files=max(watch.open_files),
        stages=report["stages"],
        watch=watch,
    )
