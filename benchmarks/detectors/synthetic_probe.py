"""Table 2's detector of synthetic images (Corvi et al., ICASSP 2023): ResNet-50 that does not shrink pictures early.

After Gragnaniello et al. (ICME 2021): the traces of a generator are in the finest detail, which a stride of 4 before
the first stage would lose. It judges a crop around a place that is known; it does not look for one.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import nn
from torch.nn import functional

from benchmarks.detectors.imagenet import as_imagenet
from benchmarks.detectors.network import Answer, Network, Recipe, Slab, SlabMask
from benchmarks.detectors.resnet50 import ResNet50
from benchmarks.detectors.window import windowed


@dataclass(frozen=True)
class SyntheticProbeConfig(Recipe):
    """Sizes; the defaults are the paper's."""

    width: int = 64
    """Channels of the first convolution."""
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    """Bottlenecks of each stage."""
    drops: int = 2
    """Times that the learning rate is divided by ten."""


class SyntheticProbe(Network[SyntheticProbeConfig]):
    """23.5 million parameters, as published.

    Logits of all positions, a stride of 8 apart, are averaged to the score: for a crop of the size it was trained
    with. In a whole slice, one small place would drown in the average.

    Binary cross-entropy, crops of 96 pixels, Adam at 1e-4, divided by 10 twice, down to 1e-6, as published. There it
    falls when validation has not improved for 5 epochs; here after each third of the training. The authors start from
    weights of ImageNet, which ``body`` takes from whoever has them; without, it starts at random.
    """

    name: ClassVar[str] = "synthetic-probe"
    localises: ClassVar[bool] = False
    searches: ClassVar[bool] = False
    presets: ClassVar[dict[str, Recipe]] = {
        "paper": SyntheticProbeConfig(steps=100_000, batch=64, crop=96, lr=1e-4),
        "tiny": SyntheticProbeConfig(steps=400, batch=8, crop=96, lr=3e-3, width=6, blocks=(1, 1, 1, 1), drops=1),
    }

    def __init__(self, config: SyntheticProbeConfig) -> None:
        super().__init__(config)
        self.body = ResNet50(3, width=config.width, blocks=config.blocks, stem_stride=1, pool_stride=1)
        self.head = nn.Conv2d(self.body.widths[-1], 1, 1)

    def forward(self, hu: Slab) -> Answer:
        """Scores; ``extra["positions"]`` has the logits that they are the means of."""
        positions = self.head(self.body(as_imagenet(windowed(hu)))[-1])
        return Answer(score=positions.mean(dim=(1, 2, 3)), extra={"positions": positions})

    def loss(self, answer: Answer, mask: SlabMask) -> Float[torch.Tensor, ""]:
        """Binary cross-entropy of the score."""
        return functional.binary_cross_entropy_with_logits(answer.score, mask.any(dim=(1, 2, 3)).float())

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam with its usual moments."""
        return torch.optim.Adam(self.parameters(), self.config.lr)

    def learning_rate(self, progress: float) -> float:
        """A tenth at equal steps: after a third and after two thirds, as far down as published."""
        drops = self.config.drops
        factor: float = 0.1 ** min(int(progress * (drops + 1)), drops)
        return factor
