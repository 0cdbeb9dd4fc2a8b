"""Measures of a volume's score: is there tampering anywhere?"""

import math
from dataclasses import dataclass

import numpy as np

from m3dsynth_dataset.metrics.roc import Scores, check_scores, roc

FEW_NEGATIVES = 100
"""With fewer pristine samples, a false-alarm rate of 1 % is less than one of them."""
TOLERANCE = 1e-9
"""1 % of 100 is one, whatever the last digit of the product says."""


@dataclass(frozen=True)
class OperatingPoint:
    """A probability of detection, and what it costs."""

    detection: float
    false_alarms: float
    """The rate that is realised on the pristine samples of the calibration."""
    threshold: float
    """An alarm is a score above it; NaN for variants that have none."""
    is_coarse: bool
    """Whether there were too few pristine samples for the rate that was asked for."""


def threshold_at(pristine: Scores, rate: float = 0.01) -> float:
    """The smallest threshold whose false alarms, scores above it, are at most a share of the pristine samples.

    With equal scores the realised rate may be lower than asked for, and never higher.

    Args:
        pristine: Scores of pristine samples.
        rate: Of false alarms, 0 to 1.
    """
    check_scores(pristine)
    if not 0 <= rate < 1:
        raise ValueError(f"a rate of false alarms is >= 0 and < 1, got {rate}")
    allowed = math.floor(rate * len(pristine) + TOLERANCE)
    return float(np.sort(pristine)[len(pristine) - 1 - allowed])


def pd_at(
    tampered: Scores,
    pristine: Scores,
    rate: float = 0.01,
    *,
    calibration: Scores | None = None,
    variant: str = "conservative",
) -> OperatingPoint:
    """Probability of detection at a rate of false alarms (Pd@1%).

    Args:
        tampered: Scores of tampered samples.
        pristine: Scores of pristine samples of the same split.
        rate: Of false alarms.
        calibration: Pristine scores that the threshold is set on, such as those of validation; ``pristine`` when
            omitted, which is how the M3Dsynth paper has it, and optimistic.
        variant: ``conservative`` as :func:`threshold_at`; ``interp`` interpolates the curve, as the GRIP detectors
            do; ``nearest`` takes the curve's corner nearest to the rate, which may exceed it, as HexMIL does.
    """
    reference = pristine if calibration is None else calibration
    is_coarse = len(reference) < FEW_NEGATIVES
    if variant == "conservative":
        check_scores(tampered)
        threshold = threshold_at(reference, rate)
        alarms = false_alarm_rate(pristine, threshold)
        return OperatingPoint(float(np.mean(tampered > threshold)), alarms, threshold, is_coarse)
    curve = roc(tampered, reference)
    if variant == "interp":
        return OperatingPoint(float(np.interp(rate, curve.false_alarms, curve.detections)), rate, math.nan, is_coarse)
    if variant != "nearest":
        raise ValueError(f"variant must be conservative, interp or nearest, got {variant!r}")
    place = int(np.argmin(np.abs(curve.false_alarms - rate)))
    return OperatingPoint(float(curve.detections[place]), float(curve.false_alarms[place]), math.nan, is_coarse)


def false_alarm_rate(scores: Scores, threshold: float) -> float:
    """Share of scores above a threshold."""
    check_scores(scores)
    return float(np.mean(scores > threshold))


def balanced_accuracy(tampered: Scores, pristine: Scores, threshold: float = 0.5) -> float:
    """Mean of the share of tampered samples above a threshold and of pristine ones not above it."""
    return (false_alarm_rate(tampered, threshold) + 1 - false_alarm_rate(pristine, threshold)) / 2


def auc(tampered: Scores, pristine: Scores) -> float:
    """Area under the curve: how often a tampered sample has the higher score; equal scores count half."""
    check_scores(tampered, pristine)
    ordered = np.sort(pristine)
    below = np.searchsorted(ordered, tampered, "left")
    upto = np.searchsorted(ordered, tampered, "right")
    return float((below + upto).sum() / (2 * len(tampered) * len(pristine)))


def equal_error_rate(tampered: Scores, pristine: Scores) -> float:
    """Where as many tampered samples are missed as pristine ones alarm, between the curve's corners on a line."""
    curve = roc(tampered, pristine)
    excess = curve.false_alarms + curve.detections - 1
    after = int(np.argmax(excess >= 0))
    before = after - 1
    share = -excess[before] / (excess[after] - excess[before])
    return float(curve.false_alarms[before] + share * (curve.false_alarms[after] - curve.false_alarms[before]))
