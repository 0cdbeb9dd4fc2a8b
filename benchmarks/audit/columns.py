"""What rows tell beside the voxels."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from benchmarks.audit.survey import Row, Survey
from benchmarks.audit.verdict import Check, Verdict, counted, unmeasured
from m3dsynth_dataset.schema import FEATURES, SEALED

OF_THE_SCAN = ("source", "patient_id", "shape_zyx", "spacing_mm", "origin_mm", "direction", "volume")
"""Columns that a detector may be shown: the same in all versions of a scan."""
MAY_STAY_SEALED = frozenset((*OF_THE_SCAN, "sample_id", "scan_id"))


def check_columns(survey: Survey) -> Iterator[Check]:
    """Columns of the scan between its versions, columns that tell by design, and those of sealed rows."""
    yield _facts(survey)
    yield _order(survey)
    if survey.is_sealed:
        yield _sealed(survey)
        yield _origins(survey)


def _facts(survey: Survey) -> Check:
    name = "columns of the scan"
    rule = f"{', '.join(OF_THE_SCAN)} are the same in all versions of a scan"
    versions: dict[str, list[Row]] = defaultdict(list)
    for row in survey.rows:
        versions[row["scan_id"]].append(row)
    wrong = [
        f"{row['sample_id']} ({column})"
        for rows in versions.values()
        for row in rows[1:]
        for column in OF_THE_SCAN
        if row[column] != _pristine(rows)[column]
    ]
    telling = ", ".join(columns_that_tell(survey.rows)) or "none"
    checked = f"{len(survey.rows)} rows; never show a detector the columns that tell the label by design: {telling}"
    return counted(name, rule, wrong, checked, "copy these columns from the scan's pristine row")


def _pristine(rows: list[Row]) -> Row:
    return next((row for row in rows if row["label"] == "pristine"), rows[0])


def columns_that_tell(rows: list[Row]) -> list[str]:
    """Columns from which alone tampered rows can be told from pristine ones: no value is on both sides.

    The config and the bytes of patch and mask tell, too.
    """
    sides: dict[str, list[Row]] = {
        label: [row for row in rows if row["label"] == label] for label in ("pristine", "tampered")
    }
    if not all(sides.values()):
        return []
    names = [name for name in FEATURES if name in rows[0] and name not in OF_THE_SCAN]
    return ["config", *(name for name in names if _is_apart(name, *sides.values())), "patch", "mask"]


def _is_apart(name: str, some: list[Row], others: list[Row]) -> bool:
    return not {_hashable(row[name]) for row in some} & {_hashable(row[name]) for row in others}


def _hashable(value: Any) -> Any:  # noqa: ANN401 - a column may hold anything
    return tuple(value) if isinstance(value, list) else value


def _order(survey: Survey) -> Check:
    """Rows of an open config have one label, which its name says; sealed ones could stand in a telling order."""
    name, rule = "row order", "sealed rows stand in the order of their names, which are drawn by lot"
    sealed = [row["sample_id"] for row in survey.rows if row["label"] == SEALED]
    if not sealed:
        why = "each file has rows of one label, which its config says by design: a loader must shuffle"
        return unmeasured(name, rule, why) if not _mixed(survey) else _mixed_order(survey)
    wrong = [later for earlier, later in pairwise(sealed) if later < earlier]
    return counted(name, rule, wrong, f"{len(sealed)} sealed rows", "sort the sealed rows by name")


def _mixed(survey: Survey) -> list[str]:
    labels: dict[str, set[str]] = defaultdict(set)
    for row in survey.rows:
        labels[f"{row['config']}/{row['split']}"].add(row["label"])
    return sorted(name for name, found in labels.items() if len(found) > 1)


def _mixed_order(survey: Survey) -> Check:
    return counted(
        "row order",
        "rows of one file have one label",
        _mixed(survey),
        "the files",
        "build again: the label follows from the config",
    )


def _sealed(survey: Survey) -> Check:
    sealed = [row for row in survey.rows if row["label"] == SEALED]
    wrong = [
        f"{row['sample_id']} ({name})"
        for row in sealed
        for name in FEATURES
        if name in row and name not in (*MAY_STAY_SEALED, "label", "manipulation") and row[name] is not None
    ]
    wrong += [f"{row['sample_id']} (manipulation)" for row in sealed if row["manipulation"] != SEALED]
    rule = "sealed rows have nothing but the facts of the scan"
    return counted("sealed columns", rule, wrong, f"{len(sealed)} sealed rows", "seal again: empty these columns")


def _origins(survey: Survey) -> Check:
    origins = {tuple(row["origin_mm"]) for row in survey.rows if row["label"] == SEALED}
    rule = "all sealed scans have one origin: its own is almost a scan's name"
    name, value = "sealed origins", float(len(origins))
    if len(origins) == 1:
        return Check(name, rule, Verdict.PASS, value, "one origin")
    return Check(name, rule, Verdict.LEAK, value, f"{len(origins)} origins", "seal again: set origin_mm to one value")
