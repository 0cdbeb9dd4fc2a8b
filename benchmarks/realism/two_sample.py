"""A two-sample classifier: can what is inpainted be told from tissue, by a stranger who learns it from other patients?

An AUC of 0.5: it cannot (Lopez-Paz and Oquab 2017). The classifier is linear and sees the traits of cubes without an
edge. A network with more examples may tell what this one does not; what this one tells, anyone can.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64
from sklearn.linear_model import LogisticRegression

from m3dsynth_dataset.metrics import Interval, auc
from m3dsynth_dataset.metrics.bootstrap import interval
from m3dsynth_dataset.metrics.resampled import aucs

FEWEST = 4
"""Patients and, of each kind, cubes."""
FOLDS = 5
REPEATS = 4
PENALTY = 0.1
"""Inverse of the weights' penalty: few examples, many traits."""
FURTHEST = 5.0
"""Interquartile ranges from the median, at which a trait is cut off."""

Features = Float64[np.ndarray, "cubes traits"]
Labels = Bool[np.ndarray, " cubes"]
Scores = Float64[np.ndarray, " cubes"]


def two_sample(
    ours: Float64[np.ndarray, "n traits"], theirs: Float64[np.ndarray, "m traits"], patients: Sequence[str]
) -> Interval:
    """The AUC at which cubes of patients that were not learned from are told apart.

    Args:
        ours: Traits of what is inpainted.
        theirs: Of tissue.
        patients: Whose each cube is, ours first.

    Returns:
        With the interval of a bootstrap by patient; NaN with under 4 patients, or under 4 cubes of a kind.
    """
    if not _enough(ours, theirs, patients):
        return Interval(float("nan"), float("nan"), float("nan"))
    one, other = _told(ours, theirs, patients, REPEATS)
    count = len(one)
    return interval(lambda weights: aucs(one, other, weights[:, :count], weights[:, count:]), patients)


def two_sample_auc(
    ours: Float64[np.ndarray, "n traits"], theirs: Float64[np.ndarray, "m traits"], patients: Sequence[str]
) -> float:
    """The same without an interval, from patients dealt once, for floors."""
    return auc(*_told(ours, theirs, patients, 1)) if _enough(ours, theirs, patients) else float("nan")


def _enough(ours: np.ndarray, theirs: np.ndarray, patients: Sequence[str]) -> bool:
    return min(len(ours), len(theirs), len(set(patients))) >= FEWEST


def _told(ours: np.ndarray, theirs: np.ndarray, patients: Sequence[str], repeats: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of both kinds."""
    owners = np.unique(np.asarray(patients, dtype=np.str_), return_inverse=True)[1].astype(np.int64)
    labels = np.arange(len(owners)) < len(ours)
    scores = judged(_scaled(np.concatenate([ours, theirs])), labels, owners, repeats)
    return scores[labels], scores[~labels]


def judged(features: Features, labels: Labels, owners: Int64[np.ndarray, " cubes"], repeats: int) -> Scores:
    """Mean scores of the cubes, each by classifiers that have not learned from its patient."""
    rng = np.random.default_rng(0)
    scores = np.zeros(len(labels))
    for _ in range(repeats):
        fold = rng.permutation(np.arange(owners.max() + 1) % FOLDS)[owners]
        for number in range(min(FOLDS, owners.max() + 1)):
            learns, is_judged = fold != number, fold == number
            if len(np.unique(labels[learns])) == 2:
                scores[is_judged] += _scored(features[learns], labels[learns], features[is_judged])
    return np.round(scores / repeats, 9)  # equal cubes have equal scores, whatever the last digits say


def _scored(features: Features, labels: Labels, judged: Float64[np.ndarray, "others traits"]) -> np.ndarray:
    model = LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=500).fit(features, labels)
    found: np.ndarray = model.decision_function(judged)
    return found


def _scaled(features: Features) -> Features:
    """Medians 0, interquartile ranges 1, and outliers cut off; what is not known lies in the middle."""
    known = np.where(np.isnan(features).all(axis=0), 0.0, features)
    low, middle, high = np.nanpercentile(known, [25, 50, 75], axis=0)
    scaled = (known - middle) / np.where(high > low, high - low, 1.0)
    return np.asarray(np.nan_to_num(np.clip(scaled, -FURTHEST, FURTHEST)))
