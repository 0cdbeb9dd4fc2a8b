"""U-Net (Ronneberger et al., MICCAI 2015): down to the whole, and up again to the pixel.

It sees grey values and nothing else: no filter brings out the noise. M3Dsynth reports it as the weakest by far.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detectors.network import Answer, Network, Recipe, Slab, SlabMask
from benchmarks.detectors.padding import padded
from benchmarks.detectors.window import windowed


@dataclass(frozen=True)
class UNetConfig(Recipe):
    """Sizes and rates; the defaults are the paper's where it has them."""

    widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    """Channels of each level; all but the last are halved by pooling."""
    dropout: float = 0.5
    """At the end of the way down."""
    momentum: float = 0.99
    tampered_weight: float = 10.0
    """Of a tampered pixel in the loss, which is rare beside the others.

    The paper evens the classes out. Here they are some hundreds to one, and a network that is taught that both are
    equally likely in a slice shows far too large a place.
    """


class DoubleConv(nn.Sequential):
    """Two 3x3 convolutions."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(*_conv(channels, out), *_conv(out, out))


class Up(nn.Module):
    """Doubles the picture, and joins it with what the way down had at that size."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, out, 2, stride=2)
        self.conv = DoubleConv(2 * out, out)

    def forward(
        self, x: Float[Tensor, "batch channels height width"], skip: Float[Tensor, "batch out 2*height 2*width"]
    ) -> Float[Tensor, "batch out 2*height 2*width"]:
        """Half the channels, twice the size."""
        joined: Tensor = self.conv(torch.cat([skip, self.up(x)], dim=1))
        return joined


class UNet(Network[UNetConfig]):
    """31.0 million parameters, as published.

    Three things are not the paper's. Convolutions are padded, so that the map is as large as the slice (572 pixels
    became 388), and batch normalisation follows each, as nearly every later U-Net has it (5,888 parameters more). One
    logit stands for the two of a softmax. The paper's weights along the borders between neighbouring cells are left
    out: they fall to nothing where a slice has a single place.

    The score is the maximum of the map. Weighted cross-entropy, and SGD with momentum 0.99 as published; the rate,
    which the paper does not give, and its decay are those of nnU-Net (Isensee et al., Nature Methods 2021). Steps and
    batch are ours.
    """

    name: ClassVar[str] = "unet"
    presets: ClassVar[dict[str, Recipe]] = {
        "paper": UNetConfig(steps=100_000, batch=12, crop=512, lr=0.01),
        "tiny": UNetConfig(steps=400, batch=8, crop=96, lr=0.05, widths=(8, 16, 32, 64), dropout=0.0, momentum=0.9),
    }

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config)
        widths = config.widths
        self.down = nn.ModuleList(DoubleConv(channels, out) for channels, out in pairwise([1, *widths]))
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(config.dropout)
        self.up = nn.ModuleList(Up(channels, out) for channels, out in pairwise(widths[::-1]))
        self.head = nn.Conv2d(widths[0], 1, 1)
        self.apply(_initialise)

    def forward(self, hu: Slab) -> Answer:
        """Slices of any size: padded to what can be halved, and the map cut back."""
        x = padded(windowed(hu), 2 ** (len(self.down) - 1))
        skips = [self.down[0](x)]
        for down in self.down[1:]:
            skips.append(down(self.pool(skips[-1])))
        x = self.dropout(skips.pop())
        for up in self.up:
            x = up(x, skips.pop())
        logits = self.head(x)[..., : hu.shape[-2], : hu.shape[-1]]
        return Answer(score=logits.amax(dim=(1, 2, 3)), map=logits)

    def loss(self, answer: Answer, mask: SlabMask) -> Float[Tensor, ""]:
        """Cross-entropy of pixels, the tampered ones weighted."""
        assert answer.map is not None
        weight = answer.map.new_tensor(self.config.tampered_weight)
        return functional.binary_cross_entropy_with_logits(answer.map, mask.float(), pos_weight=weight)

    def optimizer(self) -> torch.optim.Optimizer:
        """SGD with much momentum."""
        return torch.optim.SGD(self.parameters(), self.config.lr, self.config.momentum, nesterov=True)

    def learning_rate(self, progress: float) -> float:
        """To zero, nearly along a line."""
        factor: float = (1 - min(progress, 1.0)) ** 0.9
        return factor


def _conv(channels: int, out: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]


def _initialise(module: nn.Module) -> None:
    """Normal weights of deviation sqrt(2 / incoming), as published."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
