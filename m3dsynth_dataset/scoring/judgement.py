"""Predictions held against the truth, sample by sample."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.metrics import Overlap, overlap
from m3dsynth_dataset.scoring.truth import Truth
from m3dsynth_dataset.submission.heatmap import LEVELS
from m3dsynth_dataset.submission.prediction import Prediction

MAP_THRESHOLD = 0.5
_NOWHERE = Box((0, 0, 0), (0, 0, 0))


@dataclass(frozen=True)
class Judgement:
    """How well a sample was judged."""

    sample_id: str
    patient_id: str
    label: str
    generator: str
    manipulation: str
    score: float
    overlap: Overlap
    """Of the map with the mask."""

    @property
    def group(self) -> str:
        """The config that the sample stands in, such as ``dm-injection``."""
        return self.label if self.label == "pristine" else f"{self.generator}-{self.manipulation}"


def judge(truths: Iterable[Truth], predictions: Mapping[str, Prediction]) -> list[Judgement]:
    """Hold each prediction against the truth.

    Args:
        truths: Of the samples that count.
        predictions: By sample id.

    Raises:
        KeyError: If a sample was not judged.
    """
    return [_judge(truth, predictions[truth.sample_id]) for truth in truths]


def _judge(truth: Truth, prediction: Prediction) -> Judgement:
    heatmap = prediction.heatmap
    found = overlap(
        None if heatmap is None else heatmap.values,
        _NOWHERE if heatmap is None else heatmap.box,
        # What the control's mask covers is as it was, so there is nothing to find.
        truth.mask() if truth.label == "tampered" else None,
        truth.box or _NOWHERE,
        MAP_THRESHOLD * LEVELS,
    )
    return Judgement(
        truth.sample_id,
        truth.patient_id,
        truth.label,
        truth.generator,
        truth.manipulation,
        prediction.score,
        found,
    )
