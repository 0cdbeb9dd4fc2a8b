"""The plan: one row per pristine scan and one per site, as the release will have them."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from builder.annotations import AnnotatedScan
from builder.errors import BuilderError
from builder.patients import Draw, draw_patients
from builder.sites import Site, find_all_nodules, find_sites, with_site
from m3dsynth_dataset.staging import staged

SCHEMA = pa.schema(
    {
        "source": pa.string(),
        "site_id": pa.string(),  # null for a pristine scan
        "scan_id": pa.string(),
        "patient_id": pa.string(),
        "split": pa.string(),
        "manipulation": pa.string(),  # none, injection or removal
        "centre_zyx": pa.list_(pa.int32(), 3),
        "slice_mm": pa.float64(),  # of the centre along the patient's z; null where only the voxel is known
        "nodule_zyx": pa.list_(pa.int32(), 3),
        "nodule_diameter_mm": pa.float32(),
        "malignancy": pa.float32(),
        "readers": pa.int32(),
        "seed": pa.int64(),
    }
)
"""The columns of plan.parquet."""

Patients = Literal["738", "all"]
SOURCES = {"LIDC-IDRI-": "LIDC-IDRI", "PHANTOM-": "phantom"}
"""What a scan is, by the beginning of its patient's name."""


def make_plan(
    scans: Sequence[AnnotatedScan],
    *,
    patients: Patients = "738",
    at_hand: Collection[str] | None = None,
    sites: Sequence[Site] = (),
    seed: int = 0,
) -> pa.Table:
    """Decide what is edited where, and who sees it.

    Args:
        scans: The annotation database.
        patients: The 738 that are drawn, or all; those without a site have their pristine row only.
        at_hand: Series that exist; every series of the database when omitted.
        sites: Where a user wants edits instead of where the site rule puts them.
        seed: Of the draw and of all randomness at the sites.

    Returns:
        A table with the columns :data:`SCHEMA`, in the order of patients and scans.
    """
    nodules = find_all_nodules(scans)
    draw = draw_patients((scan.patient_id for scan, _ in with_site(nodules)), seed)
    chosen = sites or find_sites(nodules)
    series = {scan.scan_id: scan.patient_id for scan in scans} | {site.scan_id: site.patient_id for site in sites}
    taken = {
        scan_id: patient
        for scan_id, patient in series.items()
        if (at_hand is None or scan_id in at_hand) and _is_taken(patient, patients, draw, chosen if sites else ())
    }
    return plan_of(taken, chosen, draw, seed)


def plan_of(taken: Mapping[str, str], sites: Iterable[Site], draw: Draw, seed: int) -> pa.Table:
    """The rows of scans and of the sites in them.

    Args:
        taken: Patients, by series.
        sites: Those in other series are left out.
        draw: Who sees whom.
        seed: Of all randomness at the sites.
    """
    rows = [_pristine_row(scan_id, patient, str(draw.split_of(patient)), seed) for scan_id, patient in taken.items()]
    return with_sites(
        pa.Table.from_pylist(rows, schema=SCHEMA), [site for site in sites if site.scan_id in taken], seed
    )


def with_sites(plan: pa.Table, sites: Iterable[Site], seed: int) -> pa.Table:
    """A plan with more sites in its scans, in the order of patients and scans; the split stays."""
    splits = dict(zip(plan["scan_id"].to_pylist(), plan["split"].to_pylist(), strict=True))
    rows = plan.to_pylist() + [_site_row(site, splits[site.scan_id], seed) for site in sites]
    rows.sort(key=lambda row: (row["patient_id"], row["scan_id"], row["site_id"] is not None))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def write_plan(plan: pa.Table, path: Path) -> None:
    """Write plan.parquet."""
    with staged(path) as place:
        pq.write_table(plan, place)


def read_plan(path: Path) -> pa.Table:
    """Read plan.parquet.

    Raises:
        BuilderError: If it is not there or not a plan.
    """
    if not path.is_file():
        raise BuilderError(f"{path}: no plan there; make one with `python -m builder plan --out {path}`")
    try:
        return pq.read_table(path, schema=SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError) as error:
        raise BuilderError(f"{path}: not a plan ({error}); make one with `python -m builder plan`") from error


def seed_of(name: str, seed: int) -> int:
    """A seed of 63 bits that belongs to a name, such as a site's."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8]) >> 1


def source_of(patient: str) -> str:
    """Whether a patient is of LIDC-IDRI, a phantom, or the user's own."""
    return next((source for prefix, source in SOURCES.items() if patient.startswith(prefix)), "user")


def _is_taken(patient: str, patients: Patients, draw: Draw, wanted: Iterable[Site]) -> bool:
    return patients == "all" or patient in draw.drawn or any(site.patient_id == patient for site in wanted)


def _pristine_row(scan_id: str, patient: str, split: str, seed: int) -> dict[str, Any]:
    return {
        "source": source_of(patient),
        "scan_id": scan_id,
        "patient_id": patient,
        "split": split,
        "manipulation": "none",
        "seed": seed_of(scan_id, seed),
        "site_id": None,
    }


def _site_row(site: Site, split: str, seed: int) -> dict[str, Any]:
    row = _pristine_row(site.scan_id, site.patient_id, split, seed) | {
        "site_id": site.site_id,
        "manipulation": site.manipulation,
        "centre_zyx": site.centre_zyx,
        "slice_mm": site.slice_mm,
        "nodule_zyx": site.nodule_zyx,
        "seed": seed_of(f"{site.scan_id}/{site.site_id}", seed),
    }
    if site.nodule is not None:
        row |= {
            "nodule_diameter_mm": site.nodule.diameter_mm,
            "malignancy": site.nodule.malignancy,
            "readers": site.nodule.readers,
        }
    return row
