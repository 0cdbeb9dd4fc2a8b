"""Features of a place, by a network that has learned what nodules look like.

Any callable that fits :class:`Embedding` will do; ``--classifier`` names a trained malignancy classifier.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from m3dsynth_dataset.lazy import EditedVolume
from m3dsynth_dataset.types import Triple

Features = Float64[np.ndarray, " features"]


@runtime_checkable
class Embedding(Protocol):
    """What gives features."""

    def __call__(self, ct: EditedVolume, centre_zyx: Triple, spacing_mm: tuple[float, float, float]) -> Features:
        """The features of the surroundings of a voxel.

        Args:
            ct: The scan, HU.
            centre_zyx: The voxel.
            spacing_mm: Along z, y, x.

        Returns:
            As many numbers for every place.
        """
        ...


def malignancy_embedding(word: str) -> Embedding:
    """The features of a trained malignancy classifier: what it says before its last layers.

    Args:
        word: File or folder of its weights, or ORG/NAME on the Hub.

    Raises:
        BenchmarkError: If there is no such classifier.
    """
    import torch

    from benchmarks.malignancy.classifier import opened
    from benchmarks.malignancy.crop import cut

    classifier = opened(word)

    def embedding(ct: EditedVolume, centre_zyx: Triple, spacing_mm: tuple[float, float, float]) -> Features:
        cube, location = cut(ct, centre_zyx, spacing_mm, classifier.config.side, classifier.config.voxel_mm)
        with torch.inference_mode():
            return classifier.features(cube[None], location[None])[0].numpy().astype(np.float64)

    return embedding
