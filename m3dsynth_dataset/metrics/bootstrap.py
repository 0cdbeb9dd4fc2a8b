"""Intervals: how much a figure depends on which patients happened to be tested."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

DRAWS = 1_000
LEVEL = 0.95
SEED = 0

Weights = Float64[np.ndarray, "draws samples"]
"""How often each sample occurs in each draw."""
PerDraw = Float64[np.ndarray, " draws"]
"""A figure of each draw; NaN where it is not defined."""


@dataclass(frozen=True)
class Interval:
    """A figure and where it lies for other patients; NaN, all three, where it is not defined."""

    value: float
    low: float
    high: float


def interval(
    measure: Callable[[Weights], PerDraw],
    patients: Sequence[str],
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = SEED,
) -> Interval:
    """The percentile interval of a measure under a bootstrap by patient.

    Samples of one patient are not independent, so patients are drawn, with replacement, each with all its samples.
    Draws in which the measure is not defined, such as those without a pristine sample, are left out. The order of the
    samples does not matter.

    Args:
        measure: Of all draws at once, such as those of :mod:`m3dsynth_dataset.metrics.resampled`.
        patients: Whose each sample is.
        draws: How many.
        level: Share of draws within the interval.
        seed: Of the draws.
    """
    value = float(measure(np.ones((1, len(patients))))[0])
    found = measure(resample(patients, draws, seed))
    found = found[~np.isnan(found)]
    if np.isnan(value) or not len(found):
        return Interval(value, value, value)
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))


def resample(patients: Sequence[str], draws: int, seed: int = SEED) -> Weights:
    """Draw as many patients as there are, with replacement, again and again.

    Returns:
        Whole numbers; all samples of a patient have the same.
    """
    names, owner = np.unique(np.asarray(patients), return_inverse=True)
    drawn = np.random.default_rng(seed).integers(0, len(names), (draws, len(names)))
    counts = np.zeros((draws, len(names)))
    np.add.at(counts, (np.arange(draws)[:, None], drawn), 1)
    return counts[:, owner]
