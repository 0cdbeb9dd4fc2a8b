"""The published patients, sites and split, exactly, as a plan: from the user's own copy of the published tables.

The tables name a series by patient and SeriesNumber, which no annotation database holds. A patient's series is told
by its pixel spacing, and where two agree in that, by whose nodules lie where the sites are; so no DICOM file is needed.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from builder.annotations import AnnotatedScan
from builder.errors import BuilderError
from builder.finding import Finding
from builder.nodules import find_nodules
from builder.official_nodules import nodule_of
from builder.official_tables import CENTRES, DATA, OfficialSite, OfficialTables, SeriesKey
from builder.patients import Draw
from builder.plan import plan_of
from builder.sites import Site, voxel_of

SPACING_TOLERANCE_MM = 1e-3


@dataclass(frozen=True)
class OfficialPlan:
    """A plan of what was published, and what of it cannot be planned."""

    plan: pa.Table
    findings: tuple[Finding, ...]


def official_plan(
    tables: OfficialTables, scans: Sequence[AnnotatedScan], *, at_hand: Collection[str] | None = None, seed: int = 0
) -> OfficialPlan:
    """Plan what was published.

    Args:
        tables: The published tables.
        scans: The annotation database.
        at_hand: Series that exist; every series of the database when omitted.
        seed: Of all randomness at the sites.

    Raises:
        BuilderError: If no published series is known to the database, or at hand.
    """
    series, findings = match_scans(tables, scans)
    sites = _by_series(tables.sites)
    here = {key: scan for key, scan in series.items() if at_hand is None or scan.scan_id in at_hand}
    if not here:
        raise BuilderError(
            f"none of the {len(tables.series)} published series is in the annotation database"
            + (" and at hand" if at_hand is not None else "")
            + "; the published tables are of LIDC-IDRI"
        )
    chosen = [site for key, scan in here.items() for site in _sites(scan, sites.get(key, ()))]
    taken = {scan.scan_id: key.patient_id for key, scan in here.items()}
    findings += _without_sites(tables, sites)
    # Where the published slabs are centred is nothing to a plan.
    findings = [*(each for each in tables.findings if not each.path.startswith(CENTRES)), *findings]
    return OfficialPlan(plan_of(taken, chosen, Draw(dict(tables.splits), seed), seed), tuple(findings))


def match_scans(
    tables: OfficialTables, scans: Sequence[AnnotatedScan]
) -> tuple[dict[SeriesKey, AnnotatedScan], list[Finding]]:
    """Find the published series in an annotation database.

    Args:
        tables: The published tables.
        scans: The annotation database.

    Returns:
        The scans, in the order of the table, and which series have none, or more than one.
    """
    of_patient: dict[str, list[AnnotatedScan]] = defaultdict(list)
    for scan in scans:
        of_patient[scan.patient_id].append(scan)
    sites = _by_series(tables.sites)
    found: dict[SeriesKey, AnnotatedScan] = {}
    findings: list[Finding] = []
    for key, (_, spacing, _) in tables.series.items():
        same = [
            scan for scan in of_patient[key.patient_id] if abs(scan.pixel_spacing_mm - spacing) < SPACING_TOLERANCE_MM
        ]
        fitting = _best(same, sites.get(key, ()))
        if len(fitting) == 1:
            found[key] = fitting[0]
        else:
            findings.append(_unmatched(key, spacing, len(fitting)))
    return found, findings


def _best(scans: Sequence[AnnotatedScan], sites: Sequence[OfficialSite]) -> list[AnnotatedScan]:
    """The scans whose nodules explain the most sites."""
    if len(scans) < 2:
        return list(scans)
    explained = [sum(nodule_of(site, scan, find_nodules(scan)) is not None for site in sites) for scan in scans]
    return [scan for scan, count in zip(scans, explained, strict=True) if count == max(explained)]


def _unmatched(key: SeriesKey, spacing_mm: float, count: int) -> Finding:
    if count:
        reason = f"{count} scans of the annotation database have its pixel spacing, and its sites tell none of them"
        return Finding(str(key), reason, "its sites are left out; list them with --sites")
    reason = f"the annotation database has no scan of this patient with a pixel spacing of {spacing_mm:g} mm"
    return Finding(str(key), reason, "name the database of LIDC-IDRI with --annotations")


def _without_sites(tables: OfficialTables, sites: Mapping[SeriesKey, Sequence[OfficialSite]]) -> list[Finding]:
    """Patients of whom the tables at hand publish no site: such copies exist, and their plan is not the whole one."""
    lacking = tables.splits.keys() - {key.patient_id for key in sites}
    if not lacking:
        return []
    splits = sorted({str(tables.splits[patient]) for patient in lacking})
    return [
        Finding(
            DATA,
            f"no site of {len(lacking)} of the {len(tables.splits)} published patients ({', '.join(splits)})",
            "they are planned as pristine scans; a full copy of the table has their sites",
        )
    ]


def _by_series(sites: Sequence[OfficialSite]) -> dict[SeriesKey, list[OfficialSite]]:
    found: dict[SeriesKey, list[OfficialSite]] = defaultdict(list)
    for site in sites:
        found[site.series].append(site)
    return found


def _sites(scan: AnnotatedScan, sites: Sequence[OfficialSite]) -> list[Site]:
    nodules = find_nodules(scan)
    found = []
    for site in sites:
        nodule = nodule_of(site, scan, nodules)
        found.append(
            Site(
                site_id=site.site_id,
                scan_id=scan.scan_id,
                patient_id=scan.patient_id,
                manipulation=site.manipulation,
                centre_zyx=site.centre_zyx,
                slice_mm=scan.position_of(site.centre_zyx[0]),
                nodule=nodule,
                nodule_zyx=None if nodule is None else voxel_of(scan, nodule),
            )
        )
    return found
