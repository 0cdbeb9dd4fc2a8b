"""Networks that learn in a second, for tests of what trains and applies networks."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from benchmarks.detectors.network import Answer, Network, Recipe


@dataclass(frozen=True)
class SmallConfig(Recipe):
    width: int = 4


class SliceNetwork(Network[SmallConfig]):
    """Two convolutions on a slice; the score is the highest logit of the map."""

    name: ClassVar[str] = "small"
    presets: ClassVar[dict[str, Recipe]] = {"tiny": SmallConfig(steps=12, batch=4, crop=24, lr=1e-2)}

    def __init__(self, config):
        super().__init__(config)
        self.layers = nn.Sequential(
            nn.Conv2d(1, config.width, 3, padding=1),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv2d(config.width, 1, 3, padding=1),
        )

    def forward(self, hu):
        logits = self.layers(hu / 500)
        return Answer(logits.flatten(1).amax(1), logits)

    def loss(self, answer, mask):
        return functional.binary_cross_entropy_with_logits(answer.map, mask.float())

    def optimizer(self):
        return torch.optim.Adam(self.parameters(), lr=self.config.lr)

    def learning_rate(self, progress):
        return 1 - progress


class SlabNetwork(SliceNetwork):
    """The same on slabs, each slice judged with its neighbours."""

    depth: ClassVar[int] = 4

    def forward(self, hu):
        mean = functional.avg_pool3d(hu[:, None], (3, 1, 1), stride=1, padding=(1, 0, 0), count_include_pad=False)[:, 0]
        logits = torch.stack([self.layers(plane[:, None] / 500)[:, 0] for plane in mean.unbind(1)], dim=1)
        return Answer(logits.flatten(1).amax(1), logits)


class KnownPlaceNetwork(SliceNetwork):
    """The same, for places that are known."""

    searches: ClassVar[bool] = False
