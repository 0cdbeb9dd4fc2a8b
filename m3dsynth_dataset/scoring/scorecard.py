"""The figures of a detector on a split: overall, for every generator and manipulation, and on the control."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from m3dsynth_dataset.metrics import (
    Calibration,
    Interval,
    calibration,
    equal_error_rate,
    false_alarm_rate,
    interval,
    threshold_at,
)
from m3dsynth_dataset.metrics.bootstrap import DRAWS
from m3dsynth_dataset.metrics.detection import FEW_NEGATIVES
from m3dsynth_dataset.metrics.resampled import means
from m3dsynth_dataset.scoring.contest import RATE, Contest
from m3dsynth_dataset.scoring.judgement import Judgement
from m3dsynth_dataset.scoring.parity import Parity, parity

OVERALL = "overall"
FEW_PATIENTS = 20
"""With fewer, an interval over patients says little."""


@dataclass(frozen=True)
class Figures:
    """Of one group of tampered samples against all pristine ones, each with its interval over patients."""

    group: str
    tampered: int
    pristine: int
    localised: int
    """Tampered volumes with a mask, which F1 and IoU are of: where it is empty, there is nothing to localise."""
    f1: Interval
    """Mean over tampered volumes, maps at 0.5; NaN if none has a mask."""
    iou: Interval
    pooled_f1: float
    """Of all voxels together: large edits weigh more."""
    pooled_iou: float
    patient_f1: float
    """Mean over patients of their volumes' means: patients with many edits weigh no more than others."""
    pd: Interval
    """Probability of detection at 1 % false alarms."""
    accuracy: Interval
    """Balanced, at 0.5."""
    auc: Interval
    eer: float


@dataclass(frozen=True)
class Bin:
    """Scores from ``low`` up to ``high``, and whether they mean what they say."""

    low: float
    high: float
    count: int
    mean_score: float | None
    """None, like the next, if there are none."""
    share_tampered: float | None
    """When tampered and pristine samples weigh the same."""


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
    parity: Parity
    """What other papers' definitions give."""
    calibration: tuple[Bin, ...]
    calibration_error: float
    """Mean distance of score and share."""
    warnings: tuple[str, ...]

    @property
    def overall(self) -> Figures:
        """Over all tampered samples."""
        return self.groups[0]

    def worst(self, measure: Callable[[Figures], float]) -> Figures:
        """The group for which a measure is lowest, of those that have it."""
        return min(self.groups[1:], key=lambda figures: (math.isnan(measure(figures)), measure(figures), figures.group))


def scorecard(
    judgements: Sequence[Judgement],
    *,
    calibration: Sequence[Judgement] | None = None,
    by: Callable[[Judgement], str] = attrgetter("group"),
    draws: int = DRAWS,
) -> Scorecard:
    """Score a detector. The order of the judgements does not matter.

    Args:
        judgements: Of the split.
        calibration: Of the split whose pristine scans set the threshold, validation as a rule. This split's own when
            omitted: that is how the M3Dsynth paper has it (parity), and optimistic.
        by: What tampered samples are grouped by; generator and manipulation when omitted.
        draws: Of the bootstrap.

    Raises:
        ValueError: If there are no pristine or no tampered samples.
    """
    pristine, tampered, control = (_of(judgements, label) for label in ("pristine", "tampered", "control"))
    if not pristine or not tampered:
        raise ValueError("a split is scored on pristine and on tampered samples; there are none of one kind")
    reference = _scores(_of(calibration or judgements, "pristine"))
    threshold = threshold_at(reference, RATE)
    names = sorted({by(each) for each in tampered})
    groups = {OVERALL: tampered} | {name: [each for each in tampered if by(each) == name] for name in names}
    contests = {name: Contest(members, pristine, draws) for name, members in groups.items()}
    curve = _curve(contests[OVERALL])
    return Scorecard(
        tuple(_figures(name, each, threshold if calibration else None) for name, each in contests.items()),
        threshold,
        "validation" if calibration else "this split",
        false_alarm_rate(_scores(pristine), threshold),
        _control(control, threshold, draws),
        parity(contests),
        _bins(curve),
        curve.error,
        tuple(_warnings(contests[OVERALL], len(reference), calibration is None)),
    )


def _of(judgements: Iterable[Judgement], label: str) -> list[Judgement]:
    """In the order of their ids, so that sums do not depend on that of the rows."""
    return sorted((each for each in judgements if each.label == label), key=attrgetter("sample_id"))


def _scores(judgements: Iterable[Judgement]) -> np.ndarray:
    return np.array([each.score for each in judgements], np.float64)


def _figures(name: str, contest: Contest, threshold: float | None) -> Figures:
    localised = [each for each in contest.tampered if each.overlap.is_defined]
    f1, iou = (np.array([getattr(each.overlap, name) for each in localised]) for name in ("f1", "iou"))
    patients = [each.patient_id for each in localised]
    pooled = sum((each.overlap for each in localised[1:]), localised[0].overlap) if localised else None
    return Figures(
        name,
        len(contest.tampered),
        len(contest.pristine),
        len(localised),
        _mean(f1, patients, contest.draws),
        _mean(iou, patients, contest.draws),
        pooled.f1 if pooled else math.nan,
        pooled.iou if pooled else math.nan,
        _patient_mean(f1, patients),
        contest.detection() if threshold is None else contest.detection_at(threshold),
        contest.balanced_accuracy(),
        contest.auc(),
        equal_error_rate(contest.hits, contest.others),
    )


def _mean(values: np.ndarray, patients: Sequence[str], draws: int) -> Interval:
    if not len(values):
        return Interval(math.nan, math.nan, math.nan)
    return interval(lambda weights: means(values, weights), patients, draws=draws)


def _patient_mean(values: np.ndarray, patients: Sequence[str]) -> float:
    if not len(values):
        return math.nan
    _, owner = np.unique(np.asarray(patients), return_inverse=True)
    return float((np.bincount(owner, values) / np.bincount(owner)).mean())


def _control(control: Sequence[Judgement], threshold: float, draws: int) -> Interval | None:
    if not control:
        return None
    return _mean(_scores(control) > threshold, [each.patient_id for each in control], draws)


def _curve(contest: Contest) -> Calibration:
    return calibration(contest.hits, contest.others)


def _bins(curve: Calibration) -> tuple[Bin, ...]:
    edges = [number / len(curve.counts) for number in range(len(curve.counts) + 1)]
    lines = zip(edges, edges[1:], curve.counts.tolist(), curve.scores.tolist(), curve.shares.tolist(), strict=False)
    return tuple(
        Bin(low, high, count, *((score, share) if count else (None, None))) for low, high, count, score, share in lines
    )


def _warnings(contest: Contest, negatives: int, is_parity: bool) -> Iterable[str]:
    if negatives < FEW_NEGATIVES:
        scans = "scan" if negatives == 1 else "scans"
        yield f"Pd@1% was calibrated on {negatives} pristine {scans}: 1 % of them is less than one"
    if is_parity:
        yield "the threshold of Pd@1% was set on the scans that it is measured on (parity with the paper)"
    patients = {each.patient_id for each in (*contest.tampered, *contest.pristine)}
    if len(patients) < FEW_PATIENTS:
        yield f"intervals are over {len(patients)} patients: too few to rely on"
    overlaps = [each.overlap for each in contest.tampered]
    empty = sum(not each.is_defined for each in overlaps)
    if empty:
        yield f"{empty} tampered volumes have an empty mask, and count for detection alone"
    if not any(each.hits + each.false_alarms for each in overlaps):
        yield "no map says that anything is tampered: F1 and IoU are zero, as of a detector that does not localise"
