"""What other papers' definitions give for the same scores and maps. Ours stand in the scorecard; these are beside."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from m3dsynth_dataset.metrics import Interval, false_alarm_rate, pd_at, threshold_at
from m3dsynth_dataset.scoring.contest import RATE, Contest


@dataclass(frozen=True)
class Parity:
    """By group."""

    threshold: float
    """Set on the split's own pristine scans."""
    false_alarms: float
    """Realised on the same."""
    pd: dict[str, Interval]
    """Pd@1% at that threshold, as the M3Dsynth paper has it."""
    pd_interp: dict[str, float]
    """Pd@1% on the line between the curve's corners, as GRIP's code has it."""
    pd_nearest: dict[str, float]
    """Pd@1% at the corner nearest to 1 %, which may lie beyond it, as HexMIL has it."""
    oracle_f1: dict[str, float]
    """Mean of F1 at the best threshold of every map (TruFor's "best"); NaN where nothing is to be localised."""
    permuted_f1: dict[str, float]
    """Mean of the better F1 of map and opposite map (TruFor's "permuted")."""


def parity(contests: Mapping[str, Contest]) -> Parity:
    """Of the same groups as the scorecard's.

    Args:
        contests: By group; the pristine samples of all are the same.
    """
    pristine = next(iter(contests.values())).others
    threshold = threshold_at(pristine, RATE)
    return Parity(
        threshold,
        false_alarm_rate(pristine, threshold),
        {name: each.detection() for name, each in contests.items()},
        {name: _detection(each, "interp") for name, each in contests.items()},
        {name: _detection(each, "nearest") for name, each in contests.items()},
        {name: _mean(one.oracle_f1 for one in each.tampered) for name, each in contests.items()},
        {name: _mean(one.permuted_f1 for one in each.tampered) for name, each in contests.items()},
    )


def _detection(contest: Contest, variant: str) -> float:
    return pd_at(contest.hits, contest.others, RATE, variant=variant).detection


def _mean(values: Iterable[float]) -> float:
    found = [value for value in values if not math.isnan(value)]
    return math.fsum(found) / len(found) if found else math.nan
