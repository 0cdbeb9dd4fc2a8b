"""A release whose scans are noise around -850 HU, for tests of how edits look beside tissue.

Removals of ``like`` are noise of the same kind, those of ``loud`` of twice the level, ``step`` lifts its box by 150 HU,
and the control changes nothing.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from builder.prepare import VOLUME, PreparedScan
from builder.release import write_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.edit import Edit, EncodedEdit
from m3dsynth_dataset.schema import FEATURES, LABELS, MANIPULATIONS, config_name, volume_path
from m3dsynth_dataset.volume import Geometry, write_volume

SHAPE = (11, 100, 100)
GEOMETRY = Geometry((2.5, 0.75, 0.75), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0))
BOX = Box((2, 38, 38), (7, 22, 22))
LEVEL_HU = 25.0
PATIENTS = 8
SPLITS = ("test",) * 6 + ("train", "validation")
GENERATORS = ("like", "loud", "step", "identity")
REMOVERS = ("like", "step")


def noise(seed: int, shape: tuple[int, int, int], level: float = LEVEL_HU) -> np.ndarray:
    """Smoothed noise of a standard deviation in HU."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), (0.4, 0.8, 0.8), mode="wrap")
    return smooth / smooth.std() * level


def scan(patient: int) -> np.ndarray:
    return np.rint(noise(patient, SHAPE) - 850).astype(np.int16)


def edited(generator: str, manipulation: str, patient: int, base: np.ndarray) -> np.ndarray:
    """The voxels of the box afterwards."""
    seed = 100 + 10 * patient + MANIPULATIONS.index(manipulation)
    made = {
        "like": lambda: noise(seed, BOX.shape) - 850,
        "loud": lambda: noise(seed, BOX.shape, 2 * LEVEL_HU) - 850,
        "step": lambda: base + 150.0,
        "identity": lambda: base.astype(np.float64),
    }
    return np.rint(made[generator]()).astype(np.int16)


def embedding(ct: Any, centre_zyx: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Mean and spread of the voxels around a place."""
    z, y, x = centre_zyx
    cube = ct.crop((z - 2, y - 8, x - 8), (5, 16, 16)).astype(np.float64)
    return np.array([cube.mean(), cube.std(), cube[2].mean(), np.abs(np.diff(cube, axis=2)).mean()])


def write(
    out: Path, work: Path, *, generators: tuple[str, ...] = GENERATORS, box: Box = BOX, patients: int = PATIENTS
) -> Path:
    """Write the release."""
    scans, rows = [], []
    for patient in range(patients):
        scans.append(_prepared(work, patient))
        rows.append(_row(patient, "pristine", f"pristine/scan-{patient}", "none", "pristine"))
        for generator in generators:
            for manipulation in ("removal",) if generator in REMOVERS else ("injection", "removal"):
                rows.append(_edited_row(patient, generator, manipulation, box))
    built = {"source": "phantom", "scans": patients, "patients": patients, "trained_on": [], "inpainters": {}}
    write_release(out, rows, scans, built)
    return out


def _prepared(work: Path, patient: int) -> PreparedScan:
    folder = work / f"scan-{patient}"
    folder.mkdir(parents=True)
    write_volume(folder / VOLUME, scan(patient), {"scan_id": f"scan-{patient}"})
    return PreparedScan(folder, "", f"scan-{patient}", f"PHANTOM-{patient}", SHAPE, GEOMETRY, (), (), {}, ())


def _row(patient: int, config: str, sample_id: str, generator: str, label: str) -> dict[str, Any]:
    geometry = {name: list(values) for name, values in asdict(GEOMETRY).items()}
    return dict.fromkeys(FEATURES) | geometry | {
        "config": config,
        "split": SPLITS[patient],
        "sample_id": sample_id,
        "source": "phantom",
        "scan_id": f"scan-{patient}",
        "patient_id": f"PHANTOM-{patient}",
        "label": LABELS.index(label),
        "manipulation": 0,
        "generator": generator,
        "shape_zyx": list(SHAPE),
        "seed": 7,
        "volume": volume_path(f"scan-{patient}"),
    }  # fmt: skip


def _edited_row(patient: int, generator: str, manipulation: str, box: Box) -> dict[str, Any]:
    base = scan(patient)[box.slices()]
    patch = base if box != BOX else edited(generator, manipulation, patient, base)
    encoded = EncodedEdit.encode(Edit(box, patch, np.ones(box.shape, dtype=bool)), base)
    label = "control" if generator == "identity" else "tampered"
    sample_id = f"{generator}/{manipulation[:3]}_{patient}"
    row = _row(patient, config_name(generator, manipulation), sample_id, generator, label)
    return row | encoded.columns() | {
        "site_id": f"{manipulation[:3]}_{patient}",
        "manipulation": MANIPULATIONS.index(manipulation),
        "centre_zyx": [5, 49, 49],
        "centre_mm": list(GEOMETRY.to_mm((5, 49, 49))),
    }  # fmt: skip
