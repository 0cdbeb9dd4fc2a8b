"""The shape of a result: which parts it has, and of which type. Strangers' files are held against it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OrNull:
    """A part that may be null."""

    shape: Any


@dataclass(frozen=True)
class Each:
    """An object of which every member has the same shape, whatever its name."""

    shape: Any


MOST = 1e9
"""Of any figure; 1e999 is infinite in Python, and a whole number of JSON may have thousands of digits."""

_INTERVAL = {"value": float, "low": float, "high": float}

_GROUP = {
    "group": str,
    "tampered": int,
    "pristine": int,
    "localised": int,
    **dict.fromkeys(("f1", "iou", "pd", "accuracy", "auc"), OrNull(_INTERVAL)),
    **dict.fromkeys(("pooled_f1", "pooled_iou", "patient_f1", "eer"), OrNull(float)),
}

RESULT = {
    "format": str,
    "scorer": str,
    "protocol": str,
    "release": {"name": str, "digest": str, "phantom": bool},
    "labels": OrNull(str),
    "split": str,
    "submission": {"sha256": str, "samples": int, "metadata": dict},
    "calibrated_on": str,
    "threshold": float,
    "false_alarms": float,
    "control": OrNull(_INTERVAL),
    "groups": [_GROUP],
    "worst": Each(OrNull(str)),
    "parity": {
        "threshold": float,
        "false_alarms": float,
        "pd": Each(OrNull(_INTERVAL)),
        "pd_interp": Each(float),
        "pd_nearest": Each(float),
        "oracle_f1": Each(OrNull(float)),
        "permuted_f1": Each(OrNull(float)),
    },
    "calibration": [
        {
            "low": float,
            "high": float,
            "count": int,
            "mean_score": OrNull(float),
            "share_tampered": OrNull(float),
        }
    ],
    "calibration_error": float,
    "warnings": [str],
}


def check(value: Any, shape: Any, place: str = "it") -> None:  # noqa: ANN401 - whatever JSON has
    """See that a value has a shape. What it has beyond that may be anything.

    Args:
        value: Of JSON's types.
        shape: A type; an object with the shapes of its members, or a list with the shape of all; or a class of here.
        place: What an error calls the value.

    Raises:
        ValueError: If not, with the place of the first part that is wrong.
    """
    if isinstance(shape, OrNull):
        if value is not None:
            check(value, shape.shape, place)
    elif isinstance(shape, Each):
        _want(value, dict, place)
        for name, member in value.items():
            check(member, shape.shape, f"{place}.{name}")
    elif isinstance(shape, dict):
        _check_members(value, shape, place)
    elif isinstance(shape, list):
        _want(value, list, place)
        for number, member in enumerate(value):
            check(member, shape[0], f"{place}[{number}]")
    else:
        _want(value, shape, place)


def _check_members(value: Any, shape: dict[str, Any], place: str) -> None:  # noqa: ANN401
    _want(value, dict, place)
    for name, of in shape.items():
        if name not in value:
            raise ValueError(f"{place} has no {name!r}")
        check(value[name], of, f"{place}.{name}")


def _want(value: Any, kind: type, place: str) -> None:  # noqa: ANN401
    # In JSON a whole number may stand for a fraction; in Python truth values are numbers, too.
    is_kind = isinstance(value, int | float if kind is float else kind)
    if not is_kind or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{place} is {type(value).__name__}, not {kind.__name__}")
    if kind is float and not -MOST <= value <= MOST:
        raise ValueError(f"{place} is beyond all figures")
