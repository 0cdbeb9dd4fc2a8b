"""Trace3D: our own detector, which looks at what a detector of single slices cannot see.

A cube that was resampled to 1 mm, filled and resampled back has lost noise in all three directions, and got other noise
instead. What is left of it is not in the picture but in its statistics: how strong the fine differences are along each
axis, and how alike they are in neighbouring slices. Both are computed here as features, at every voxel, before anything
is learned; a small 3D U-Net then compares each place with its surroundings.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detectors.dice import dice_loss
from benchmarks.detectors.network import Answer, Network, Recipe, Slab, SlabMask

AXES = 3
SCALE_HU = 30.0
"""About the noise of a lung CT."""
FLOOR = 0.01
"""Of an energy, in squares of that; padding outside the field of view has none."""
WINDOWS = ((3, 5, 5), (5, 15, 15))
"""Voxels (z, y, x) over which statistics are taken."""
TOP = 64
"""Voxels of the map whose mean is a slab's score: a nodule has more of them than chance."""

Features = Float[Tensor, "batch _ _ _ _"]
"""Channels, depth, height and width differ from layer to layer."""


@dataclass(frozen=True)
class Trace3DConfig(Recipe):
    """Sizes and rates."""

    widths: tuple[int, int, int] = (32, 64, 128)
    """Channels of the U-Net's three levels."""
    filters: int = 6
    """Learned high-pass filters, beside the second differences along the axes."""
    map_weight: float = 1.0
    """Of the map's loss against the score's."""
    weight_decay: float = 1e-4


class HighPass3d(nn.Module):
    """Filters of 3 x 3 x 3 voxels that answer to no constant: second differences along each axis, and learned ones."""

    def __init__(self, learned: int) -> None:
        super().__init__()
        self.register_buffer("differences", _second_differences(), persistent=False)
        self.learned = nn.Parameter(torch.randn(learned, 1, 3, 3, 3) / 27**0.5)

    def forward(self, hu: Slab) -> Features:
        """Differences in units of the noise of a lung CT, cut off at ten of them: edges of bone say nothing."""
        differences: Tensor = self.differences  # type: ignore[assignment]  # a buffer
        free = self.learned - self.learned.mean(dim=(2, 3, 4), keepdim=True)
        padded = functional.pad(hu[:, None] / SCALE_HU, (1, 1, 1, 1, 1, 1), mode="replicate")
        return functional.conv3d(padded, torch.cat([differences, free])).clamp(-10, 10)


class NoiseStatistics(nn.Module):
    """What the differences are like around every voxel: their energy, and how alike they are along each axis."""

    @staticmethod
    def channels(filters: int) -> int:
        """Of the features that come of so many filters."""
        return filters * (1 + AXES) * len(WINDOWS)

    def forward(self, differences: Features) -> Features:
        """For each window: the logarithm of the mean square, and the correlation with the next voxel on z, y, x."""
        return torch.cat([_statistics(differences, window) for window in WINDOWS], dim=1)


