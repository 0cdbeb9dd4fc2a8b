"""Dense sites: more injections per scan, in healthy lung, for training sets.

They need the voxels, which the annotation database does not have. A scan's places depend on the scan, its nodules and
planned sites, and the seed; not on other scans. Asking for more of them adds to those that were there.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from builder.annotations import AnnotatedScan
from builder.cube import CORE_MM
from builder.errors import SeriesError
from builder.finding import Finding
from builder.inventory import Inventory
from builder.nodules import find_nodules
from builder.parenchyma import GRID_MM, healthy_places
from builder.plan import seed_of, with_sites
from builder.scan import Scan, read_scan
from builder.series import Series
from builder.sites import Site
from builder.workers import each
from m3dsynth_dataset.types import Triple

ALL_PLACES = 10**9
"""More than any lung has."""


@dataclass(frozen=True)
class Crowd:
    """How many sites to add to one scan, and what to keep away from there."""

    series: Series
    occupied: tuple[tuple[float, float, float], ...]
    """Nodules and other sites: z in mm (patient space), y and x in voxels."""
    count: int
    seed: int


def add_dense_sites(
    plan: pa.Table, scans: Sequence[AnnotatedScan], inventory: Inventory, *, count: int, seed: int, workers: int = 1
) -> tuple[pa.Table, tuple[Finding, ...]]:
    """Add injection sites to every scan of a plan that is at hand; nobody changes sides.

    Args:
        plan: The plan.
        scans: The annotation database, for the nodules to keep away from.
        inventory: The series at hand, whose voxels are read.
        count: Sites to add to a scan.
        seed: Another seed, other places.
        workers: Processes; the result does not depend on it.

    Returns:
        The plan with the sites, and a finding for each scan that cannot be read or has less room.
    """
    occupied = _occupied(plan, scans)
    series = inventory.by_scan_id()
    taken = [scan_id for scan_id in dict.fromkeys(plan["scan_id"].to_pylist()) if scan_id in series]
    jobs = [(Crowd(series[scan_id], tuple(occupied[scan_id]), count, seed),) for scan_id in taken]
    placed = list(each(dense_sites, jobs, workers, description="placing dense sites", unit="scan"))
    findings = [found for found in placed if isinstance(found, Finding)]
    sites = [found for found in placed if not isinstance(found, Finding)]
    findings += [_crowded(job.series, len(found), count) for (job,), found in zip(jobs, placed, strict=True)
                 if not isinstance(found, Finding) and len(found) < count]  # fmt: skip
    return with_sites(plan, [site for found in sites for site in found], seed), tuple(findings)


def dense_sites(crowd: Crowd) -> tuple[Site, ...] | Finding:
    """The sites to add to one scan, or why it cannot be read."""
    try:
        scan = read_scan(crowd.series)
    except SeriesError as error:
        return error.finding
    rng = np.random.default_rng(seed_of(f"{scan.scan_id}/dense", crowd.seed))
    occupied = [(_slice_at(scan, z_mm), round(y), round(x)) for z_mm, y, x in crowd.occupied]
    candidates = _scattered(healthy_places(scan, occupied, ALL_PLACES, rng), scan, rng)
    return tuple(_site(scan, place, number) for number, place in enumerate(_apart(candidates, scan, crowd.count), 1))


def _occupied(plan: pa.Table, scans: Sequence[AnnotatedScan]) -> dict[str, list[tuple[float, float, float]]]:
    known = {scan.scan_id: scan for scan in scans}
    places: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for scan_id in dict.fromkeys(plan["scan_id"].to_pylist()):
        if scan_id in known:
            places[scan_id] += [nodule.centre for nodule in find_nodules(known[scan_id])]
    for row in plan.to_pylist():
        if row["slice_mm"] is not None:
            places[row["scan_id"]].append((row["slice_mm"], *row["centre_zyx"][1:]))
    return places


def _slice_at(scan: Scan, z_mm: float) -> int:
    return round((scan.geometry.origin_mm[2] - z_mm) / scan.geometry.spacing_mm[0])


def _scattered(places: Iterable[Triple], scan: Scan, rng: np.random.Generator) -> Iterator[Triple]:
    """Off the grid on which the lungs were looked for, by less than its step: no coordinate gives a site away."""
    steps = [max(1, round(GRID_MM / spacing)) for spacing in scan.geometry.spacing_mm]
    for place in places:
        z, y, x = np.minimum(np.add(place, rng.integers(0, steps)), np.subtract(scan.shape, 1)).tolist()
        yield z, y, x


def _apart(candidates: Iterable[Triple], scan: Scan, count: int) -> list[Triple]:
    """The first places of which no two share a voxel of their cores."""
    chosen: list[Triple] = []
    for place in candidates:
        if len(chosen) == count:
            break
        steps = np.abs(np.array(chosen).reshape(-1, 3) - place) * scan.geometry.spacing_mm
        if (steps.max(axis=1) >= CORE_MM).all():
            chosen.append(place)
    return chosen


def _site(scan: Scan, place: Triple, number: int) -> Site:
    name = hashlib.sha256(scan.scan_id.encode()).hexdigest()[:10]
    return Site(
        site_id=f"inj_dense_{name}_{number}",
        scan_id=scan.scan_id,
        patient_id=scan.patient_id,
        manipulation="injection",
        centre_zyx=place,
        slice_mm=scan.geometry.origin_mm[2] - place[0] * scan.geometry.spacing_mm[0],
        nodule=None,
        nodule_zyx=None,
    )


def _crowded(series: Series, found: int, count: int) -> Finding:
    reason = f"room for {found} of {count} dense sites in the lungs of {series.patient_id}, away from nodules"
    return Finding(str(series.folder), reason, "ask for fewer with --density")
