"""Intervals: how much a figure depends on which patients happened to be tested."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

DRAWS = 1_000
LEVEL = 0.95

Chosen = Int64[np.ndarray, " chosen"]


@dataclass(frozen=True)
class Interval:
    """A figure and where it lies for other patients."""

    value: float
    low: float
    high: float


def interval(
    measure: Callable[[Chosen], float],
    patients: Sequence[str],
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """The percentile interval of a measure under a bootstrap by patient.

    Samples of one patient are not independent, so patients are drawn, with replacement, each with all its samples.
    Draws in which the measure is not defined, such as those without a pristine sample, are left out.

    Args:
        measure: Of the samples with these indices; one may occur several times. Raises ValueError where undefined.
        patients: Whose each sample is.
        draws: How many.
        level: Share of draws within the interval.
        seed: Of the draws.
    """
    names, owner = np.unique(np.asarray(patients), return_inverse=True)
    members = [np.flatnonzero(owner == number) for number in range(len(names))]
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = rng.integers(0, len(names), len(names))
        try:
            found.append(measure(np.concatenate([members[number] for number in drawn])))
        except ValueError:
            continue
    value = measure(np.arange(len(patients)))
    if not found:
        return Interval(value, value, value)
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
