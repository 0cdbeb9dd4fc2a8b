"""A release with a test of its own: patients with edits of every kind, one with two scans, one without any edit."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sealing import Sealed, seal
from builder.prepare import VOLUME, PreparedScan
from builder.release import write_release
from m3dsynth_dataset import Release, open_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.edit import Edit, EncodedEdit
from m3dsynth_dataset.schema import FEATURES, LABELS, MANIPULATIONS, config_name, volume_path
from m3dsynth_dataset.scoring.labels import SealedLabels, read_labels
from m3dsynth_dataset.volume import Geometry, write_volume

SHAPE = (10, 40, 36)
BOX = Box((2, 10, 8), (5, 16, 18))
SPLITS = {"train": ("P-TRAIN-0", "P-TRAIN-1"), "validation": ("P-VALID-0", "P-VALID-1")}
TESTED = tuple(f"P-TEST-{number}" for number in range(10))
TWICE = "P-TEST-0"
"""Has two scans."""
UNEDITED = "P-TEST-9"
OPEN_GENERATORS = ("pix2pix", "identity")
SECRET_GENERATOR = "clandestine"
"""Only the test has seen it."""
SECRET_WEIGHTS = "c1a" * 21 + "d"


@dataclass(frozen=True)
class Sealing:
    """What sealing gave."""

    report: Sealed
    public: Release
    path: Path
    """Of the labels."""
    labels: SealedLabels

    @classmethod
    def of(cls, source: Release, folder: Path) -> "Sealing":
        """Seal a release."""
        report = seal(source, folder / "public", folder / "labels.parquet")
        path = folder / "labels.parquet"
        return cls(report, open_release(folder / "public"), path, read_labels(path))


def scan_ids(patient: str) -> list[str]:
    """Its scans, as DICOM would call them."""
    number = sum(map(ord, patient))
    return [f"1.3.6.1.{number}.{copy}" for copy in range(2 if patient == TWICE else 1)]


def voxels_of(scan_id: str) -> np.ndarray:
    """A scan as it was."""
    rng = np.random.default_rng(list(map(ord, scan_id)))
    return rng.normal(-800, 40, SHAPE).astype(np.int16)


def geometry_of(scan_id: str) -> Geometry:
    """No two scans lie alike."""
    step = float(np.random.default_rng(list(map(ord, scan_id))).random())
    return Geometry((1.25 + step, 0.7, 0.7), (-170.5 - step, -160.25, 81.75), (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0))


def edit_of(scan_id: str, generator: str, manipulation: str) -> Edit:
    """An edit that no other generator or manipulation makes."""
    rng = np.random.default_rng(list(map(ord, generator + manipulation)))
    base = voxels_of(scan_id)[BOX.slices()]
    mask = np.ones(BOX.shape, bool)
    mask[0] = False
    return Edit(BOX, np.where(mask, base + rng.integers(1, 200, BOX.shape), base).astype(np.int16), mask)


def write(folder: Path) -> Path:
    """Write the release."""
    patients = {patient: split for split, members in SPLITS.items() for patient in members}
    patients |= dict.fromkeys(TESTED, "test")
    scans, rows = [], []
    for patient, split in patients.items():
        for scan_id in scan_ids(patient):
            scans.append(_prepared(folder / "work" / scan_id, patient, scan_id))
            rows += _rows(patient, scan_id, split)
    out = folder / "m3dsynth"
    write_release(out, rows, scans, _built(len(scans), len(patients)))
    return out


def _built(scans: int, patients: int) -> dict[str, Any]:
    trained = {"preset": "tiny", "steps": 300, "cubes": 1234, "patients": 8, "trained_on": "phantom"}
    kinds = [config_name(generator, kind) for generator in ("pix2pix", SECRET_GENERATOR) for kind in MANIPULATIONS[1:]]
    control = {config_name("identity", kind): {"control": "no generative model"} for kind in MANIPULATIONS[1:]}
    return {
        "source": "phantom",
        "scans": scans,
        "patients": patients,
        "trained_on": ["phantom"],
        "inpainters": dict.fromkeys(kinds, trained) | control,
        "weights_sha256": {kind: SECRET_WEIGHTS for kind in kinds if kind.startswith(SECRET_GENERATOR)},
    }


def _prepared(folder: Path, patient: str, scan_id: str) -> PreparedScan:
    folder.mkdir(parents=True)
    geometry = geometry_of(scan_id)
    about = {"scan_id": scan_id, "patient_id": patient, "unit": "HU", **asdict(geometry)}
    write_volume(folder / VOLUME, voxels_of(scan_id), about)
    return PreparedScan(folder, "", scan_id, patient, SHAPE, geometry, (), (), {}, ())


def _rows(patient: str, scan_id: str, split: str) -> list[dict[str, Any]]:
    rows = [_row(patient, scan_id, split, "pristine", "none")]
    if patient == UNEDITED:
        return rows
    generators = (*OPEN_GENERATORS, SECRET_GENERATOR) if split == "test" else OPEN_GENERATORS
    return rows + [_row(patient, scan_id, split, name, kind) for name in generators for kind in MANIPULATIONS[1:]]


def _row(patient: str, scan_id: str, split: str, generator: str, manipulation: str) -> dict[str, Any]:
    row = dict.fromkeys(FEATURES) | {name: list(values) for name, values in asdict(geometry_of(scan_id)).items()} | {
        "config": "pristine",
        "split": split,
        "sample_id": f"pristine/{scan_id}",
        "source": "phantom",
        "scan_id": scan_id,
        "patient_id": patient,
        "label": 0,
        "manipulation": MANIPULATIONS.index(manipulation),
        "generator": "none",
        "shape_zyx": list(SHAPE),
        "seed": 7,
        "volume": volume_path(scan_id),
    }  # fmt: skip
    if generator == "pristine":
        return row
    site = f"{manipulation[:3]}_{patient[2:]}_{scan_id[-1]}"
    label = "control" if generator == "identity" else "tampered"
    weights = SECRET_WEIGHTS if generator == SECRET_GENERATOR else None
    encoded = EncodedEdit.encode(edit_of(scan_id, generator, manipulation), voxels_of(scan_id)[BOX.slices()])
    return row | encoded.columns() | {
        "config": config_name(generator, manipulation),
        "sample_id": f"{generator}/{site}",
        "site_id": site,
        "label": LABELS.index(label),
        "generator": generator,
        "centre_zyx": [4, 18, 17],
        "centre_mm": list(geometry_of(scan_id).to_mm((4, 18, 17))),
        "nodule_diameter_mm": 9.25,
        "malignancy": 2.5,
        "readers": 3,
        "weights_sha256": weights,
    }  # fmt: skip
