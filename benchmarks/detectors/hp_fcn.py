"""HP-FCN (Li and Huang, ICCV 2019): high-pass filters that learn, a small ResNet, and a way back up.

Made to find where a picture was inpainted by a network.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detectors.network import Answer, Network, Recipe, Slab, SlabMask
from benchmarks.detectors.padding import padded
from benchmarks.detectors.window import windowed

EXPANSION = 4
"""Channels of a bottleneck's output, in its own."""
SHRINKAGE = 16
"""Side of a picture in those of the features at the bottom."""

PRIOR = 0.01
"""Of a tampered pixel, in the bias that the last layer begins with, after the authors of the focal loss.

Without it, training pushes all weights of the last layer down first, and a tampered pixel is then one that says
nothing: its probability stays at a half.
"""


@dataclass(frozen=True)
class HPFCNConfig(Recipe):
    """Sizes and rates; the defaults are the paper's."""

    widths: tuple[int, int, int, int] = (32, 64, 128, 256)
    """Channels within the bottlenecks of each block."""
    units: int = 2
    """Bottlenecks of a block."""
    up: tuple[int, int] = (64, 4)
    """Channels after each of the two enlargements."""
    gamma: float = 2.0
    """How little the focal loss makes of what is already right."""
    weight_decay: float = 1e-5
    halvings: int = 9
    """Of the learning rate: after each of 10 epochs but the last."""


class HighPass(nn.Conv2d):
    """Differences to the pixel below, to the right, and below on the right. They are only where training begins.

    The border of a picture is repeated: zeros around it would be an edge that every filter answers to.
    """

    def __init__(self) -> None:
        super().__init__(1, 3, 3, padding=1, padding_mode="replicate", bias=False)
        with torch.no_grad():
            self.weight.zero_()
            self.weight[:, 0, 1, 1] = -1
            for number, (row, column) in enumerate([(2, 1), (1, 2), (2, 2)]):
                self.weight[number, 0, row, column] = 1


class Unit(nn.Module):
    """A bottleneck of ResNet-v2 (He et al., ECCV 2016): normalised and activated before each convolution."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        out = width * EXPANSION
        self.before = nn.Sequential(*_activated(channels))
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 1, bias=False),
            *_activated(width),
            nn.Conv2d(width, width, 3, stride, padding=1, bias=False),
            *_activated(width),
            nn.Conv2d(width, out, 1),
        )
        self.keeps = channels == out
        self.shortcut = nn.MaxPool2d(1, stride) if self.keeps else nn.Conv2d(channels, out, 1, stride)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch out h w"]:
        """Height and width over the stride."""
        y = self.before(x)
        added: Tensor = self.body(y) + self.shortcut(x if self.keeps else y)
        return added


class Enlargement(nn.ConvTranspose2d):
    """Four times the size. It begins as bilinear interpolation of random mixtures of the channels.

    The authors' code begins with the same interpolation of the sum of all channels for every output: these outputs are
    equal then, and have equal gradients for ever.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 8, stride=4, padding=2, bias=False)
        taps = 1 - (torch.arange(8) - 3.5).abs() / 4
        with torch.no_grad():
            mixture = torch.randn(channels, out, 1, 1) / sqrt(channels)
            self.weight.copy_(mixture * torch.outer(taps, taps))


class HPFCN(Network[HPFCNConfig]):
    """7.7 million parameters; no published number is known to us.

    The filters see one channel, not three equal ones, which would give the same three residuals three times. One
    logit stands for the two of a softmax. The score is the maximum of the map.

    Focal loss; Adam at 1e-4, halved after each of 10 epochs. The authors' batch is one whole picture; with more, the
    statistics of batch normalisation are steadier. The number of steps is ours.
    """

    name: ClassVar[str] = "hp-fcn"
    presets: ClassVar[dict[str, Recipe]] = {
        "paper": HPFCNConfig(steps=100_000, batch=8, crop=512, lr=1e-4),
        "tiny": HPFCNConfig(steps=600, batch=8, crop=96, lr=1e-2, widths=(8, 16, 16, 32), up=(16, 4), halvings=3),
    }

    def __init__(self, config: HPFCNConfig) -> None:
        super().__init__(config)
        self.high_pass = HighPass()
        outs = [width * EXPANSION for width in config.widths]
        self.blocks = nn.Sequential(
            *(
                _block(channels, width, config.units)
                for channels, width in zip([self.high_pass.out_channels, *outs[:-1]], config.widths, strict=True)
            )
        )
        self.after = nn.Sequential(*_activated(outs[-1]))
        self.up = nn.Sequential(
            *(
                nn.Sequential(Enlargement(channels, out), *_activated(out))
                for channels, out in pairwise([outs[-1], *config.up])
            )
        )
        self.head = nn.Conv2d(config.up[-1], 1, 5, padding=2)
        self.blocks.apply(_initialise)
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias, log(PRIOR / (1 - PRIOR)))

    def forward(self, hu: Slab) -> Answer:
        """Slices of any size: padded to what can be halved, and the map cut back."""
        residuals = self.high_pass(padded(windowed(hu), SHRINKAGE))
        logits = self.head(self.up(self.after(self.blocks(residuals))))[..., : hu.shape[-2], : hu.shape[-1]]
        return Answer(score=logits.amax(dim=(1, 2, 3)), map=logits)

    def loss(self, answer: Answer, mask: SlabMask) -> Float[Tensor, ""]:
        """Focal loss (Lin et al., ICCV 2017) without class weights, mean of all pixels."""
        assert answer.map is not None
        entropy = functional.binary_cross_entropy_with_logits(answer.map, mask.float(), reduction="none")
        wrong = 1 - torch.exp(-entropy)
        return (wrong**self.config.gamma * entropy).mean()

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam; the weights of convolutions decay."""
        weights = [tensor for tensor in self.parameters() if tensor.ndim > 1]
        others = [tensor for tensor in self.parameters() if tensor.ndim == 1]
        decay = self.config.weight_decay
        return torch.optim.Adam(
            [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}], self.config.lr
        )

    def learning_rate(self, progress: float) -> float:
        """Halved at equal steps."""
        halvings = self.config.halvings
        done: float = 0.5 ** min(int(progress * (halvings + 1)), halvings)
        return done


def _activated(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


def _block(channels: int, width: int, units: int) -> nn.Sequential:
    """The last unit halves the picture."""
    out = width * EXPANSION
    return nn.Sequential(
        *(
            Unit(channels if number == 0 else out, width, stride=2 if number == units - 1 else 1)
            for number in range(units)
        )
    )


def _initialise(module: nn.Module) -> None:
    """He's normal weights."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
