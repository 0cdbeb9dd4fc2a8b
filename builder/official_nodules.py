"""Which nodule of the annotation database a published site came from."""

from collections.abc import Sequence

import numpy as np

from builder.annotations import AnnotatedScan
from builder.nodules import Nodule, find_nodules
from builder.official_tables import OfficialSite
from builder.sites import BESIDE_VOXELS, SLICES_DOWN

IN_PLANE_MM = 4.0
SLICES = 2.0
"""How far a published site may lie from where the site rule puts it. Nearly all lie that near."""


def nodule_columns(scan: AnnotatedScan, sites: Sequence[OfficialSite]) -> dict[str, dict[str, float | int]]:
    """The columns of a release that tell of a site's nodule, by site; a site whose nodule is not found is left out.

    Args:
        scan: The annotations of the sites' scan.
        sites: Those of one scan.
    """
    nodules = find_nodules(scan)
    found = {site.site_id: nodule_of(site, scan, nodules) for site in sites}
    return {
        site_id: {
            "nodule_diameter_mm": nodule.diameter_mm,
            "malignancy": nodule.malignancy,
            "readers": nodule.readers,
        }
        for site_id, nodule in found.items()
        if nodule is not None
    }


def nodule_of(site: OfficialSite, scan: AnnotatedScan, nodules: Sequence[Nodule]) -> Nodule | None:
    """The nodule whose place under the site rule is the nearest, if it is near enough."""
    reachable = [(_distance(site, scan, nodule), nodule) for nodule in nodules]
    distance, nodule = min(reachable, key=lambda each: each[0], default=(np.inf, None))
    return nodule if distance <= 1 else None


def _distance(site: OfficialSite, scan: AnnotatedScan, nodule: Nodule) -> float:
    """How far a site lies from the nearest place that the rule gives a nodule, in tolerances."""
    z_mm, y, x = nodule.centre
    z = float(np.interp(-z_mm, -scan.slices_mm, np.arange(len(scan.slices_mm)))) + SLICES_DOWN
    beside = (BESIDE_VOXELS, -BESIDE_VOXELS) if site.manipulation == "injection" else (0,)
    across = min(np.hypot(site.centre_zyx[1] - y - step, site.centre_zyx[2] - x - step) for step in beside)
    return max(float(across) * scan.pixel_spacing_mm / IN_PLANE_MM, abs(site.centre_zyx[0] - z) / SLICES)
