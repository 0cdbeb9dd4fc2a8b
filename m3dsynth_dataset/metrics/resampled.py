"""Measures of many resamplings at once, in each of which a sample occurs so many times.

Each gives what the plain measure of the same name gives for the samples repeated as often as they occur; where a draw
has none of a kind, NaN.
"""

import numpy as np
from jaxtyping import Float64, Num, Shaped

from m3dsynth_dataset.metrics.bootstrap import PerDraw
from m3dsynth_dataset.metrics.detection import TOLERANCE
from m3dsynth_dataset.metrics.roc import check_scores

Tampered = Num[np.ndarray, " tampered"]
Pristine = Num[np.ndarray, " pristine"]
OfTampered = Float64[np.ndarray, "draws tampered"]
"""How often each tampered sample occurs in each draw."""
OfPristine = Float64[np.ndarray, "draws pristine"]


def means(values: Shaped[np.ndarray, " samples"], weights: Float64[np.ndarray, "draws samples"]) -> PerDraw:
    """Mean of each draw; of truth values the share that is true."""
    return _divide(weights @ values.astype(np.float64), weights.sum(axis=1))


def balanced_accuracies(
    tampered: Tampered, pristine: Pristine, of_tampered: OfTampered, of_pristine: OfPristine, threshold: float = 0.5
) -> PerDraw:
    """Of each draw, at a threshold."""
    found: PerDraw = (means(tampered > threshold, of_tampered) + 1 - means(pristine > threshold, of_pristine)) / 2
    return found


def aucs(tampered: Tampered, pristine: Pristine, of_tampered: OfTampered, of_pristine: OfPristine) -> PerDraw:
    """Area under the curve of each draw."""
    check_scores(tampered, pristine)
    wins = (tampered[:, None] > pristine).astype(np.float64) + (tampered[:, None] == pristine) / 2
    won = np.einsum("dp,dp->d", of_tampered @ wins, of_pristine)
    return _divide(won, of_tampered.sum(axis=1) * of_pristine.sum(axis=1))


def detections(
    tampered: Tampered, pristine: Pristine, of_tampered: OfTampered, of_pristine: OfPristine, rate: float
) -> PerDraw:
    """Probability of detection at a rate of false alarms, the threshold set anew on each draw's pristine samples."""
    check_scores(tampered, pristine)
    order = np.argsort(-pristine, kind="stable")
    upto = np.cumsum(of_pristine[:, order], axis=1)
    allowed = np.floor(rate * upto[:, -1] + TOLERANCE)
    # The first that may not alarm any more; in a draw without a pristine sample there is none.
    places = np.argmax(upto > allowed[:, None], axis=1)
    thresholds = np.where(upto[:, -1] > 0, pristine[order][places].astype(np.float64), np.nan)
    hits = np.einsum("dt,dt->d", of_tampered, tampered > thresholds[:, None])
    found: PerDraw = np.where(np.isnan(thresholds), np.nan, _divide(hits, of_tampered.sum(axis=1)))
    return found


def _divide(sums: PerDraw, counts: PerDraw) -> PerDraw:
    found: PerDraw = np.full(len(sums), np.nan)
    np.divide(sums, counts, out=found, where=counts > 0)
    return found
