"""A row: its columns against the schema, its place, and each other."""

import math
from collections.abc import Iterator
from typing import Any

from m3dsynth_dataset.schema import (
    CONTROL,
    FEATURES,
    LABELS,
    MANIPULATIONS,
    PRISTINE,
    SEALED,
    class_index,
    config_name,
    volume_path,
)
from m3dsynth_dataset.verification.finding import MADE_WRONG, Finding
from m3dsynth_dataset.verification.table import Table

Row = dict[str, Any]


BOX_COLUMNS = ("box_start_zyx", "box_shape_zyx")


EDIT_COLUMNS = frozenset(
    ("site_id", "centre_zyx", "centre_mm", *BOX_COLUMNS, "patch", "patch_encoding", "mask", "base_sha256")
)


_MAY_BE_NULL = frozenset(("nodule_diameter_mm", "malignancy", "readers", "weights_sha256"))


_SEALED_COLUMNS = EDIT_COLUMNS | _MAY_BE_NULL | {"label", "manipulation", "generator", "seed"}
"""Each would tell which version of a scan a sealed sample is, or what to look for in it."""


_ABSENT: dict[str, frozenset[str]] = {PRISTINE: EDIT_COLUMNS, SEALED: _SEALED_COLUMNS}
"""Columns that the rows of a config do not have."""


def check_row(row: Row, table: Table) -> Iterator[Finding]:
    """Whether a row has what it must have, where it stands."""
    place = str(row["sample_id"] or table.path)
    absent = _ABSENT.get(table.config, frozenset())
    for column in FEATURES:
        if column in absent:
            if row[column] is not None:
                yield Finding(place, f"a {table.config} row has no {column}", _shown(row[column]), MADE_WRONG)
        elif column not in _MAY_BE_NULL and is_null(row[column]):
            yield Finding(place, f"the row has a {column}", "null", MADE_WRONG)
    for column, value in _expected(row, table).items():
        if row[column] is not None and row[column] != value:
            rule = f"{column} is {_named(column, value)}, as {table.path} and the row's other columns have it"
            yield Finding(place, rule, _named(column, row[column]), MADE_WRONG)
    yield from _check_geometry(row, place)


def _expected(row: Row, table: Table) -> Row:
    """The columns that follow from others."""
    expected: Row = {"volume": volume_path(row["scan_id"])} if row["scan_id"] else {}
    if table.config == SEALED:
        return expected | {"sample_id": f"{SEALED}/{row['scan_id']}"}
    if table.config == PRISTINE:
        return expected | {
            "label": class_index(LABELS, "pristine"),
            "manipulation": class_index(MANIPULATIONS, "none"),
            "generator": "none",
            "sample_id": f"{PRISTINE}/{row['scan_id']}",
        }
    generator, _, manipulation = table.config.rpartition("-")
    assert config_name(generator, manipulation) == table.config
    return expected | {
        "label": class_index(LABELS, "control" if generator == CONTROL else "tampered"),
        "manipulation": class_index(MANIPULATIONS, manipulation),
        "generator": generator,
        "sample_id": f"{generator}/{row['site_id']}",
    }


def _named(column: str, value: object) -> str:
    names = {"label": LABELS, "manipulation": MANIPULATIONS}.get(column, ())
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else repr(value)


def _check_geometry(row: Row, place: str) -> Iterator[Finding]:
    shape, spacing = row["shape_zyx"], row["spacing_mm"]
    if not is_null(shape) and min(shape) <= 0:
        yield Finding(place, "shape_zyx is > 0 voxels", str(shape), MADE_WRONG)
    if not is_null(spacing) and not all(0 < value < math.inf for value in spacing):
        yield Finding(place, "spacing_mm is > 0 mm", str(spacing), MADE_WRONG)
    for column in ("origin_mm", "direction"):
        if not is_null(row[column]) and not all(map(math.isfinite, row[column])):
            yield Finding(place, f"{column} is of finite numbers", str(row[column]), MADE_WRONG)
    if not any(is_null(row[name]) for name in ("shape_zyx", *BOX_COLUMNS)) and not is_box_inside(row):
        found = f"start {row['box_start_zyx']}, shape {row['box_shape_zyx']}"
        yield Finding(place, f"the edit's box holds voxels and lies in the scan of {shape}", found, MADE_WRONG)


def is_box_inside(row: Row) -> bool:
    """Whether the edit's box holds voxels and lies in the scan."""
    bounds = zip(row["box_start_zyx"], row["box_shape_zyx"], row["shape_zyx"], strict=True)
    return all(start >= 0 and length > 0 and start + length <= end for start, length, end in bounds)


def is_null(value: object) -> bool:
    """Whether a value, or a part of it, is missing."""
    return value is None or (isinstance(value, list) and None in value)


def _shown(value: object) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else repr(value)
