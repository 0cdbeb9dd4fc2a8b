"""Forgeries that a detector makes itself, of pristine slabs, to learn from beside those of a generator.

Whoever learns of one generator learns its habits: that it leaves too little noise, or too much. Here a small box gets
noise of another strength and texture, or loses what it had, and fades into its surroundings: what every inpainter does
in some way, and none in all. After the self-blended images of Shiohara and Yamasaki (CVPR 2022), which made detectors
of forged faces find those of generators that they had not seen.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.slabs import Slabs

SHARE = 0.4
"""Of the slabs without forgery that get one."""
SIDES = (14, 32)
"""Pixels of a box in plane: about the 16 mm that inpainters fill."""
LEAST_DEPTH = 3
FADE = 3
"""Pixels over which it fades in, within the box."""
KEPT_NOISE, ADDED_NOISE = (0.0, 0.4), (0.9, 2.5)
"""Share of the noise that is left where a box is smoothed; what is added where it is not, in units of the slab's."""
BLUR, TEXTURE = (0.9, 1.8), (0.0, 1.0)
"""Standard deviations in pixels: of what takes the noise away, and of how coarse new noise is."""
HU_MIN, HU_MAX = -1024, 3071


@dataclass(frozen=True)
class _Draw:
    """Numbers from a source of randomness."""

    source: torch.Generator

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=self.source))

    def whole(self, low: int, high: int) -> int:
        """Both ends may be drawn."""
        return int(torch.randint(low, high + 1, (), generator=self.source))

    def noise(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.source)


def with_own_forgeries(slabs: Slabs, source: torch.Generator) -> Slabs:
    """Slabs of which some that were not tampered now are.

    Args:
        slabs: On the CPU.
        source: Of all that is drawn.
    """
    draw = _Draw(source)
    ct, mask = slabs["ct"].clone(), slabs["mask"].clone()
    for index in range(len(ct)):
        if not mask[index].any() and draw.between(0, 1) < SHARE:
            ct[index], mask[index] = _forged(ct[index], draw)
    return {"ct": ct, "mask": mask}


def _forged(hu: Tensor, draw: _Draw) -> tuple[Tensor, Tensor]:
    """One slab, and where it was changed."""
    weight = _box(hu.shape, draw)
    values = hu.float()
    smooth = _blurred(values, draw.between(*BLUR))
    if draw.between(0, 1) < 0.5:
        changed = smooth + draw.between(*KEPT_NOISE) * (values - smooth)
    else:
        grain = _blurred(draw.noise(values), draw.between(*TEXTURE))
        changed = values + draw.between(*ADDED_NOISE) * _noise_hu(values) * grain / grain.std()
    found = values + weight * (changed - values)
    return found.round().clamp(HU_MIN, HU_MAX).to(hu.dtype), weight > 0


def _box(shape: torch.Size, draw: _Draw) -> Tensor:
    """How much of each voxel is forged: 1 in a box somewhere in the slab, less towards its faces, 0 outside."""
    depth = draw.whole(min(LEAST_DEPTH, shape[0]), shape[0])
    sides = [min(draw.whole(*SIDES), length) for length in shape[1:]]
    along = []
    for length, side in zip(shape, (depth, *sides), strict=True):
        first = draw.whole(0, length - side)
        inside = torch.arange(length) - first
        along.append(torch.minimum(inside + 1, side - inside).clamp(min=0))
    z, y, x = along
    in_plane = torch.minimum(y[:, None], x[None]).float().div(FADE).clamp(max=1)
    return (z > 0)[:, None, None] * in_plane


def _blurred(values: Tensor, sigma: float) -> Tensor:
    """In plane, by a Gaussian."""
    offsets = torch.arange(-4.0, 5.0)
    kernel = torch.exp(-(offsets**2) / (2 * max(sigma, 1e-3) ** 2))
    kernel = kernel / kernel.sum()
    padded = functional.pad(values[:, None], (4, 4, 4, 4), mode="replicate")
    return functional.conv2d(functional.conv2d(padded, kernel[None, None, None]), kernel[None, None, :, None])[:, 0]


def _noise_hu(values: Tensor) -> Tensor:
    """Standard deviation of the slab's noise, from the median of its second differences, which edges do not move."""
    second = values[:, :, 1:-1] - (values[:, :, 2:] + values[:, :, :-2]) / 2
    sigma: Tensor = second.abs().median() / 0.6745 / 1.5**0.5
    return sigma
