"""The site rule: where the published data set injects and removes nodules, recovered from its sites.

Removal takes nodules that fit into the 16 mm core of a cube, each twice, on neighbouring slices. Injection puts
a nodule beside every smaller one; a second pass adds a site on the other side, for the first half thousand. Readers'
ratings and their number play no part. How the rule was found, and what else was tried, is in ``calibration.py``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from builder.annotations import AnnotatedScan
from builder.nodules import Nodule, find_nodules
from m3dsynth_dataset.types import Triple

SMALLEST_REMOVED_MM = 8.0
"""Diameter of the sphere of a nodule's volume; a smaller one gets a neighbour."""
LARGEST_REMOVED_MM = 18.0
"""From here on nodules outgrow the core, and are left alone."""
BESIDE_VOXELS = 5
"""How far from the nodule's centre an injection lies, in y and in x."""
SLICES_DOWN = 1
"""A site lies one slice further down than the slice of the nodule's centre: the published list counts from 1."""
SECOND_PASS = 534
"""How many small nodules, in the order of patients, get a second injection: those of LIDC up to patient 0321."""


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


def find_all_nodules(scans: Iterable[AnnotatedScan]) -> list[FoundNodule]:
    """The nodules of all scans, in their order."""
    return [(scan, nodule) for scan in scans for nodule in find_nodules(scan)]


def with_site(nodules: Iterable[FoundNodule], largest_mm: float = LARGEST_REMOVED_MM) -> list[FoundNodule]:
    """The nodules that the rule has a use for."""
    return [(scan, nodule) for scan, nodule in nodules if nodule.diameter_mm < largest_mm]


def find_sites(
    nodules: Iterable[FoundNodule], *, smallest_mm: float = SMALLEST_REMOVED_MM, largest_mm: float = LARGEST_REMOVED_MM
) -> tuple[Site, ...]:
    """All sites of a database.

    Args:
        nodules: In the order of their patients.
        smallest_mm: The least diameter that is removed.
        largest_mm: The diameter from which on nothing is done.
    """
    usable = with_site(nodules, largest_mm)
    small = [each for each in usable if each[1].diameter_mm < smallest_mm]
    large = [each for each in usable if each[1].diameter_mm >= smallest_mm]
    injections = [_site("injection", *each, BESIDE_VOXELS, 0) for each in small]
    injections += [_site("injection", *each, -BESIDE_VOXELS, 1) for each in small[:SECOND_PASS]]
    removals = [_site("removal", *each, 0, 0) for each in large]
    # The second slice is the one below, and for the second half of the nodules the one above.
    removals += [_site("removal", *each, 0, 1 if 2 * index < len(large) else -1) for index, each in enumerate(large)]
    return _numbered("inj", injections) + _numbered("rem", removals)


def _site(manipulation: str, scan: AnnotatedScan, nodule: Nodule, beside: int, down: int) -> Site:
    middle, y, x = voxel_of(scan, nodule)
    z = middle + SLICES_DOWN + down
    return Site(
        site_id="",
        scan_id=scan.scan_id,
        patient_id=scan.patient_id,
        manipulation=manipulation,
        centre_zyx=(z, y + beside, x + beside),
        slice_mm=scan.position_of(z),
        nodule=nodule,
        nodule_zyx=(middle, y, x),
    )


def voxel_of(scan: AnnotatedScan, nodule: Nodule) -> Triple:
    """A nodule's centre in voxels."""
    z_mm, y, x = nodule.centre
    return round(float(np.interp(-z_mm, -scan.slices_mm, np.arange(len(scan.slices_mm))))), round(y), round(x)


def _numbered(prefix: str, sites: list[Site]) -> tuple[Site, ...]:
    return tuple(replace(site, site_id=f"{prefix}_{number}") for number, site in enumerate(sites, 1))
