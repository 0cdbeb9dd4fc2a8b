"""Whether scores mean what they say: of samples that score 0.8, are eight in ten tampered?"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from m3dsynth_dataset.metrics.roc import Scores, check_scores


@dataclass(frozen=True, eq=False)
class Calibration:
    """By bins of equal width over 0 to 1; NaN where a bin is empty."""

    scores: Float64[np.ndarray, " bins"]
    """Mean score."""
    shares: Float64[np.ndarray, " bins"]
    """Share of tampered samples, when both kinds weigh the same."""
    counts: Int64[np.ndarray, " bins"]
    error: float
    """Expected calibration error: mean distance of the two, weighted as the samples are."""


def calibration(tampered: Scores, pristine: Scores, bins: int = 10) -> Calibration:
    """The reliability curve of scores in 0 to 1.

    How many of a benchmark's samples are tampered says nothing about the world, so both kinds weigh half.

    Args:
        tampered: Scores of tampered samples.
        pristine: Scores of pristine ones.
        bins: How many.

    Raises:
        ValueError: If a score lies outside 0 to 1.
    """
    check_scores(tampered, pristine)
    scores = np.concatenate([tampered, pristine]).astype(np.float64)
    if scores.min() < 0 or scores.max() > 1:
        raise ValueError(f"calibration needs scores in 0 to 1, got {scores.min():g} to {scores.max():g}")
    is_tampered = np.arange(len(scores)) < len(tampered)
    weights = np.where(is_tampered, 0.5 / len(tampered), 0.5 / len(pristine))
    places = np.minimum((scores * bins).astype(np.int64), bins - 1)
    total = np.bincount(places, weights, bins)
    with np.errstate(invalid="ignore"):
        means = np.bincount(places, weights * scores, bins) / total
        shares = np.bincount(places, weights * is_tampered, bins) / total
    error = float(np.nansum(total * np.abs(means - shares)))
    return Calibration(means, shares, np.bincount(places, minlength=bins).astype(np.int64), error)
