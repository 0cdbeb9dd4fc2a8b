"""Trace3D: our own detector, which looks at what a detector of single slices cannot see.

A cube that was resampled to 1 mm, filled and resampled back has lost noise in all three directions, and got other noise
instead. What is left of it is not in the picture but in its statistics: how strong the fine differences are along each
axis, and how alike they are in neighbouring slices. Both are computed here as features, around every block of voxels,
before anything is learned; a few 3D convolutions then compare each place with its surroundings.

Two things in its training are its own. Resampling alone leaves such traces too, so most of the slabs without forgery
have been through the release's control. And some get a forgery that the detector makes itself, so that it does not
learn the habits of one generator alone. Both could be given to any other detector; as published, they have neither.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detectors.dice import dice_loss
from benchmarks.detectors.network import Answer, Network, Recipe, Slab, SlabMask
from benchmarks.detectors.noise_statistics import BLOCK, FLOOR, Features, NoiseStatistics, Residuals, around, blocks
from benchmarks.detectors.own_forgeries import with_own_forgeries
from benchmarks.detectors.window import windowed
from benchmarks.slabs import Slabs

FINE = BLOCK // 2
"""Pixels of the finer blocks' side."""
CONTENT = 2
"""Features of the picture itself: mean within a block, and its variance against that of its surroundings."""
TOP = 128
"""Finer blocks of the map whose mean is a slab's score: a nodule's core has more of them than chance."""


@dataclass(frozen=True)
class Trace3DConfig(Recipe):
    """Sizes and rates."""

    width: int = 64
    """Channels of all convolutions."""
    dilations: tuple[int, ...] = (1, 2, 4, 1)
    """In plane, of each residual unit: how far blocks are compared."""
    filters: int = 6
    """Learned residuals, beside the fixed ones."""
    map_weight: float = 1.0
    """Of the map's loss against the score's."""
    tampered_weight: float = 3.0
    """Of a tampered voxel against one that is not: edits fade out at their border, where they leave little trace."""
    weight_decay: float = 1e-4


