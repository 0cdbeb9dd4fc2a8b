"""Results: what scoring a submission gave, as the JSON that leaderboards read."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from m3dsynth_dataset.errors import ResultError
from m3dsynth_dataset.metrics import Interval
from m3dsynth_dataset.scoring.result_shape import RESULT, check
from m3dsynth_dataset.scoring.scorecard import Figures, Scorecard
from m3dsynth_dataset.staging import staged

FORMAT = "1.0"
DIGITS = 6
"""Of every figure: sums differ in the last digits from machine to machine, and the file must not."""
MOST_BYTES = 2**24
"""Of a file that is read; a result has some ten thousand."""

MEASURES: dict[str, Callable[[Figures], float]] = {
    "f1": lambda figures: figures.f1.value,
    "iou": lambda figures: figures.iou.value,
    "pd": lambda figures: figures.pd.value,
    "accuracy": lambda figures: figures.accuracy.value,
    "auc": lambda figures: figures.auc.value,
}
"""Those that a worst group is told for."""


@dataclass(frozen=True)
class Subject:
    """What was scored, and against what."""

    release: str
    """Its name."""
    release_digest: str
    phantom: bool
    """Whether its scans are phantoms."""
    split: str
    protocol: str
    """volume or slab."""
    labels: str | None
    """The sha256 of the sealed labels; None where the release says what is true."""
    submission: str
    """The sha256 of the predictions."""
    samples: int
    """Scored, those that the threshold was set on included."""
    metadata: Mapping[str, Any]
    """As handed in."""


def result(subject: Subject, card: Scorecard) -> dict[str, Any]:
    """The result as JSON has it: no clock, null for what is not defined; the same on every run."""
    return {
        "format": FORMAT,
        "scorer": version("m3dsynth"),
        "protocol": subject.protocol,
        "release": {"name": subject.release, "digest": subject.release_digest, "phantom": subject.phantom},
        "labels": subject.labels,
        "split": subject.split,
        "submission": {
            "sha256": subject.submission, "samples": subject.samples, "metadata": dict(subject.metadata),
        },
        "calibrated_on": card.calibrated_on,
        "threshold": card.threshold,
        "false_alarms": _plain(card.false_alarms),
        "control": _plain(card.control),
        "groups": [_plain(asdict(figures)) for figures in card.groups],
        "worst": {name: _worst(card, measure) for name, measure in MEASURES.items()},
        "parity": _plain(asdict(card.parity)) | {"threshold": card.parity.threshold},
        "calibration": [_plain(asdict(each)) for each in card.calibration],
        "calibration_error": _plain(card.calibration_error),
        "warnings": list(card.warnings),
    }  # fmt: skip


def as_bytes(found: Mapping[str, Any]) -> bytes:
    """The bytes of a result's file, keys sorted.

    Raises:
        ValueError: If it holds NaN or an infinity, which JSON has not.
    """
    return (json.dumps(found, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def write_result(path: Path, found: Mapping[str, Any]) -> None:
    """Write a result."""
    with staged(path) as place:
        place.write_bytes(as_bytes(found))


def read_result(path: Path) -> dict[str, Any]:
    """Read a result, whoever wrote it.

    Raises:
        ResultError: If the file is missing, or not a result of this format.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ResultError(f"{path}: the result cannot be read ({error.strerror})") from error
    if len(data) > MOST_BYTES:
        raise ResultError(f"{path}: a result has at most {MOST_BYTES:,} bytes")
    try:
        found: dict[str, Any] = json.loads(data, parse_constant=_refuse)
        check(found, RESULT)
        if found["format"].partition(".")[0] != FORMAT.partition(".")[0]:
            raise ValueError(f"it is of format {found['format']!r}, this version reads {FORMAT}")
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{path}: not a result that `m3dsynth score --json` wrote: {error}") from error
    return found


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever JSON has
    if isinstance(value, Interval):
        value = asdict(value)
    if isinstance(value, dict):
        plain = {name: _plain(of) for name, of in value.items()}
        # An interval that is not defined is null as a whole.
        return None if plain.keys() == {"value", "low", "high"} and plain["value"] is None else plain
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, DIGITS)
    return value


def _worst(card: Scorecard, measure: Callable[[Figures], float]) -> str | None:
    figures = card.worst(measure)
    return None if math.isnan(measure(figures)) else figures.group
