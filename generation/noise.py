"""Random numbers of a batch in which every cube has its own source."""

from collections.abc import Sequence

import torch
from jaxtyping import Float32
from torch import Tensor

from generation.mask import SIDE


class CubeNoise:
    """Gaussian noise for cubes. What a cube gets depends on its seed and on how often was drawn, on nothing else.

    Args:
        seeds: One per cube.
        device: Where to draw; a CPU and a GPU draw other numbers.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self._sources = [torch.Generator(device).manual_seed(seed) for seed in seeds]
        self._device = device

    def draw(self) -> Float32[Tensor, "batch 1 32 32 32"]:
        """The next numbers: mean 0, standard deviation 1."""
        noise = torch.empty((len(self._sources), 1, SIDE, SIDE, SIDE), device=self._device)
        for cube, source in zip(noise, self._sources, strict=True):
            cube.normal_(generator=source)
        return noise
