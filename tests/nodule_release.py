"""A release of small scans with a large malignant nodule and a small benign one each; its generator swaps them.

Nodules are balls of soft tissue in noisy lung. What the generator injects is such a large ball, and what it removes
becomes lung; the control changes single voxels by 1 HU.
"""

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

SHAPE = (36, 72, 72)
GEOMETRY = Geometry((1.5, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0))
SPLITS = {
    f"PHANTOM-{number:04d}": split for number, split in enumerate(["train"] * 4 + ["validation"] + ["test"] * 2, 1)
}
LARGE_MM, SMALL_MM = 14.0, 5.0
LARGE_RATING, SMALL_RATING = 4.5, 1.5
PLACES = {"removal": (18, 22, 22), "injection": (18, 50, 50)}
"""Sites; the large nodule lies at the first, the small one 2 voxels beside the second."""
GENERATORS = ("swap", "identity")


def ball(centre: tuple[int, int, int], diameter: float) -> np.ndarray:
    """The voxels of a scan within a ball."""
    axes = np.ogrid[tuple(slice(length) for length in SHAPE)]
    squared = sum(((axis - at) * step) ** 2 for axis, at, step in zip(axes, centre, GEOMETRY.spacing_mm, strict=True))
    return squared < (diameter / 2) ** 2


def lung(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(-850, 25, SHAPE)


def pristine(patient: str) -> np.ndarray:
    voxels = lung(int(patient[-4:]))
    z, y, x = PLACES["injection"]
    voxels[ball(PLACES["removal"], LARGE_MM)] = 30
    voxels[ball((z, y - 2, x - 2), SMALL_MM)] = 30
    return voxels.astype(np.int16)


def edit_of(patient: str, generator: str, manipulation: str) -> Edit:
    before = pristine(patient)
    after = before + np.int16(1)
    if generator == "swap":
        after = lung(100 + int(patient[-4:])).astype(np.int16)
        if manipulation == "injection":
            after[ball(PLACES[manipulation], LARGE_MM)] = 30
    box = Box(tuple(np.subtract(PLACES[manipulation], (6, 9, 9)).tolist()), (13, 19, 19))
    return Edit(box, after[box.slices()], np.ones(box.shape, bool))


def write(
    out: Path,
    work: Path,
    *,
    rating_of=lambda patient, manipulation: LARGE_RATING if manipulation == "removal" else SMALL_RATING,
    generators=GENERATORS,
    manipulations=tuple(PLACES),
) -> Path:
    """Write the release; ``rating_of`` tells the rating of a patient's site of a manipulation, or None."""
    scans = [_prepared(work / patient, patient) for patient in SPLITS]
    rows = [_row(patient, "pristine", f"pristine/{patient}", "none", "pristine") for patient in SPLITS]
    rows += [
        _edited(patient, generator, manipulation, number, rating_of(patient, manipulation))
        for number, patient in enumerate(SPLITS, 1)
        for generator in generators
        for manipulation in manipulations
    ]
    write_release(
        out, rows, scans, {"source": "phantom", "scans": 7, "patients": 7, "trained_on": ["phantom"], "inpainters": {}}
    )
    return out


def _prepared(folder: Path, patient: str) -> PreparedScan:
    folder.mkdir(parents=True)
    write_volume(folder / VOLUME, pristine(patient), {"scan_id": f"scan-{patient}"})
    return PreparedScan(folder, "", f"scan-{patient}", patient, SHAPE, GEOMETRY, (), (), {}, ())


def _row(patient: str, config: str, sample_id: str, generator: str, label: str) -> dict[str, Any]:
    geometry = {name: list(values) for name, values in asdict(GEOMETRY).items()}
    return dict.fromkeys(FEATURES) | geometry | {
        "config": config,
        "split": SPLITS[patient],
        "sample_id": sample_id,
        "source": "phantom",
        "scan_id": f"scan-{patient}",
        "patient_id": patient,
        "label": LABELS.index(label),
        "manipulation": 0,
        "generator": generator,
        "shape_zyx": list(SHAPE),
        "seed": 0,
        "volume": volume_path(f"scan-{patient}"),
    }  # fmt: skip


def _edited(patient: str, generator: str, manipulation: str, number: int, rating: float | None) -> dict[str, Any]:
    site = f"{manipulation[:3]}_{number}"
    edit = edit_of(patient, generator, manipulation)
    encoded = EncodedEdit.encode(edit, pristine(patient)[edit.box.slices()])
    label = "control" if generator == "identity" else "tampered"
    row = _row(patient, config_name(generator, manipulation), f"{generator}/{site}", generator, label)
    return row | encoded.columns() | {
        "site_id": site,
        "manipulation": MANIPULATIONS.index(manipulation),
        "centre_zyx": list(PLACES[manipulation]),
        "centre_mm": list(GEOMETRY.to_mm(PLACES[manipulation])),
        "nodule_diameter_mm": LARGE_MM if manipulation == "removal" else SMALL_MM,
        "malignancy": rating,
        "readers": 3,
    }  # fmt: skip
