"""A release of two small scans with an injection, a removal and a control, for tests of its readers."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from builder.prepare import VOLUME, PreparedScan
from builder.release import write_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.edit import Edit, EncodedEdit
from m3dsynth_dataset.schema import FEATURES, LABELS, MANIPULATIONS, config_name, volume_path
from m3dsynth_dataset.volume import Geometry, write_volume

SHAPE = (20, 70, 66)
GEOMETRY = Geometry((2.5, 0.8, 0.7), (-100.0, -90.0, -30.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0))
SCANS = {"scan-1": ("PHANTOM-0001", "train"), "scan-2": ("PHANTOM-0002", "test")}
EDITS = {
    ("pix2pix", "inj_1"): ("scan-1", Box((3, 20, 30), (7, 21, 23))),
    ("pix2pix", "rem_1"): ("scan-2", Box((0, 50, 50), (5, 20, 16))),
    ("identity", "inj_1"): ("scan-1", Box((3, 20, 30), (7, 21, 23))),
    ("identity", "rem_1"): ("scan-2", Box((0, 50, 50), (5, 20, 16))),
}

INPAINTERS = {
    "pix2pix-injection": {"preset": "tiny", "steps": 300, "cubes": 1234, "patients": 8, "trained_on": "phantom"},
    "identity-injection": {"control": "no generative model"},
}


def scan(scan_id: str) -> np.ndarray:
    """The pristine voxels of a scan."""
    rng = np.random.default_rng(int(scan_id[-1]))
    return rng.integers(-1024, 400, SHAPE, dtype=np.int16)


def edit_of(generator: str, site_id: str) -> Edit:
    """An edit that changes all of its box by another amount at each voxel; its mask leaves out a corner."""
    scan_id, box = EDITS[generator, site_id]
    rng = np.random.default_rng(len(generator))
    mask = np.ones(box.shape, dtype=bool)
    mask[:2, :2, :2] = False
    change = np.where(mask, rng.integers(1, 300, box.shape), 0).astype(np.int16)
    return Edit(box, scan(scan_id)[box.slices()] + change, mask)


def tampered(generator: str, site_id: str) -> np.ndarray:
    """The whole scan with the edit."""
    voxels = scan(EDITS[generator, site_id][0])
    edit = edit_of(generator, site_id)
    voxels[edit.box.slices()] = edit.patch
    return voxels


def write(out: Path, work: Path) -> Path:
    """Write the release."""
    scans = [_prepared(work / scan_id, scan_id) for scan_id in SCANS]
    rows = [_row(scan_id, "pristine", f"pristine/{scan_id}", "none", "pristine") for scan_id in SCANS]
    rows += [_edited_row(*key) for key in EDITS]
    write_release(out, rows, scans, built())
    return out


def built() -> dict[str, Any]:
    """What a manifest says of how a release came about."""
    return {
        "source": "phantom",
        "scans": 2,
        "patients": 2,
        "trained_on": ["phantom"],
        "inpainters": INPAINTERS,
    }


def _prepared(folder: Path, scan_id: str) -> PreparedScan:
    folder.mkdir(parents=True)
    write_volume(folder / VOLUME, scan(scan_id), {"scan_id": scan_id})
    return PreparedScan(folder, "", scan_id, SCANS[scan_id][0], SHAPE, GEOMETRY, (), (), {}, ())


def _row(scan_id: str, config: str, sample_id: str, generator: str, label: str) -> dict[str, Any]:
    patient, split = SCANS[scan_id]
    geometry = {name: list(values) for name, values in asdict(GEOMETRY).items()}
    return dict.fromkeys(FEATURES) | geometry | {
        "config": config,
        "split": split,
        "sample_id": sample_id,
        "source": "phantom",
        "scan_id": scan_id,
        "patient_id": patient,
        "label": LABELS.index(label),
        "manipulation": 0,
        "generator": generator,
        "shape_zyx": list(SHAPE),
        "seed": 7,
        "volume": volume_path(scan_id),
    }  # fmt: skip


def _edited_row(generator: str, site_id: str) -> dict[str, Any]:
    scan_id, box = EDITS[generator, site_id]
    manipulation = {"inj": "injection", "rem": "removal"}[site_id[:3]]
    label = "control" if generator == "identity" else "tampered"
    encoded = EncodedEdit.encode(edit_of(generator, site_id), scan(scan_id)[box.slices()])
    row = _row(scan_id, config_name(generator, manipulation), f"{generator}/{site_id}", generator, label)
    return row | encoded.columns() | {
        "site_id": site_id,
        "manipulation": MANIPULATIONS.index(manipulation),
        "centre_zyx": [2, 60, 60],
        "centre_mm": list(GEOMETRY.to_mm((2, 60, 60))),
    }  # fmt: skip
