"""The control: the same pipeline without a generative model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from generation.equalisation import Equalisation
from generation.mask import SIDE


@dataclass(frozen=True)
class Identity:
    """Hides nothing, so the masked cube is the original, and returns it.

    A detector that fires on its edits has learned the pipeline (cutting, resampling, equalising, pasting,
    blending), not the forgery.
    """

    name: ClassVar[str] = "identity"
    weights_sha256: ClassVar[str] = ""
    equalisation: Equalisation = field(default_factory=Equalisation.linear)

    @property
    def hidden(self) -> Bool[np.ndarray, "32 32 32"]:
        """No voxel."""
        return np.zeros((SIDE, SIDE, SIDE), dtype=np.bool_)

    def inpaint(
        self, masked: Float[Tensor, "batch 1 32 32 32"], seeds: Sequence[int]
    ) -> Float[Tensor, "batch 1 32 32 32"]:
        """The cubes as they are."""
        return masked
