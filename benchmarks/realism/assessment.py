"""The assessment of a config: what was measured in its edits, against tissue, with the floor between tissue and tissue.

Tissue that an edit is held against is of the kind that it should look like: for an injection, nodules (the places of
the release's removals, as they were); for a removal, what is most alike beside it in the same slices; for the control,
which changes nothing, its own places before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from benchmarks.realism.collection import Collection, mean_of_known
from benchmarks.realism.frechet import frechet_distance
from benchmarks.realism.halves import Chosen, Floor, floor
from benchmarks.realism.histogram import wasserstein_hu
from benchmarks.realism.seam import Jumps, mean_jump
from benchmarks.realism.survey import Edits, Survey
from benchmarks.realism.two_sample import two_sample, two_sample_auc
from m3dsynth_dataset.configs import is_control
from m3dsynth_dataset.metrics import Interval
from m3dsynth_dataset.metrics.bootstrap import interval
from m3dsynth_dataset.metrics.resampled import means

NODULES = "nodules"
BESIDE = "tissue beside"
BEFORE = "before"

Curve = Float64[np.ndarray, " shells"]
Quantiles = Float64[np.ndarray, " quantiles"]


@dataclass(frozen=True)
class Distance:
    """A distance between edits and tissue."""

    value: float
    """NaN where it was not measured, as in the floor."""
    floor: Floor
    """Between two halves of the tissue."""

    @property
    def is_beyond(self) -> bool:
        """Whether it is larger than that of 95 % of the halves."""
        return self.value > self.floor.limit


@dataclass(frozen=True, eq=False)
class Assessment:
    """The figures of a config. NaN stands for what could not be measured."""

    config: str
    generator: str
    manipulation: str
    is_control: bool
    edits: int
    patients: int
    too_thin: tuple[str, ...]
    """Samples that were left out."""
    tissue: str
    """What the edits are held against: nodules, tissue beside, or before."""
    places: int
    """Of tissue."""
    fine_noise_db: Interval
    """Power over 5/16 per mm against that of the surroundings, in decibels."""
    fine_noise_tissue_db: Interval
    """The same of tissue."""
    spectrum_db: Distance
    """Root mean square over shells, but for the first, between the mean ratios to the surroundings."""
    correlation: Distance
    """Root mean square over axes and lags, between mean autocorrelations."""
    seam_ratio: Interval
    """Mean jump across the border of the mask, to that at the same faces before."""
    seam_beside_ratio: Interval
    """The same to those at the faces of the mask, laid beside."""
    seam_tissue_ratio: Interval
    """The jump before to those beside: what chance gives."""
    histogram_hu: Distance
    """1-Wasserstein."""
    frechet: Distance
    auc: Interval
    """Of the two-sample classifier."""
    auc_floor: Floor
    """Between two halves of the tissue."""
    ratio_db: Curve
    """At each of the spectrum's frequencies, mean over edits."""
    ratio_tissue_db: Curve
    power: Curve
    """Mean over edits, HU^2 mm^2."""
    power_tissue: Curve
    correlations: Float64[np.ndarray, "axes lags"]
    correlations_tissue: Float64[np.ndarray, "axes lags"]
    quantiles_hu: Quantiles
    """5, 25, 50, 75, 95 %."""
    quantiles_tissue_hu: Quantiles


QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def assess(found: Survey) -> list[Assessment]:
    """Assess every config of a survey that has an edit to measure; floors of the same tissue are measured once."""
    floors: dict[int, Floors] = {}
    assessments = []
    for edits in found.edits:
        if len(edits.collection):
            name, tissue = tissue_of(found, edits)
            if id(tissue) not in floors:
                floors[id(tissue)] = Floors.of(tissue)
            assessments.append(_assessment(edits, name, tissue, floors[id(tissue)]))
    return assessments


def tissue_of(found: Survey, edits: Edits) -> tuple[str, Collection]:
    """What the edits of a config are held against, and its name."""
    if edits.manipulation == "injection" and not is_control(edits.config) and "removal" in found.before:
        return NODULES, found.before["removal"]
    beside = found.beside.get(edits.manipulation)
    if edits.manipulation == "removal" and not is_control(edits.config) and beside:
        return BESIDE, beside
    return BEFORE, found.before[edits.manipulation]


