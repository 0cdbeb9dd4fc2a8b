"""Extraction: the cubes of one scan, those to edit and those that inpainters learn from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int16

from builder.cube import CORE_MM, CUBE_MM, PADDING_BELOW_HU, box_around, cut_cube
from builder.finding import Finding
from builder.parenchyma import healthy_places
from builder.plan import seed_of
from builder.scan import Scan
from builder.sites import SMALLEST_REMOVED_MM
from generation.cubes import TRAINING_SIDE
from m3dsynth_dataset.schema import Split
from m3dsynth_dataset.types import Triple

SMALL_NODULE_MM = 6.0
"""Volume-equivalent diameter up to which removal learns from a nodule's cube; answers to the published 8 mm."""
PARENCHYMA_PER_SCAN = 12


@dataclass(frozen=True, eq=False)
class ScanCubes:
    """The cubes of one scan in HU, each with its row of the store's table but for the position in the store."""

    sites: Int16[np.ndarray, "n side side side"]
    site_rows: tuple[dict[str, Any], ...]
    training: Int16[np.ndarray, "m wide wide wide"]
    training_rows: tuple[dict[str, Any], ...]
    centres: dict[str, Triple]
    """Voxel of every site in the scan at hand, by its id."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Place:
    """Where to cut a cube, and for what."""

    cube_id: str
    centre: Triple
    manipulation: str
    tissue: str


def cut_scan(scan: Scan, rows: Sequence[dict[str, Any]]) -> ScanCubes:
    """Cut all cubes of a scan.

    Args:
        scan: The scan.
        rows: Its rows of the plan.
    """
    located = [locate(row, scan) for row in rows if row["site_id"] is not None]
    inside = [row for row in located if reaches_into(row["centre_zyx"], scan)]
    findings = [_outside(row, scan) for row in located if row not in inside]
    sites = [Place(row["site_id"], row["centre_zyx"], row["manipulation"], "nodule") for row in inside]
    training = _training_places(scan, located) if rows and rows[0]["split"] == Split.TRAIN else []
    seeds = {row["site_id"]: row["seed"] for row in inside}
    return ScanCubes(
        _cut(scan, sites, CUBE_MM),
        tuple(_table_row(scan, place, "site", seeds[place.cube_id]) for place in sites),
        _cut(scan, training, TRAINING_SIDE),
        tuple(_table_row(scan, place, "training", seed_of(place.cube_id, 0)) for place in training),
        {place.cube_id: place.centre for place in sites},
        tuple(findings),
    )


def locate(row: dict[str, Any], scan: Scan) -> dict[str, Any]:
    """A row of the plan with its voxels counted in the scan at hand.

    The plan counts slices as the annotation database lists them. A series of which only some slices are at hand
    starts elsewhere, and only the position in the patient still tells where a site is.
    """
    z, y, x = row["centre_zyx"]
    here = z
    if row["slice_mm"] is not None:
        here = round((scan.geometry.origin_mm[2] - row["slice_mm"]) / scan.geometry.spacing_mm[0])
    located = row | {"centre_zyx": (here, y, x)}
    if row["nodule_zyx"] is not None:
        nodule_z, nodule_y, nodule_x = row["nodule_zyx"]
        located["nodule_zyx"] = (nodule_z + here - z, nodule_y, nodule_x)
    return located


def reaches_into(centre: Triple, scan: Scan) -> bool:
    """Whether the core of a site has a voxel that was scanned; its cube may stick out as far as it likes."""
    box = box_around(centre, CORE_MM, scan.geometry.spacing_mm, scan.shape)
    return bool((scan.voxels[box.slices()] >= PADDING_BELOW_HU).any())


def _outside(row: dict[str, Any], scan: Scan) -> Finding:
    return Finding(
        f"site {row['site_id']} of {row['patient_id']}",
        f"its centre {tuple(row['centre_zyx'])} and all of its {CORE_MM} mm core lie outside the scan of {scan.shape} "
        "voxels or outside its field of view",
        "correct the site, or fetch the whole series",
    )


def _training_places(scan: Scan, rows: Sequence[dict[str, Any]]) -> list[Place]:
    """Nodules of either size class, each once, and healthy parenchyma."""
    diameters = {row["nodule_zyx"]: row["nodule_diameter_mm"] for row in rows if row["nodule_zyx"] is not None}
    places = [
        Place("", centre, "injection" if diameter >= SMALLEST_REMOVED_MM else "removal", "nodule")
        for centre, diameter in diameters.items()
        if diameter >= SMALLEST_REMOVED_MM or diameter <= SMALL_NODULE_MM
    ]
    rng = np.random.default_rng(seed_of(scan.scan_id, 0))
    healthy = healthy_places(scan, list(diameters), PARENCHYMA_PER_SCAN, rng)
    places += [Place("", centre, "removal", "parenchyma") for centre in healthy]
    inside = [place for place in places if reaches_into(place.centre, scan)]
    return [replace(place, cube_id=f"{scan.scan_id}/{number}") for number, place in enumerate(inside)]


def _cut(scan: Scan, places: Sequence[Place], side: int) -> Int16[np.ndarray, "count side side side"]:
    cubes = np.empty((len(places), side, side, side), dtype=np.int16)
    for cube, place in zip(cubes, places, strict=True):
        values = cut_cube(scan.voxels, place.centre, scan.geometry.spacing_mm, side)
        cube[...] = np.clip(np.rint(values), -32_768, 32_767)
    return cubes


def _table_row(scan: Scan, place: Place, kind: str, seed: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "cube_id": place.cube_id,
        "scan_id": scan.scan_id,
        "patient_id": scan.patient_id,
        "manipulation": place.manipulation,
        "tissue": place.tissue,
        "seed": seed,
    }
