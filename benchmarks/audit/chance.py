"""Chance: how well labels can be told from a few numbers, and how well they can be told by luck.

A detector meets patients that it has not learned from. So a score of a tampered sample counts only against pristine
samples of *other* patients, and every pair of patients counts once, however many samples they have. What luck gives is
measured, not assumed: labels are exchanged as they could have been, the same classifier learns them, again and again.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.stats import norm
from sklearn.linear_model import Ridge

from m3dsynth_dataset.metrics import Interval
from m3dsynth_dataset.metrics.bootstrap import interval

LEVEL = 0.05
"""Of all statistical checks together: how often an honest release is called leaky by one of them."""
HARMLESS_AUC = 0.55
"""An edit moves a scan's mean by hundredths of HU. Many scans make that significant, and it still helps nobody."""
FEWEST_PATIENTS = 4
EXCHANGES = 100
REPEATS, REPEATS_OF_MANY, MANY = 4, 2, 100
"""How often patients are halved, and how often where there are many of them."""
PENALTY = 0.1
"""Of the classifier's weights, for each sample it learns from."""
UNKNOWN = Interval(*[float("nan")] * 3)

Features = Float64[np.ndarray, "samples features"]
Labels = Bool[np.ndarray, " samples"]
Scores = Float64[np.ndarray, " samples"]
Owners = Int64[np.ndarray, " samples"]
"""Number of the patient whose each sample is, from 0."""
OfPairs = Float64[np.ndarray, "patients patients"]
"""Of patient i for what is true, and of patient j for what is not."""


@dataclass(frozen=True)
class Telling:
    """How well something can be told."""

    auc: Interval
    """With the interval of a bootstrap by patient."""
    limit: float
    """What luck reaches, all statistical checks of the audit counted; above 1 where there are too few patients."""
    patients: int

    @property
    def is_measurable(self) -> bool:
        """Whether any AUC at all could be told from luck."""
        return not np.isnan(self.auc.value) and self.limit < 1

    @property
    def is_told(self) -> bool:
        """Whether it can be told, and well enough to matter."""
        return self.is_measurable and self.auc.low > 0.5 and self.auc.value > max(self.limit, HARMLESS_AUC)

    def __str__(self) -> str:
        if np.isnan(self.auc.value):
            return f"{self.patients} patients are too few"
        value = f"AUC {self.auc.value:.2f} ({self.auc.low:.2f} to {self.auc.high:.2f})"
        if self.limit <= 0.5:
            return f"{value}: the same in all versions of a scan"
        if self.limit >= 1:
            return f"{value}; with {self.patients} patients no AUC can be told from chance"
        return f"{value}; with {self.patients} patients an AUC under {self.limit:.2f} cannot be told from chance"


def telling(features: Features, labels: Labels, patients: list[str], *, tests: int, seed: int = 0) -> Telling:
    """How well a linear classifier tells labels of patients that it has not learned from.

    It sees the ranks of the features and their squares, so neither units nor outliers matter, and what is unusual on
    either side can be told. Patients are halved at random; each half is judged by what the other has taught.

    Args:
        features: Numbers of each sample.
        labels: What is to be told.
        patients: Whose each sample is.
        tests: How many statistical checks the audit makes.
        seed: Of halves and exchanges.
    """
    names, owners = np.unique(np.asarray(patients), return_inverse=True)
    owners = owners.astype(np.int64)
    if len(names) < FEWEST_PATIENTS or labels.all() or not labels.any():
        return Telling(UNKNOWN, 2.0, len(names))
    rng = np.random.default_rng(seed)
    exchanged = np.stack([labels, *(exchange(labels, owners, rng) for _ in range(EXCHANGES))], axis=1)
    ranks, targets = _ranked(features), np.stack([_targets(each, owners) for each in exchanged.T], axis=1)
    wins, met = (np.zeros(EXCHANGES + 1) for _ in range(2))
    of_pairs = np.zeros((2, len(names), len(names)))
    for half in _halves(len(names), rng):
        found = judged(ranks, targets, owners, half)
        of_pairs += won(found[:, 0], labels, owners, half)
        for number in range(EXCHANGES + 1):
            more, counts = _won(found[:, number], exchanged[:, number], owners, half)
            wins[number] += more
            met[number] += counts
    if not met.all():
        return Telling(UNKNOWN, 2.0, len(names))
    by_luck = (wins / met)[1:]
    limit = float(np.round(by_luck.mean() + norm.isf(LEVEL / tests) * by_luck.std(), 6))
    return Telling(_interval(*of_pairs), limit, len(names))


def exchange(labels: Labels, owners: Owners, rng: np.random.Generator) -> Labels:
    """Labels as they could have been, if nothing but luck had a say.

    Patients who have both kinds are exchanged with those who have one, and within a patient it is drawn anew which
    samples are of which kind.
    """
    drawn = np.zeros_like(labels)
    members = [np.flatnonzero(owners == owner) for owner in range(owners.max() + 1)]
    kinds = [(bool(labels[each].any()), bool((~labels[each]).any())) for each in members]
    for each, place in zip(members, rng.permutation(len(members)), strict=True):
        some, others = kinds[place]
        if some and others and len(each) > 1:
            own = int(labels[each].sum())
            count = own if 0 < own < len(each) else len(each) - 1
            drawn[rng.permutation(each)[:count]] = True
        else:
            drawn[each] = some if some != others else rng.random() < 0.5
    return drawn


