"""Rows of a release: a pristine scan's, and those of the edits of its sites."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from builder.cube import Voxels
from builder.filled import FilledCubes
from builder.insert import Insertion
from builder.prepare import PreparedScan
from m3dsynth_dataset.edit import EncodedEdit
from m3dsynth_dataset.schema import (
    CONTROL,
    FEATURES,
    LABELS,
    MANIPULATIONS,
    PRISTINE,
    class_index,
    config_name,
    volume_path,
)
from m3dsynth_dataset.volume import open_volume

Row = dict[str, Any]
"""Columns of the release, and ``config`` and ``split`` to say where it stands."""


def scan_rows(prepared: PreparedScan, plan_rows: Sequence[Row], filled: Sequence[FilledCubes]) -> list[Row]:
    """All rows of one scan.

    Args:
        prepared: The scan.
        plan_rows: Its rows of the plan.
        filled: The cubes of the inpainters of this build.
    """
    volume, originals = open_volume(prepared.volume), _originals(prepared)
    return [
        row
        for plan_row in plan_rows
        for row in (
            [_pristine_row(prepared, plan_row)]
            if plan_row["site_id"] is None
            else _edited_rows(prepared, volume, originals, plan_row, filled)
        )
    ]


def _pristine_row(prepared: PreparedScan, plan_row: Row) -> Row:
    return _common(prepared, plan_row) | {
        "config": PRISTINE,
        "sample_id": f"{PRISTINE}/{prepared.scan_id}",
        "label": class_index(LABELS, "pristine"),
        "generator": "none",
    }


def _edited_rows(
    prepared: PreparedScan,
    volume: Voxels,
    originals: dict[str, np.ndarray],
    plan_row: Row,
    filled: Sequence[FilledCubes],
) -> Iterator[Row]:
    site_id = plan_row["site_id"]
    if site_id not in prepared.centres:  # it lay outside the scan, and the report says so
        return
    mine = [cubes for cubes in filled if cubes.manipulation == plan_row["manipulation"]]
    centre, original = prepared.centres[site_id], originals[site_id].astype(np.float32)
    rng = np.random.default_rng(plan_row["seed"])
    place = Insertion.at(volume, centre, prepared.geometry.spacing_mm, original, prepared.range_hu, rng)
    for cubes in mine:
        edit = place.edit(cubes.cubes[site_id].astype(np.float32))
        yield _common(prepared, plan_row) | {
            "config": config_name(cubes.generator, cubes.manipulation),
            "sample_id": f"{cubes.generator}/{site_id}",
            "label": class_index(LABELS, "control" if cubes.generator == CONTROL else "tampered"),
            "generator": cubes.generator,
            "centre_zyx": list(centre),
            "centre_mm": list(prepared.geometry.to_mm(centre)),
            "weights_sha256": cubes.weights_sha256,
            **EncodedEdit.encode(edit, place.pristine).columns(),
        }


def _originals(prepared: PreparedScan) -> dict[str, np.ndarray]:
    ids = (row["cube_id"] for row in prepared.site_rows)
    return dict(zip(ids, prepared.cubes("site"), strict=True))


def _common(prepared: PreparedScan, plan_row: Row) -> Row:
    known = {name: plan_row[name] for name in FEATURES if name in plan_row}
    return (
        dict.fromkeys(FEATURES)
        | known
        | {
            "split": plan_row["split"],
            "manipulation": class_index(MANIPULATIONS, plan_row["manipulation"]),
            "shape_zyx": list(prepared.shape_zyx),
            "spacing_mm": list(prepared.geometry.spacing_mm),
            "origin_mm": list(prepared.geometry.origin_mm),
            "direction": list(prepared.geometry.direction),
            "volume": volume_path(prepared.scan_id),
        }
    )
