"""Predictions held against the truth, sample by sample."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import SealedError
from m3dsynth_dataset.metrics import Overlap, oracle_f1, overlap
from m3dsynth_dataset.schema import SEALED
from m3dsynth_dataset.scoring.truth import Truth
from m3dsynth_dataset.submission.heatmap import LEVELS, Heatmap
from m3dsynth_dataset.submission.prediction import Prediction
from m3dsynth_dataset.types import PatchMask

MAP_THRESHOLD = 0.5
_NOWHERE = Box((0, 0, 0), (0, 0, 0))

Levels = UInt8[np.ndarray, "depth height width"]


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
    oracle_f1: float = math.nan
    """F1 at the best threshold of this very map, for parity; NaN where nothing is tampered."""
    permuted_f1: float = math.nan
    """The better F1 of the map and its opposite, for parity; NaN where nothing is tampered."""

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
        SealedError: If the truth is not known.
    """
    return [judgement(truth, predictions[truth.sample_id]) for truth in truths]


def judgement(truth: Truth, prediction: Prediction, slab: Box | None = None) -> Judgement:
    """Hold a prediction against the truth.

    Args:
        truth: Of a sample.
        prediction: Of the same.
        slab: Of the scan, outside which neither the map nor the mask counts; None for the whole scan.
    """
    if truth.label == SEALED:
        raise SealedError(
            f"{truth.sample_id}: its truth is sealed, so it is scored by whoever has the labels (--labels)"
        )
    whole = Box((0, 0, 0), truth.shape)
    within = whole if slab is None else slab.intersection(whole)
    said, said_box = _heatmap(prediction.heatmap, within)
    # What the control's mask covers is as it was, so there is nothing to find.
    mask, mask_box = _mask(truth, within) if truth.label == "tampered" else (None, _NOWHERE)
    found = overlap(said, said_box, mask, mask_box, MAP_THRESHOLD * LEVELS)
    return Judgement(
        truth.sample_id,
        truth.patient_id,
        truth.label,
        truth.generator,
        truth.manipulation,
        prediction.score,
        found,
        oracle_f1(said, said_box, mask, mask_box) if mask is not None and found.is_defined else math.nan,
        found.permuted_f1(within.size) if found.is_defined else math.nan,
    )


def _heatmap(heatmap: Heatmap | None, within: Box) -> tuple[Levels | None, Box]:
    if heatmap is None:
        return None, _NOWHERE
    kept = heatmap.box.intersection(within)
    return heatmap.values[kept.relative_to(heatmap.box).slices()], kept


def _mask(truth: Truth, within: Box) -> tuple[PatchMask | None, Box]:
    mask = truth.mask()
    if mask is None or truth.box is None:
        return None, _NOWHERE
    kept = truth.box.intersection(within)
    return mask[kept.relative_to(truth.box).slices()], kept
