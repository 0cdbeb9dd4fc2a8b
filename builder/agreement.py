"""Agreement: a plan held against the published sites, within the published patients."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Bool

from builder.official_nodules import IN_PLANE_MM, SLICES
from builder.official_tables import MANIPULATIONS, OfficialSite, OfficialTables
from m3dsynth_dataset.staging import staged
from m3dsynth_dataset.types import Triple

HALVES = ("calibration", "held out")
"""Of the patients, by hash: constants of the site rule may be chosen by the first only."""


@dataclass(frozen=True)
class PlannedSite:
    """A site of a plan, and what is known of its nodule."""

    site_id: str
    patient_id: str
    manipulation: str
    centre_zyx: Triple
    about: str


@dataclass(frozen=True)
class Agreement:
    """How many sites of one manipulation agree: within 4 mm in plane and two slices."""

    manipulation: str
    patients: str
    """Which: all, or one half of them."""
    published: int
    found: int
    """Published sites that have a planned one."""
    planned: int
    confirmed: int
    """Planned sites that have a published one."""
    exact: int
    """Published sites that are planned in the same voxel."""

    @property
    def found_share(self) -> float:
        """Of the published sites; 1 where there are none."""
        return self.found / self.published if self.published else 1.0

    @property
    def confirmed_share(self) -> float:
        """Of the planned sites; 1 where there are none."""
        return self.confirmed / self.planned if self.planned else 1.0

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"found_share": self.found_share, "confirmed_share": self.confirmed_share}


@dataclass(frozen=True)
class Comparison:
    """A plan beside the published tables."""

    agreements: tuple[Agreement, ...]
    compared: int
    """Patients that the plan and the tables both have sites of or scans for."""
    not_planned: tuple[str, ...]
    """Patients with published sites that the plan does not take."""
    missed: tuple[OfficialSite, ...]
    surplus: tuple[PlannedSite, ...]

    def text(self) -> str:
        """The shares, as lines."""
        head = f"{'':28}{'published':>10}{'found again':>20}{'planned':>10}{'published too':>20}{'same voxel':>12}"
        lines = [f"{self.compared} published patients; within {IN_PLANE_MM:g} mm in plane and {SLICES:g} slices"]
        if self.not_planned:
            lines.append(f"{len(self.not_planned)} more are not in the plan; `plan --patients all` takes everybody")
        return "\n".join([*lines, head, *map(_line, self.agreements)])

    def disagreements(self) -> str:
        """Every site that only one of the two has, as lines."""
        lines = [f"published only: {_published(site)}" for site in self.missed]
        lines += [f"planned only: {_planned(site)}" for site in self.surplus]
        return "\n".join(lines)


def write_agreements(path: Path, comparison: Comparison) -> None:
    """Write the shares as JSON."""
    record = {
        "patients": comparison.compared,
        "not_planned": list(comparison.not_planned),
        "agreements": [each.record() for each in comparison.agreements],
    }
    with staged(path) as place:
        place.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def half_of(patient: str) -> str:
    """The half that a patient belongs to."""
    return HALVES[hashlib.sha256(f"half:{patient}".encode()).digest()[0] % 2]


def compare(plan: pa.Table, tables: OfficialTables) -> Comparison:
    """Hold a plan against the published sites.

    Only patients of whom sites are published, in the tables at hand, are looked at: a copy of the tables that lacks
    some patients' sites says nothing about those. Series of one patient are not told apart.

    Args:
        plan: With the columns of plan.parquet.
        tables: The published tables.
    """
    published = {site.series.patient_id for site in tables.sites}
    patients = published & set(plan["patient_id"].to_pylist())
    official = [site for site in tables.sites if site.series.patient_id in patients]
    planned = [site for site in planned_sites(plan) if site.patient_id in patients]
    found, exact, confirmed = _matches(official, planned, tables)
    members = [
        Agreement(
            manipulation,
            name,
            sum(is_in(site.series.patient_id) for site in theirs),
            sum(is_in(site.series.patient_id) and site.site_id in found for site in theirs),
            sum(is_in(site.patient_id) for site in ours),
            sum(is_in(site.patient_id) and site.site_id in confirmed for site in ours),
            sum(is_in(site.series.patient_id) and site.site_id in exact for site in theirs),
        )
        for name, is_in in _groups()
        for manipulation in MANIPULATIONS.values()
        for theirs in [[site for site in official if site.manipulation == manipulation]]
        for ours in [[site for site in planned if site.manipulation == manipulation]]
    ]
    return Comparison(
        tuple(members),
        len(patients),
        tuple(sorted(published - patients)),
        tuple(site for site in official if site.site_id not in found),
        tuple(site for site in planned if site.site_id not in confirmed),
    )


def planned_sites(plan: pa.Table) -> Iterator[PlannedSite]:
    """The sites of a plan."""
    for row in plan.to_pylist():
        if row["site_id"] is not None:
            z, y, x = row["centre_zyx"]
            about = "no nodule" if row["readers"] is None else _nodule(row)
            yield PlannedSite(row["site_id"], row["patient_id"], row["manipulation"], (z, y, x), about)


def _nodule(row: dict[str, Any]) -> str:
    return f"nodule of {row['nodule_diameter_mm']:.2f} mm, {row['readers']} readers, malignancy {row['malignancy']:.1f}"


def _groups() -> list[tuple[str, Callable[[str], bool]]]:
    halves: list[tuple[str, Callable[[str], bool]]] = [
        (f"{half} half", lambda patient, half=half: half_of(patient) == half)  # type: ignore[misc]
        for half in HALVES
    ]
    return [("all", lambda patient: True), *halves]


def _matches(
    official: Sequence[OfficialSite], planned: Sequence[PlannedSite], tables: OfficialTables
) -> tuple[set[str], set[str], set[str]]:
    """Ids of published sites that are found, and found in the same voxel; of planned ones that are confirmed."""
    theirs = _by_kind((site.series.patient_id, site.manipulation, site) for site in official)
    ours = _by_kind((site.patient_id, site.manipulation, site) for site in planned)
    found: set[str] = set()
    exact: set[str] = set()
    confirmed: set[str] = set()
    for kind in theirs.keys() & ours.keys():
        near, same = _near(theirs[kind], ours[kind], tables)
        found |= {theirs[kind][place].site_id for place in np.unique(np.nonzero(near)[0])}
        exact |= {theirs[kind][place].site_id for place in np.unique(np.nonzero(same)[0])}
        confirmed |= {ours[kind][place].site_id for place in np.unique(np.nonzero(near)[1])}
    return found, exact, confirmed


def _by_kind(sites: Iterable[tuple[str, str, Any]]) -> dict[tuple[str, str], list[Any]]:
    kinds: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for patient, manipulation, site in sites:
        kinds[patient, manipulation].append(site)
    return kinds


def _near(
    theirs: Sequence[OfficialSite], ours: Sequence[PlannedSite], tables: OfficialTables
) -> tuple[Bool[np.ndarray, "n m"], Bool[np.ndarray, "n m"]]:
    """Which planned sites lie near each published one, and which in its voxel."""
    spacing = np.array([tables.series[site.series] for site in theirs])
    step = np.array([site.centre_zyx for site in theirs])[:, None] - np.array([site.centre_zyx for site in ours])[None]
    across = np.hypot(step[..., 1] * spacing[:, None, 1], step[..., 2] * spacing[:, None, 2])
    return (across <= IN_PLANE_MM) & (np.abs(step[..., 0]) <= SLICES), (step == 0).all(axis=2)


def _line(each: Agreement) -> str:
    return (
        f"{each.manipulation + ', ' + each.patients:28}{each.published:10,}{_share(each.found, each.found_share):>20}"
        f"{each.planned:10,}{_share(each.confirmed, each.confirmed_share):>20}"
        f"{each.exact / max(each.published, 1):12.1%}"
    )


def _share(count: int, share: float) -> str:
    return f"{count:,} ({share:.1%})"


def _published(site: OfficialSite) -> str:
    return f"{site.site_id}, {site.manipulation} at {site.centre_zyx} of {site.series}"


def _planned(site: PlannedSite) -> str:
    return f"{site.site_id}, {site.manipulation} at {site.centre_zyx} of {site.patient_id}, {site.about}"
