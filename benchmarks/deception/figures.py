"""The exchange of roles in numbers, with intervals by patient.

Sites of removals hold a nodule before and none after; sites of injections the other way round. So a classifier that is
deceived puts the first above the second before (AUC above 0.5), and below them after (AUC under 0.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from benchmarks.deception.scores import Change
from m3dsynth_dataset.metrics import Interval, interval
from m3dsynth_dataset.metrics.bootstrap import PerDraw, Weights
from m3dsynth_dataset.metrics.resampled import aucs, means
from m3dsynth_dataset.schema import CONTROL

THRESHOLD = 0.5
"""From this probability on the decision is malignant."""
FEWEST = 5
"""Patients, below which no interval by patient leaves anything beyond doubt."""
RATED, ALL = "rated", "all"
GROUPS = {
    RATED: "Sites of nodules that the readers call benign (injections) and malignant (removals)",
    ALL: "All sites, whatever the readers say",
}
UNKNOWN = Interval(np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Figures:
    """Of one generator."""

    generator: str
    group: str
    """One of ``GROUPS``."""
    patients: int
    injections: int
    removals: int
    before: Interval
    """AUC, sites of removals above sites of injections."""
    after: Interval
    injected: Interval
    """Share of the sites of injections judged benign before that are judged malignant after."""
    removed: Interval
    """Share of the sites of removals judged malignant before that are judged benign after."""

    @property
    def roles(self) -> str:
        """What has become of them: exchanged or kept, where the intervals leave no doubt."""
        if isnan(self.before.value) or isnan(self.after.value):
            return "unknown"
        if self.patients < FEWEST:
            return "too few patients"
        if self.before.low <= 0.5:
            return "not told apart"
        if self.after.high < 0.5:
            return "exchanged"
        return "kept" if self.after.low > 0.5 else "in doubt"

    @property
    def parts(self) -> tuple[Interval, Interval, Interval, Interval]:
        """AUC before and after, share of injections and of removals that flip a decision."""
        return self.before, self.after, self.injected, self.removed


def figures(changes: Sequence[Change]) -> list[Figures]:
    """Of every generator, by rated sites and by all."""
    generators = list(dict.fromkeys(change.generator for change in changes))
    return [
        _figures([change for change in changes if change.generator == generator], generator, group)
        for group in (RATED, ALL)
        for generator in generators
    ]


def faults(figures: Sequence[Figures]) -> list[str]:
    """What is not as it must be, of all sites: inpainters exchange the roles, the control keeps them.

    For an inpainter the AUC after must lie below 0.5, its interval need not: few patients make it wide.

    Args:
        figures: Of :func:`figures`.
    """
    here = {each.generator: each for each in figures if each.group == ALL}
    found = [] if CONTROL in here else [f"the release has no control ({CONTROL})"]
    for name, each in here.items():
        told = f"{each.roles} (AUC {percent(each.before)} before, {percent(each.after)} after)"
        if name == CONTROL and each.roles != "kept":
            found.append(f"{name}, the control, must keep the roles: {told}")
        if name != CONTROL and not (each.before.low > 0.5 > each.after.value):
            found.append(f"{name} must exchange the roles: {told}")
    return found


def percent(part: Interval) -> str:
    """A share with its interval, both in per cent; a dash where there is nothing to tell."""
    return "-" if isnan(part.value) else f"{100 * part.value:.1f} ({100 * part.low:.0f}-{100 * part.high:.0f})"


def _figures(changes: Sequence[Change], generator: str, group: str) -> Figures:
    here = [change for change in changes if group == ALL or change.is_malignant is (change.manipulation == "removal")]
    removals = [change for change in here if change.manipulation == "removal"]
    injections = [change for change in here if change.manipulation == "injection"]
    return Figures(
        generator=generator,
        group=group,
        patients=len({change.patient_id for change in here}),
        injections=len(injections),
        removals=len(removals),
        before=_auc(removals, injections, "before"),
        after=_auc(removals, injections, "after"),
        injected=_share([change for change in injections if change.before < THRESHOLD], malignant=True),
        removed=_share([change for change in removals if change.before >= THRESHOLD], malignant=False),
    )


def _auc(removals: Sequence[Change], injections: Sequence[Change], when: str) -> Interval:
    if not removals or not injections:
        return UNKNOWN
    high, low = (np.array([getattr(change, when) for change in part]) for part in (removals, injections))

    def measure(weights: Weights) -> PerDraw:
        return aucs(high, low, weights[:, : len(high)], weights[:, len(high) :])

    return interval(measure, [change.patient_id for change in (*removals, *injections)])


def _share(changes: Sequence[Change], *, malignant: bool) -> Interval:
    """Of those judged malignant after, or benign."""
    if not changes:
        return UNKNOWN
    flipped = np.array([(change.after >= THRESHOLD) is malignant for change in changes])
    return interval(lambda weights: means(flipped, weights), [change.patient_id for change in changes])