class Level(nn.Sequential):
    """Two convolutions of one level."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv3d(inputs, outputs, 3, padding=1, bias=False),
            nn.GroupNorm(4, outputs),
            nn.ReLU(),
            nn.Conv3d(outputs, outputs, 3, padding=1, bias=False),
            nn.GroupNorm(4, outputs),
            nn.ReLU(),
        )


class Trace3D(Network[Trace3DConfig]):
    """High-pass filters, statistics of the noise, a 3D U-Net on half the resolution in plane.

    Args:
        config: Sizes and rates.
    """

    name: ClassVar[str] = "trace3d"
    depth: ClassVar[int] = 16
    presets: ClassVar[dict[str, Recipe]] = {
        "paper": Trace3DConfig(steps=30_000, batch=16, crop=128, lr=1e-3),
        "tiny": Trace3DConfig(steps=200, batch=4, crop=96, lr=3e-3, widths=(8, 16, 16), filters=1),
    }

    def __init__(self, config: Trace3DConfig) -> None:
        super().__init__(config)
        filters = AXES + config.filters
        first, second, third = config.widths
        self.high_pass = HighPass3d(config.filters)
        self.statistics = NoiseStatistics()
        self.down1 = Level(NoiseStatistics.channels(filters), first)
        self.down2 = Level(first, second)
        self.bottom = Level(second, third)
        self.up2 = Level(third + second, second)
        self.up1 = Level(second + first, first)
        self.head = nn.Conv3d(first, 1, 1)
        nn.init.constant_(self.head.bias, -3.0)  # type: ignore[arg-type]  # most voxels are pristine
        self.scale, self.shift = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))

    def forward(self, hu: Slab) -> Answer:
        """See ``Network``."""
        features = functional.avg_pool3d(self.statistics(self.high_pass(hu)), (1, 2, 2), ceil_mode=True)
        fine = self.down1(features)
        middle = self.down2(functional.max_pool3d(fine, 2, ceil_mode=True))
        coarse = self.bottom(functional.max_pool3d(middle, 2, ceil_mode=True))
        middle = self.up2(torch.cat([_resized(coarse, middle), middle], dim=1))
        fine = self.up1(torch.cat([_resized(middle, fine), fine], dim=1))
        logits = functional.interpolate(self.head(fine), hu.shape[1:], mode="trilinear", align_corners=False)[:, 0]
        flat = logits.flatten(1)
        highest = flat.topk(min(TOP, flat.shape[1]), dim=1).values.mean(1)
        return Answer(self.scale * highest + self.shift, logits)

    def loss(self, answer: Answer, mask: SlabMask) -> Float[Tensor, ""]:
        """Cross-entropy of the score; of the map, cross-entropy of every voxel, and Dice where anything is tampered."""
        assert answer.map is not None
        truth = mask.to(answer.map.dtype)
        tampered = truth.flatten(1).amax(1)
        score = functional.binary_cross_entropy_with_logits(answer.score, tampered)
        voxels = functional.binary_cross_entropy_with_logits(answer.map, truth)
        dice = (dice_loss(answer.map.sigmoid(), truth) * tampered).sum() / tampered.sum().clamp(min=1)
        return score + self.config.map_weight * (voxels + dice)

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW."""
        return torch.optim.AdamW(self.parameters(), lr=self.config.lr, weight_decay=self.config.weight_decay)

    def learning_rate(self, progress: float) -> float:
        """Down to nothing along half a cosine, after a twentieth of warming up."""
        warm = min(1.0, (progress + 1e-3) / 0.05)
        return warm * float(0.5 * (1 + torch.cos(torch.tensor(progress * torch.pi))))


def _second_differences() -> Tensor:
    kernels = torch.zeros(AXES, 1, 3, 3, 3)
    for axis in range(AXES):
        for place, weight in ((0, -0.5), (1, 1.0), (2, -0.5)):
            index = [1, 1, 1]
            index[axis] = place
            kernels[axis, 0, index[0], index[1], index[2]] = weight
    return kernels


def _statistics(differences: Features, window: tuple[int, int, int]) -> Features:
    energy = _mean(differences.square(), window) + FLOOR
    found = [energy.log()]
    for axis in (2, 3, 4):
        # Rolled round the border: one plane of voxels is compared with the far side, and the window hides that.
        product = _mean(differences * differences.roll(-1, axis), window)
        found.append(product / energy)
    return torch.cat(found, dim=1)


def _mean(values: Features, window: tuple[int, int, int]) -> Features:
    """Over a box around each voxel, as far as it lies in the slab: axis after axis, which is much less work."""
    for axis, length in enumerate(window):
        kernel = [1, 1, 1]
        kernel[axis] = length
        padding = [side // 2 for side in kernel]
        values = functional.avg_pool3d(values, kernel, stride=1, padding=padding, count_include_pad=False)
    return values


def _resized(features: Features, like: Features) -> Features:
    return functional.interpolate(features, like.shape[2:], mode="trilinear", align_corners=False)