class Comparison(nn.Module):
    """A residual unit that compares blocks with others at a distance: within the slice, then with the slices beside.

    Its normalisation takes what training has counted, never the slab at hand: a slice holds more of the chest than the
    crops that were learned from.
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        spread = (1, dilation, dilation)
        self.layers = nn.Sequential(
            nn.Conv3d(width, width, (1, 3, 3), padding=(0, dilation, dilation), dilation=spread, bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(),
            nn.Conv3d(width, width, (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(width),
        )

    def forward(self, features: Features) -> Features:
        """Of the same shape."""
        return functional.relu(features + self.layers(features))


class Border(nn.Module):
    """Draws what was found on blocks half as wide, by how the energies of the residuals there differ from around."""

    def __init__(self, width: int, residuals: int, narrow: int = 8) -> None:
        super().__init__()
        self.narrow = nn.Conv3d(width, narrow, 1)
        self.layers = nn.Sequential(
            nn.Conv3d(narrow + residuals, narrow, (1, 3, 3), padding=(0, 1, 1), bias=False),
            nn.BatchNorm3d(narrow),
            nn.ReLU(),
            nn.Conv3d(narrow, narrow, (1, 3, 3), padding=(0, 1, 1), bias=False),
            nn.BatchNorm3d(narrow),
            nn.ReLU(),
        )
        self.head = nn.Conv3d(narrow, 1, 1)
        nn.init.constant_(self.head.bias, -3.0)  # type: ignore[arg-type]  # most voxels are pristine

    def forward(self, features: Features, residuals: Features, surroundings: Features) -> Features:
        """Logits of the finer blocks."""
        energy = (blocks(residuals.square(), FINE) + FLOOR).log()
        contrast = energy - _twice(surroundings, energy)
        logits: Tensor = self.head(self.layers(torch.cat([_twice(self.narrow(features), energy), contrast], dim=1)))
        return logits


class Trace3D(Network[Trace3DConfig]):
    """Residuals, statistics of the noise by blocks of 4 x 4 pixels, 3D convolutions.

    Args:
        config: Sizes and rates.
    """

    name: ClassVar[str] = "trace3d"
    depth: ClassVar[int] = 8
    learns_from_control: ClassVar[bool] = True
    presets: ClassVar[dict[str, Recipe]] = {
        "paper": Trace3DConfig(steps=30_000, batch=32, crop=192, lr=1e-3),
        "tiny": Trace3DConfig(steps=800, batch=8, crop=80, lr=5e-3, width=24, dilations=(1, 2, 4), filters=0),
    }

    def __init__(self, config: Trace3DConfig) -> None:
        super().__init__(config)
        self.residuals = Residuals(config.filters)
        self.statistics = NoiseStatistics()
        kinds = Residuals.FIXED + config.filters
        inputs = NoiseStatistics.channels(kinds) + CONTENT
        self.compare = nn.Sequential(
            nn.BatchNorm3d(inputs),
            nn.Conv3d(inputs, config.width, 1),
            nn.ReLU(),
            *(Comparison(config.width, dilation) for dilation in config.dilations),
        )
        self.border = Border(config.width, kinds)
        self.scale, self.shift = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))

    def forward(self, hu: Slab) -> Answer:
        """See ``Network``."""
        residuals = self.residuals(hu)
        contrasts, surroundings = self.statistics(residuals)
        features = self.compare(torch.cat([contrasts, _content(hu)], dim=1))
        logits = self.border(features, residuals, surroundings)
        flat = logits.flatten(1)
        highest = flat.topk(min(TOP, flat.shape[1]), dim=1).values.mean(1)
        return Answer(self.scale * highest + self.shift, _drawn_out(logits, hu))

    def practise(self, slabs: Slabs, source: torch.Generator) -> Slabs:
        """Some of the pristine slabs get a forgery of our own."""
        return with_own_forgeries(slabs, source)

    def loss(self, answer: Answer, mask: SlabMask) -> Float[Tensor, ""]:
        """Cross-entropy of the score; of the map, that of every voxel, and Dice where any is tampered."""
        assert answer.map is not None
        truth = mask.to(answer.score.dtype)
        tampered = truth.flatten(1).amax(1)
        score = functional.binary_cross_entropy_with_logits(answer.score, tampered)
        weight = answer.score.new_tensor(self.config.tampered_weight)
        voxels = functional.binary_cross_entropy_with_logits(answer.map, truth, pos_weight=weight)
        dice = (dice_loss(answer.map.sigmoid(), truth) * tampered).sum() / tampered.sum().clamp(min=1)
        return score + self.config.map_weight * (voxels + dice)

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW."""
        return torch.optim.AdamW(self.parameters(), lr=self.config.lr, weight_decay=self.config.weight_decay)

    def learning_rate(self, progress: float) -> float:
        """Down to nothing along half a cosine, after a twentieth of warming up."""
        warm = min(1.0, (progress + 1e-3) / 0.05)
        return warm * float(0.5 * (1 + torch.cos(torch.tensor(progress * torch.pi))))


def _content(hu: Slab) -> Features:
    picture = windowed(hu)[:, None]
    mean = blocks(picture)
    variance = (blocks(picture.square()) - mean.square()).clamp(min=0) + 1e-4
    return torch.cat([mean, (variance / around(variance)).log()], dim=1)


def _drawn_out(coarse: Features, hu: Slab) -> Slab:
    """Blocks to voxels, between whose centres it is interpolated; a last block that is smaller counts as whole."""
    depth, height, width = coarse.shape[2:]
    size = depth, FINE * height, FINE * width
    fine = functional.interpolate(coarse, size, mode="trilinear", align_corners=False)
    return fine[:, 0, :, : hu.shape[2], : hu.shape[3]]


def _twice(coarse: Features, like: Features) -> Features:
    """Blocks as the finer ones within them; what a smaller last block has too much is cut off."""
    size = coarse.shape[2], 2 * coarse.shape[3], 2 * coarse.shape[4]
    fine = functional.interpolate(coarse, size, mode="trilinear", align_corners=False)
    return fine[..., : like.shape[3], : like.shape[4]]