def judged(
    ranks: Features,
    targets: Float64[np.ndarray, "samples draws"],
    owners: Owners,
    half: Bool[np.ndarray, " patients"],
) -> Float64[np.ndarray, "samples draws"]:
    """Scores of the samples, those of each half by what the patients of the other have taught.

    Args:
        ranks: Features.
        targets: What is to be learned, of several draws, each by itself.
        owners: Whose each sample is.
        half: The patients of one half.
    """
    found = np.zeros(targets.shape)
    for side in (half, ~half):
        learns, is_judged = side[owners], ~side[owners]
        model = Ridge(alpha=PENALTY * int(learns.sum())).fit(ranks[learns], targets[learns])
        found[is_judged] = model.predict(ranks[is_judged])
    return np.round(found, 9)  # equal samples have equal scores, whatever the last digits say


def won(scores: Scores, labels: Labels, owners: Owners, half: Bool[np.ndarray, " patients"]) -> tuple[OfPairs, OfPairs]:
    """How often a true sample of one patient has the higher score than a false one of another in the same half.

    Returns:
        The share, ties half, and 1 where there are such samples, else 0.
    """
    count = len(half)
    wins, met = np.zeros((count, count)), np.zeros((count, count))
    for side in (half, ~half):
        true, false = (np.flatnonzero(side[owners] & kind) for kind in (labels, ~labels))
        if len(true) and len(false):
            true, false = (each[np.argsort(owners[each], kind="stable")] for each in (true, false))
            higher = (scores[true][:, None] > scores[false]) + 0.5 * (scores[true][:, None] == scores[false])
            (rows, row_starts, row_counts), (columns, column_starts, column_counts) = (
                np.unique(owners[each], return_index=True, return_counts=True) for each in (true, false)
            )
            sums = np.add.reduceat(np.add.reduceat(higher, row_starts, axis=0), column_starts, axis=1)
            wins[np.ix_(rows, columns)] = sums / np.outer(row_counts, column_counts)
            met[np.ix_(rows, columns)] = 1
    np.fill_diagonal(wins, 0)
    np.fill_diagonal(met, 0)
    return wins, met


def _won(scores: Scores, labels: Labels, owners: Owners, half: Bool[np.ndarray, " patients"]) -> tuple[float, float]:
    """The sums of what :func:`won` gives, in the time that sorting takes."""
    wins = met = 0.0
    for side in (half, ~half):
        here = side[owners]
        own, true = owners[here], labels[here]
        ranks = np.unique(scores[here], return_inverse=True)[1]
        of_true, of_false = (np.bincount(own[kind], minlength=len(half)) for kind in (true, ~true))
        above, below = true / np.maximum(of_true, 1)[own], ~true / np.maximum(of_false, 1)[own]
        # Pairs of one patient do not count. They are those of its part, when every patient has a part of the ranks.
        part = own * (len(ranks) + 1)
        wins += _won_from(ranks, above, below, np.zeros_like(part)) - _won_from(part + ranks, above, below, part)
        present = (of_true > 0, of_false > 0)
        met += float(present[0].sum() * present[1].sum() - np.logical_and(*present).sum())
    return wins, met


def _won_from(places: np.ndarray, above: np.ndarray, below: np.ndarray, first: np.ndarray) -> float:
    """The sum of the weights of all pairs in which the true one is above the false one, ties half.

    Args:
        places: Whole numbers, in whose order the samples stand.
        above: Weights, 0 for what is not true.
        below: Weights, 0 for what is not false.
        first: From which place on samples count, for each.
    """
    order = np.argsort(places, kind="stable")
    ordered, upto = places[order], np.concatenate([[0.0], np.cumsum(below[order])])
    under, with_ties = upto[np.searchsorted(ordered, places)], upto[np.searchsorted(ordered, places, "right")]
    return float(above @ ((under + with_ties) / 2 - upto[np.searchsorted(ordered, first)]))


def _interval(wins: OfPairs, met: OfPairs) -> Interval:
    def measure(weights: np.ndarray) -> np.ndarray:
        above, below = (np.einsum("di,ij,dj->d", weights, each, weights, optimize=True) for each in (wins, met))
        found = np.full(len(weights), np.nan)
        np.divide(above, below, out=found, where=below > 0)
        return found

    return interval(measure, [str(number) for number in range(len(wins))])


def _targets(labels: Labels, owners: Owners) -> Scores:
    """What the classifier is to give: of every patient, both kinds weigh the same."""
    found = np.zeros(len(labels))
    for kind, sign in ((labels, 1.0), (~labels, -1.0)):
        counts = np.bincount(owners[kind], minlength=owners.max() + 1)
        found[kind] = sign / counts[owners[kind]]
    return found


def _ranked(features: Features) -> Float64[np.ndarray, "samples ranks"]:
    """Ranks between -1 and 1, equal values the same, and their squares; what is the same for all is left out."""
    columns = []
    for column in features.T:
        values, places, counts = np.unique(column, return_inverse=True, return_counts=True)
        if len(values) > 1:
            middle = np.cumsum(counts) - counts / 2
            ranks = (2 * middle / len(column) - 1)[places]
            columns += [ranks, ranks**2 - np.mean(ranks**2)]
    return np.stack(columns, axis=1) if columns else np.zeros((len(features), 1))


def _halves(patients: int, rng: np.random.Generator) -> list[Bool[np.ndarray, " patients"]]:
    repeats = REPEATS if patients < MANY else REPEATS_OF_MANY
    return [rng.permutation(patients) < patients // 2 for _ in range(repeats)]
