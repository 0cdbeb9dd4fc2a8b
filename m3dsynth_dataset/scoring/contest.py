"""Tampered samples against pristine ones: how well their scores tell them apart, with intervals over patients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from m3dsynth_dataset.metrics import Interval, interval
from m3dsynth_dataset.metrics.bootstrap import PerDraw, Weights
from m3dsynth_dataset.metrics.resampled import aucs, balanced_accuracies, detections, means
from m3dsynth_dataset.scoring.judgement import Judgement

RATE = 0.01
"""Of false alarms."""


@dataclass(frozen=True)
class Contest:
    """One group of tampered samples, and all pristine ones."""

    tampered: Sequence[Judgement]
    pristine: Sequence[Judgement]
    draws: int
    """Of the bootstrap."""

    @cached_property
    def hits(self) -> np.ndarray:
        """Scores of the tampered samples."""
        return np.array([each.score for each in self.tampered], np.float64)

    @cached_property
    def others(self) -> np.ndarray:
        """Scores of the pristine ones."""
        return np.array([each.score for each in self.pristine], np.float64)

    def detection_at(self, threshold: float) -> Interval:
        """Share of tampered samples above a threshold that was set elsewhere."""
        return self._interval(lambda tampered, _: means(self.hits > threshold, tampered))

    def detection(self) -> Interval:
        """The same with the threshold set on these pristine samples, in every draw anew."""
        return self._interval(lambda tampered, pristine: detections(self.hits, self.others, tampered, pristine, RATE))

    def balanced_accuracy(self) -> Interval:
        """At 0.5."""
        return self._interval(lambda *weights: balanced_accuracies(self.hits, self.others, *weights))

    def auc(self) -> Interval:
        """Area under the curve."""
        return self._interval(lambda *weights: aucs(self.hits, self.others, *weights))

    def _interval(self, measure: Callable[[Weights, Weights], PerDraw]) -> Interval:
        count = len(self.tampered)
        patients = [each.patient_id for each in (*self.tampered, *self.pristine)]
        return interval(lambda weights: measure(weights[:, :count], weights[:, count:]), patients, draws=self.draws)
