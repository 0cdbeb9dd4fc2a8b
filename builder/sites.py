"""The site rule: where the published data set injects and removes nodules, recovered from its sites.

Removal takes nodules that fit into the 16 mm core of a cube, each twice, on neighbouring slices. Injection puts
a nodule beside every smaller one; a second pass adds a site on the other side, until the published number is
reached. Readers' ratings play no part.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from builder.annotations import AnnotatedScan
from builder.nodules import Nodule

SMALLEST_REMOVED_MM = 8.5
"""Volume-equivalent diameter; answers to the published 10 mm, for outlines run through pixel centres."""
LARGEST_REMOVED_MM = 18.5
"""Larger nodules outgrow the core."""
BESIDE_VOXELS = 5
"""How far from the nodule's centre an injection lies, in y and in x."""
SLICES_DOWN = 1
"""A site lies one slice further down than the slice of the nodule's centre."""
INJECTION_SITES = 2_235
"""Published; the second pass stops there."""


@dataclass(frozen=True)
class Site:
    """A place in a scan and what to do there."""

    site_id: str
    """Such as inj_12 or rem_1; the same whatever scans and patients are taken."""
    scan_id: str
    patient_id: str
    manipulation: str
    centre_zyx: tuple[int, int, int]
    """Voxels of the descending stack; may lie on an edge, or a slice beyond it."""
    slice_mm: float | None
    """Position of its slice along z in the patient, which stays true when the scan at hand lacks slices."""
    nodule: Nodule | None
    """The nodule it came from."""
    nodule_zyx: tuple[int, int, int] | None
    """That nodule's centre in voxels."""


FoundNodule = tuple[AnnotatedScan, Nodule]


def with_site(nodules: Iterable[FoundNodule]) -> list[FoundNodule]:
    """The nodules that the rule has a use for."""
    return [(scan, nodule) for scan, nodule in nodules if nodule.diameter_mm < LARGEST_REMOVED_MM]


def find_sites(nodules: Iterable[FoundNodule], is_drawn: Callable[[str], bool]) -> tuple[Site, ...]:
    """All sites of a database.

    Args:
        nodules: In the order of their patients.
        is_drawn: Whether a patient is of those whose injection sites count up to the published number.
    """
    usable = with_site(nodules)
    small = [each for each in usable if each[1].diameter_mm < SMALLEST_REMOVED_MM]
    large = [each for each in usable if each[1].diameter_mm >= SMALLEST_REMOVED_MM]
    again = _until_enough(small, is_drawn)
    injections = [_site("injection", *each, BESIDE_VOXELS, 0) for each in small]
    injections += [_site("injection", *each, -BESIDE_VOXELS, 1) for each in again]
    removals = [_site("removal", *each, 0, 0) for each in large] + [_site("removal", *each, 0, 1) for each in large]
    return _numbered("inj", injections) + _numbered("rem", removals)


def _until_enough(small: list[FoundNodule], is_drawn: Callable[[str], bool]) -> list[FoundNodule]:
    """The nodules that get a second injection: in patient order, until the published number of sites is reached."""
    missing = INJECTION_SITES - sum(is_drawn(scan.patient_id) for scan, _ in small)
    drawn = np.cumsum([is_drawn(scan.patient_id) for scan, _ in small])
    return [each for each, used in zip(small, drawn, strict=True) if used <= missing]


def _site(manipulation: str, scan: AnnotatedScan, nodule: Nodule, beside: int, down: int) -> Site:
    z_mm, y, x = nodule.centre
    middle = round(float(np.interp(-z_mm, -scan.slices_mm, np.arange(len(scan.slices_mm)))))
    z = middle + SLICES_DOWN + down
    return Site(
        site_id="",
        scan_id=scan.scan_id,
        patient_id=scan.patient_id,
        manipulation=manipulation,
        centre_zyx=(z, round(y) + beside, round(x) + beside),
        slice_mm=scan.position_of(z),
        nodule=nodule,
        nodule_zyx=(middle, round(y), round(x)),
    )


def _numbered(prefix: str, sites: list[Site]) -> tuple[Site, ...]:
    return tuple(replace(site, site_id=f"{prefix}_{number}") for number, site in enumerate(sites, 1))
