"""The figures of a detector on a split: overall, for every generator and manipulation, and on the control."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from m3dsynth_dataset.metrics import (
    Interval,
    auc,
    balanced_accuracy,
    equal_error_rate,
    false_alarm_rate,
    interval,
    pd_at,
    threshold_at,
)
from m3dsynth_dataset.metrics.bootstrap import DRAWS, Chosen
from m3dsynth_dataset.metrics.detection import FEW_NEGATIVES
from m3dsynth_dataset.scoring.judgement import Judgement

RATE = 0.01

OVERALL = "overall"


@dataclass(frozen=True)
class Figures:
    """Of one group of tampered samples against all pristine ones, each with its interval over patients."""

    group: str
    tampered: int
    pristine: int
    f1: Interval
    """Mean over tampered volumes, maps at 0.5."""
    iou: Interval
    pooled_f1: float
    """Of all voxels together: large edits weigh more."""
    pd: Interval
    """Probability of detection at 1 % false alarms."""
    accuracy: Interval
    """Balanced, at 0.5."""
    auc: Interval
    eer: float


@dataclass(frozen=True)
class Scorecard:
    """All figures of a detector on a split."""

    groups: tuple[Figures, ...]
    """Overall first, then by generator and manipulation."""
    threshold: float
    """Of Pd@1%: an alarm is a score above it."""
    calibrated_on: str
    false_alarms: float
    """Realised by the threshold on this split's pristine scans."""
    control: Interval | None
    """Share of the control's samples above the threshold; None if the split has none."""
    warnings: tuple[str, ...]

    @property
    def overall(self) -> Figures:
        """Over all tampered samples."""
        return self.groups[0]

    def worst(self, measure: Callable[[Figures], float]) -> Figures:
        """The group for which a measure is lowest."""
        return min(self.groups[1:], key=measure)


def scorecard(
    judgements: Sequence[Judgement],
    *,
    calibration: Sequence[Judgement] | None = None,
    by: Callable[[Judgement], str] = attrgetter("group"),
    draws: int = DRAWS,
) -> Scorecard:
    """Score a detector.

    Args:
        judgements: Of the split.
        calibration: Of the split whose pristine scans set the threshold, validation as a rule. This split's own when
            omitted: that is how the M3Dsynth paper has it (parity), and optimistic.
        by: What tampered samples are grouped by; generator and manipulation when omitted.
        draws: Of the bootstrap.

    Raises:
        ValueError: If there are no pristine or no tampered samples.
    """
    pristine = [each for each in judgements if each.label == "pristine"]
    tampered = [each for each in judgements if each.label == "tampered"]
    control = [each for each in judgements if each.label == "control"]
    if not pristine or not tampered:
        raise ValueError("a split is scored on pristine and on tampered samples; there are none of one kind")
    reference = _scores(each for each in calibration or judgements if each.label == "pristine")
    threshold = threshold_at(reference, RATE)
    names = sorted({by(each) for each in tampered})
    groups = [(OVERALL, tampered), *((name, [each for each in tampered if by(each) == name]) for name in names)]
    return Scorecard(
        tuple(_figures(name, members, pristine, threshold if calibration else None, draws) for name, members in groups),
        threshold,
        "validation" if calibration else "this split",
        false_alarm_rate(_scores(pristine), threshold),
        _control(control, threshold, draws),
        _warnings(len(reference), calibration is None),
    )


def _figures(
    name: str, tampered: Sequence[Judgement], pristine: Sequence[Judgement], threshold: float | None, draws: int
) -> Figures:
    both = [*tampered, *pristine]
    scores, patients = _scores(both), [each.patient_id for each in both]
    kinds = np.arange(len(both)) < len(tampered)

    def of_scores(measure: Callable[[np.ndarray, np.ndarray], float]) -> Interval:
        def chosen(indices: Chosen) -> float:
            return measure(scores[indices[kinds[indices]]], scores[indices[~kinds[indices]]])

        return interval(chosen, patients, draws=draws)

    def detection(hits: np.ndarray, others: np.ndarray) -> float:
        if threshold is None:
            return pd_at(hits, others, RATE).detection
        return false_alarm_rate(hits, threshold)

    owners = [each.patient_id for each in tampered]
    f1, iou = (np.array([getattr(each.overlap, name) for each in tampered]) for name in ("f1", "iou"))
    pooled = sum((each.overlap for each in tampered[1:]), tampered[0].overlap)
    return Figures(
        name,
        len(tampered),
        len(pristine),
        interval(lambda indices: float(f1[indices].mean()), owners, draws=draws),
        interval(lambda indices: float(iou[indices].mean()), owners, draws=draws),
        pooled.f1,
        of_scores(detection),
        of_scores(balanced_accuracy),
        of_scores(auc),
        equal_error_rate(scores[kinds], scores[~kinds]),
    )


def _control(control: Sequence[Judgement], threshold: float, draws: int) -> Interval | None:
    if not control:
        return None
    alarms = _scores(control) > threshold
    return interval(lambda indices: float(alarms[indices].mean()), [each.patient_id for each in control], draws=draws)


def _scores(judgements: Iterable[Judgement]) -> np.ndarray:
    return np.array([each.score for each in judgements], np.float64)


def _warnings(negatives: int, is_parity: bool) -> tuple[str, ...]:
    found = []
    if negatives < FEW_NEGATIVES:
        found.append(f"Pd@1% was calibrated on {negatives} pristine scans: 1 % of them is less than one")
    if is_parity:
        found.append("the threshold of Pd@1% was set on the scans that it is measured on (parity with the paper)")
    return tuple(found)
