"""What may have been done to a CT slice since its reconstruction: resampling, blur, contrast and noise, combined."""

from dataclasses import dataclass
from itertools import product
from math import ceil

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from benchmarks.detectors.window import HIGH_HU, LOW_HU

RESAMPLE = (1.0, 0.5, 0.75, 1.5)
BLUR = (0.0, 0.5, 0.8, 1.2)
CONTRAST = (1.0, 0.7, 0.8, 0.9, 1.1, 1.2, 1.35, 1.5)
NOISE = (0.0, 10.0, 20.0, 40.0)
CENTRE_HU = (LOW_HU + HIGH_HU) / 2
"""What contrast leaves as it is."""

Slabs = Float[Tensor, "slabs depth height width"]
"""HU; every slice is edited on its own."""


@dataclass(frozen=True)
class EditHistory:
    """What was done, in this order."""

    resample: float = 1.0
    """To a grid that is so many times finer, and back; linear."""
    blur: float = 0.0
    """Standard deviation of a Gaussian, in pixels."""
    contrast: float = 1.0
    """Factor of the distance from the middle of the window."""
    noise: float = 0.0
    """Standard deviation of white noise, in HU."""

    def __call__(self, hu: Slabs, rng: torch.Generator) -> Slabs:
        """Slabs with this history; of the same size.

        Args:
            hu: As reconstructed.
            rng: Of the noise, on the device of the slabs.
        """
        if self.resample != 1:
            size = [round(side * self.resample) for side in hu.shape[2:]]
            hu = functional.interpolate(
                functional.interpolate(hu, size, mode="bilinear"), hu.shape[2:], mode="bilinear"
            )
        if self.blur > 0:
            hu = _blurred(hu, self.blur)
        if self.contrast != 1:
            hu = CENTRE_HU + self.contrast * (hu - CENTRE_HU)
        if self.noise > 0:
            hu = hu + self.noise * torch.randn(hu.shape, generator=rng, device=hu.device)
        return hu


HISTORIES = tuple(EditHistory(*steps) for steps in product(RESAMPLE, BLUR, CONTRAST, NOISE))
"""512, as many as Noiseprint++ was trained with. The first is none at all."""


def _blurred(hu: Slabs, std: float) -> Slabs:
    """With a Gaussian along each axis; beyond the border its pixels go on."""
    radius = ceil(3 * std)
    taps = torch.arange(-radius, radius + 1, device=hu.device)
    kernel = torch.softmax(-(taps**2) / (2 * std**2), dim=0)
    slices = rearrange(hu, "n d h w -> (n d) 1 h w")
    wide = functional.pad(slices, [radius] * 4, mode="replicate")
    blurred = functional.conv2d(functional.conv2d(wide, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
    return rearrange(blurred, "(n d) 1 h w -> n d h w", n=len(hu))