@dataclass(frozen=True)
class Floors:
    """Of all distances, between halves of the same tissue."""

    spectrum: Floor
    correlation: Floor
    histogram: Floor
    frechet: Floor
    auc: Floor

    @classmethod
    def of(cls, tissue: Collection) -> Floors:
        """Measure them."""
        owners = np.array(tissue.patients)

        def halved(distance: Callable[[Chosen, Chosen], float]) -> Floor:
            return floor(distance, tissue.patients)

        ratios, correlations, features = tissue.ratio_rows, tissue.correlation_rows, np.array(tissue.features)
        traits = tissue.trait_rows
        return cls(
            halved(lambda one, other: _apart(ratios[one, 1:], ratios[other, 1:])),
            halved(lambda one, other: _apart(correlations[one], correlations[other])),
            halved(
                lambda one, other: wasserstein_hu(
                    *(tissue.histogram(np.unique(owners[half]).tolist()) for half in (one, other))
                )
            ),
            halved(lambda one, other: frechet_distance(features[one], features[other]) if len(features) else np.nan),
            halved(lambda one, other: two_sample_auc(traits[one], traits[other], [*owners[one], *owners[other]])),
        )


def _assessment(edits: Edits, name: str, tissue: Collection, floors: Floors) -> Assessment:
    ours = edits.collection
    features = [np.array(each.features) for each in (ours, tissue)]
    return Assessment(
        config=edits.config,
        generator=edits.generator,
        manipulation=edits.manipulation,
        is_control=is_control(edits.config),
        edits=len(ours),
        patients=len(set(ours.patients)),
        too_thin=tuple(edits.too_thin),
        tissue=name,
        places=len(tissue),
        fine_noise_db=_mean(ours.fine_noise_db, ours.patients),
        fine_noise_tissue_db=_mean(tissue.fine_noise_db, tissue.patients),
        spectrum_db=Distance(_apart(ours.ratio_rows[:, 1:], tissue.ratio_rows[:, 1:]), floors.spectrum),
        correlation=Distance(_apart(ours.correlation_rows, tissue.correlation_rows), floors.correlation),
        seam_ratio=_jump_ratio([(after, before) for after, before, _ in edits.seams], ours.patients),
        seam_beside_ratio=_jump_ratio([(after, beside) for after, _, beside in edits.seams], ours.patients),
        seam_tissue_ratio=_jump_ratio([(before, beside) for _, before, beside in edits.seams], ours.patients),
        histogram_hu=Distance(wasserstein_hu(ours.histogram(), tissue.histogram()), floors.histogram),
        frechet=Distance(frechet_distance(*features) if features[0].size else np.nan, floors.frechet),
        auc=two_sample(ours.trait_rows, tissue.trait_rows, [*ours.patients, *tissue.patients]),
        auc_floor=floors.auc,
        ratio_db=mean_of_known(ours.ratio_rows),
        ratio_tissue_db=mean_of_known(tissue.ratio_rows),
        power=mean_of_known(np.array(ours.powers)),
        power_tissue=mean_of_known(np.array(tissue.powers)),
        correlations=mean_of_known(ours.correlation_rows),
        correlations_tissue=mean_of_known(tissue.correlation_rows),
        quantiles_hu=ours.quantiles_hu(QUANTILES),
        quantiles_tissue_hu=tissue.quantiles_hu(QUANTILES),
    )


def _apart(ours: Float64[np.ndarray, "n ..."], theirs: Float64[np.ndarray, "m ..."]) -> float:
    """Root mean square of the difference of means, over what is known of both."""
    squares = (mean_of_known(ours) - mean_of_known(theirs)) ** 2
    known = squares[~np.isnan(squares)]
    return float(np.sqrt(known.mean())) if known.size else float("nan")


def _mean(values: Float64[np.ndarray, " places"], patients: Sequence[str]) -> Interval:
    known = ~np.isnan(values)
    if not known.any():
        return Interval(float("nan"), float("nan"), float("nan"))
    return interval(lambda weights: means(values[known], weights), list(np.array(patients)[known]))


def _jump_ratio(pairs: Sequence[tuple[Jumps, Jumps]], patients: Sequence[str]) -> Interval:
    """The mean jump of the first to that of the second: a ratio of means over edits."""
    found = np.array([[mean_jump(one), mean_jump(other)] for one, other in pairs])
    known = ~np.isnan(found).any(axis=1)
    if not found[known].any():
        return Interval(float("nan"), float("nan"), float("nan"))
    above, below = found[known].T
    return interval(
        lambda weights: np.divide(
            weights @ above, weights @ below, out=np.full(len(weights), np.nan), where=weights @ below > 0
        ),
        list(np.array(patients)[known]),
    )
