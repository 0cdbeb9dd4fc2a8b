"""What fills a masked cube: a protocol that a user's own class fits by having these names."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from generation.equalisation import Equalisation


@runtime_checkable
class Inpainter(Protocol):
    """Fills cubes of 32 mm. Any object with these attributes is one; nothing needs to be registered.

    An inpainter may also have an attribute ``device``: ``fill`` then hands it tensors on that device.
    """

    @property
    def name(self) -> str:
        """What stands in the column ``generator`` of a release."""

    @property
    def hidden(self) -> Bool[np.ndarray, "32 32 32"]:
        """The voxels that are hidden from it, and the only ones that are taken from its answer."""

    @property
    def equalisation(self) -> Equalisation:
        """The map between HU and the levels it works on."""

    @property
    def weights_sha256(self) -> str:
        """Of the file of its weights; empty when it has none."""

    def inpaint(
        self, masked: Float[Tensor, "batch 1 32 32 32"], seeds: Sequence[int]
    ) -> Float[Tensor, "batch 1 32 32 32"]:
        """Fill cubes.

        A cube's result must depend on the cube and its seed alone, not on its neighbours in the batch.

        Args:
            masked: Equalised cubes whose hidden voxels are zero (the mean of the training cubes).
            seeds: One per cube, the source of all its randomness.

        Returns:
            Whole equalised cubes; what stands outside the hidden voxels is not used.
        """
