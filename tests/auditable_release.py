"""A release that does not leak, and what it takes to spoil it: of each kind of leak one."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.audit.survey import Survey, survey
from builder.prepare import VOLUME, PreparedScan
from builder.release import write_release
from m3dsynth_dataset import Release, open_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.edit import Edit, EncodedEdit
from m3dsynth_dataset.linking import link_tree
from m3dsynth_dataset.manifest import Manifest, digest_of, record_files
from m3dsynth_dataset.row_file import write_rows
from m3dsynth_dataset.schema import FEATURES, LABELS, MANIPULATIONS, arrow_schema, config_name, data_file, volume_path
from m3dsynth_dataset.volume import Geometry, write_volume

SHAPE = (8, 52, 52)
BOXES = {"injection": Box((1, 6, 8), (5, 14, 12)), "removal": Box((2, 30, 28), (5, 13, 15))}
GENERATORS = ("pix2pix", "identity")
SPLITS = ("train",) * 8 + ("validation",) * 2 + ("test",) * 6
"""Of the patients, whose names are drawn."""

Row = dict[str, Any]


def patients() -> list[tuple[str, str]]:
    """Names and splits, in no order."""
    numbers = np.random.default_rng(3).permutation(len(SPLITS))
    return [(f"PHANTOM-{number:04}", split) for number, split in zip(numbers, SPLITS, strict=True)]


def voxels_of(patient: str) -> np.ndarray:
    """A scan: patients differ in brightness and spread."""
    rng = np.random.default_rng(list(map(ord, patient)))
    level, spread = rng.uniform(-760, -640), rng.uniform(120, 160)
    return np.clip(rng.normal(level, spread, SHAPE), -1024, 1200).round().astype(np.int16)


def geometry_of(patient: str) -> Geometry:
    """Differs by patient."""
    rng = np.random.default_rng([1, *map(ord, patient)])
    x, y, z = (float(value) for value in rng.uniform(-200, 200, 3).round(1))
    step = float(rng.choice([1.25, 2.0, 2.5]))
    return Geometry((step, 0.7, 0.7), (x, y, z), (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0))


def attributes_of(patient: str) -> Row:
    """Those of its volume, as the builder writes them."""
    return {"scan_id": patient, "patient_id": patient, "unit": "HU", **asdict(geometry_of(patient))}


def edit_of(patient: str, generator: str, manipulation: str) -> Edit:
    """The box's voxels in another order, which leaves every global statistic; the control's have a little noise."""
    box = BOXES[manipulation]
    rng = np.random.default_rng([len(generator), *map(ord, patient + manipulation)])
    base = voxels_of(patient)[box.slices()]
    mask = np.ones(box.shape, bool)
    mask[0] = False
    noise = rng.integers(-2, 3, mask.sum())
    content = np.maximum(base[mask] + noise, -1024) if generator == "identity" else rng.permutation(base[mask])
    patch = base.copy()
    patch[mask] = content
    return Edit(box, patch, mask)


def write(folder: Path) -> Path:
    """Write the release."""
    rows, scans = [], []
    for patient, split in patients():
        place = folder / "work" / patient
        place.mkdir(parents=True)
        write_volume(place / VOLUME, voxels_of(patient), attributes_of(patient))
        scans.append(PreparedScan(place, "", patient, patient, SHAPE, geometry_of(patient), (), (), {}, ()))
        rows += [_pristine(patient, split), *_edited(patient, split)]
    built = {"source": "phantom", "scans": 16, "patients": 16, "trained_on": ["phantom"], "inpainters": {}}
    write_release(folder / "m3dsynth", rows, scans, built)
    return folder / "m3dsynth"


def _pristine(patient: str, split: str) -> Row:
    rng = np.random.default_rng([2, *map(ord, patient)])
    known = {name: list(values) for name, values in asdict(geometry_of(patient)).items()}
    return dict.fromkeys(FEATURES) | known | {
        "config": "pristine",
        "split": split,
        "sample_id": f"pristine/{patient}",
        "source": "phantom",
        "scan_id": patient,
        "patient_id": patient,
        "label": 0,
        "manipulation": 0,
        "generator": "none",
        "shape_zyx": list(SHAPE),
        "seed": int(rng.integers(2**62)),
        "volume": volume_path(patient),
    }  # fmt: skip


def _edited(patient: str, split: str) -> Iterator[Row]:
    rng = np.random.default_rng([4, *map(ord, patient)])
    for manipulation in MANIPULATIONS[1:]:
        centre = [int(value) for value in rng.integers((2, 12, 12), (6, 40, 40))]
        seed = int(rng.integers(2**62))
        for generator in GENERATORS:
            edit = edit_of(patient, generator, manipulation)
            encoded = EncodedEdit.encode(edit, voxels_of(patient)[edit.box.slices()])
            site = f"{manipulation[:3]}_{patient[-2:]}"
            yield _pristine(patient, split) | encoded.columns() | {
                "config": config_name(generator, manipulation),
                "sample_id": f"{generator}/{site}",
                "site_id": site,
                "label": LABELS.index("control" if generator == "identity" else "tampered"),
                "manipulation": MANIPULATIONS.index(manipulation),
                "generator": generator,
                "centre_zyx": centre,
                "centre_mm": list(geometry_of(patient).to_mm(tuple(centre))),
                "seed": seed,
            }  # fmt: skip


def spoilt(
    release: Path,
    out: Path,
    change: Callable[[Row], Row | None] = lambda row: row,
    volumes: dict[str, np.ndarray] | None = None,
    attributes: dict[str, Any] | None = None,
) -> Path:
    """A copy of a release with other rows, or other volumes, and a manifest that says so.

    Args:
        release: That does not leak.
        out: Folder of the copy.
        change: Of each row, which has its ``config`` and ``split``, and may go to others; None leaves it out.
        volumes: Voxels of scans, by their ids, instead of those that are there; edits stay what they are.
        attributes: Of these volumes, beside their own.
    """
    link_tree(release, out)
    source = open_release(release)
    _write_tables(source, out, lambda row: change(_moved(row, volumes or {})))
    for scan_id, voxels in (volumes or {}).items():
        shutil.rmtree(out / volume_path(scan_id))  # hard links: the release keeps its own
        write_volume(out / volume_path(scan_id), voxels, attributes_of(scan_id) | (attributes or {}))
    (out / "manifest.json").unlink()
    files = record_files(out)
    Manifest(source.manifest.format_version, digest_of(files), files, source.manifest.built).write(out)
    return out


def _write_tables(source: Release, out: Path, change: Callable[[Row], Row | None]) -> None:
    tables: dict[tuple[str, str], list[Row]] = {}
    for config, splits in source.splits.items():
        for split in splits:
            (out / data_file(config, split)).unlink()
            for row in source.rows(config, split).to_pylist():
                if (changed := change(row | {"config": config, "split": str(split)})) is not None:
                    tables.setdefault((changed["config"], changed["split"]), []).append(changed)
    for (config, split), rows in tables.items():
        lines = [{name: row[name] for name in FEATURES} for row in rows]
        write_rows(out / data_file(config, split), pa.Table.from_pylist(lines, schema=arrow_schema()))


def _moved(row: Row, volumes: dict[str, np.ndarray]) -> Row:
    """An edit on the scan's new voxels."""
    if row["patch"] is None or row["scan_id"] not in volumes:
        return row
    encoded = EncodedEdit.from_row(row)
    edit = encoded.decode(voxels_of(row["scan_id"])[encoded.box.slices()])
    base = volumes[row["scan_id"]][encoded.box.slices()]
    return row | EncodedEdit.encode(Edit(edit.box, np.where(edit.mask, edit.patch, base), edit.mask), base).columns()


def edited(change: Callable[[np.ndarray, np.ndarray], np.ndarray], label: str = "tampered") -> Callable[[Row], Row]:
    """A change of the patches of a label: of the voxels and the mask come the new voxels."""

    def of_row(row: Row) -> Row:
        if row["patch"] is None or LABELS[row["label"]] != label:
            return row
        encoded = EncodedEdit.from_row(row)
        base = voxels_of(row["patient_id"])[encoded.box.slices()]
        edit = encoded.decode(base)
        patch = change(edit.patch.astype(np.int64), edit.mask).astype(np.int16)
        return row | EncodedEdit.encode(Edit(edit.box, patch, edit.mask), base).columns()

    return of_row


def surveyed(path: Path) -> Survey:
    """Its survey."""
    return survey(open_release(path))
