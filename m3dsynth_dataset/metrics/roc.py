"""The receiver operating characteristic of scores."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Num

Scores = Num[np.ndarray, " _"]
"""Of any order of magnitude; higher means tampered."""


@dataclass(frozen=True, eq=False)
class Roc:
    """Its points, from no alarm at all to alarm always. An alarm is a score of at least the threshold."""

    false_alarms: Float64[np.ndarray, " points"]
    detections: Float64[np.ndarray, " points"]
    thresholds: Float64[np.ndarray, " points"]
    """The first is infinite."""


def roc(tampered: Scores, pristine: Scores) -> Roc:
    """The corners of the curve: points on a straight line between two others are left out, equal scores are one point.

    Args:
        tampered: Scores of tampered samples.
        pristine: Scores of pristine ones.

    Raises:
        ValueError: If there are none of one kind, or a score is not a number.
    """
    check_scores(tampered, pristine)
    scores = np.concatenate([tampered, pristine]).astype(np.float64)
    is_tampered = np.arange(len(scores)) < len(tampered)
    order = np.argsort(-scores, kind="stable")
    scores, is_tampered = scores[order], is_tampered[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(is_tampered)[last]
    alarms = last + 1 - hits
    if len(last) > 2:
        bends = (np.diff(hits, 2) != 0) | (np.diff(alarms, 2) != 0)
        kept = np.concatenate([[True], bends, [True]])
        hits, alarms, last = hits[kept], alarms[kept], last[kept]
    return Roc(
        np.append(0, alarms) / len(pristine), np.append(0, hits) / len(tampered), np.append(np.inf, scores[last])
    )


def check_scores(*groups: Scores) -> None:
    """See that there are scores of each kind, and that each is a number.

    Raises:
        ValueError: If not.
    """
    for group in groups:
        if not len(group):
            raise ValueError("detection is measured on tampered and on pristine samples; there are none of one kind")
        if np.isnan(group).any():
            raise ValueError("a score is not a number (NaN)")
