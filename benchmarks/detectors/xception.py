"""Xception (Chollet, CVPR 2017): depthwise separable convolutions with shortcuts. It says whether, and not where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detectors.network import Answer, Network, Recipe, Slab, SlabMask
from benchmarks.detectors.window import windowed


@dataclass(frozen=True)
class XceptionConfig(Recipe):
    """Sizes; the defaults are the paper's."""

    stem: tuple[int, int] = (32, 64)
    """Channels of the two plain convolutions."""
    entry: tuple[int, ...] = (128, 256, 728)
    """Channels of the blocks of the entry flow, each of which halves the picture."""
    middle: int = 8
    """Blocks of the middle flow."""
    exit: tuple[int, int, int] = (1024, 1536, 2048)
    """Channels of the exit flow: of its block, and of two separable convolutions."""
    dropout: float = 0.5
    """Before the last layer."""
    decay: float = 0.0
    """Share of the training, its last, in which the learning rate falls to zero."""


class SeparableConv(nn.Sequential):
    """A 3x3 convolution of each channel by itself, then a 1x1 convolution of all; nothing between, no bias."""

    def __init__(self, channels: int, out: int) -> None:
        depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        super().__init__(depthwise, nn.Conv2d(channels, out, 1, bias=False))


class Block(nn.Module):
    """Separable convolutions, each after a ReLU and before a batch normalisation, with a shortcut around them.

    Args:
        channels: Of what comes in.
        widths: Of each convolution.
        halves: Whether a pooling follows, and the shortcut has a convolution with stride 2 to match.
        begins_with_relu: False where what comes in has just had one.
    """

    def __init__(self, channels: int, widths: Sequence[int], *, halves: bool, begins_with_relu: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, out in zip([channels, *widths[:-1]], widths, strict=True):
            layers += [nn.ReLU(), SeparableConv(before, out), nn.BatchNorm2d(out)]
        if halves:
            layers.append(nn.MaxPool2d(3, stride=2, padding=1))
        self.body = nn.Sequential(*layers[0 if begins_with_relu else 1 :])
        self.shortcut: nn.Module = nn.Identity()
        if halves:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, widths[-1], 1, stride=2, bias=False), nn.BatchNorm2d(widths[-1])
            )

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch out h w"]:
        """Sides halved, rounded up, or as they were."""
        added: Tensor = self.body(x) + self.shortcut(x)
        return added


class Xception(Network[XceptionConfig]):
    """20.8 million parameters with one channel in and one logit out; published with 22.9 for ImageNet's 1000 classes.

    The recipe is that of Xception as a detector of forged faces (Rössler et al., FaceForensics++, ICCV 2019): binary
    cross-entropy, Adam with a constant rate of 2e-4, batches of 32. There, validation ends the training; here the
    number of steps is ours. Grey values are in -1 to 1 as there, but from one channel, and no weights of ImageNet.
    """

    name: ClassVar[str] = "xception"
    localises: ClassVar[bool] = False
    presets: ClassVar[dict[str, Recipe]] = {
        "paper": XceptionConfig(steps=100_000, batch=32, crop=512, lr=2e-4),
        "tiny": XceptionConfig(
            steps=600,
            batch=8,
            crop=96,
            lr=3e-3,
            stem=(12, 24),
            entry=(32, 48, 64),
            middle=1,
            exit=(64, 96, 128),
            dropout=0.0,
            decay=0.7,
        ),
    }

    def __init__(self, config: XceptionConfig) -> None:
        super().__init__(config)
        first, second = config.stem
        self.stem = nn.Sequential(*_plain(1, first, stride=2), *_plain(first, second, stride=1))
        self.entry = nn.Sequential(
            *(
                Block(channels, [out, out], halves=True, begins_with_relu=stage > 0)
                for stage, (channels, out) in enumerate(zip([second, *config.entry[:-1]], config.entry, strict=True))
            )
        )
        width = config.entry[-1]
        self.middle = nn.Sequential(*(Block(width, [width] * 3, halves=False) for _ in range(config.middle)))
        block, *separable = config.exit
        self.exit = nn.Sequential(
            Block(width, [width, block], halves=True),
            *(_separable(channels, out) for channels, out in zip([block, separable[0]], separable, strict=True)),
        )
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(config.exit[-1], 1))
        self.apply(_initialise)

    def features(self, hu: Slab) -> Float[Tensor, "batch channels h w"]:
        """Before the pooling: a 32nd of the picture's sides."""
        features: Tensor = self.exit(self.middle(self.entry(self.stem(2 * windowed(hu) - 1))))
        return features

    def forward(self, hu: Slab) -> Answer:
        """Scores alone. Sides must be 7 pixels at least."""
        return Answer(score=self.head(self.features(hu).mean(dim=(2, 3))).squeeze(1))

    def loss(self, answer: Answer, mask: SlabMask) -> Float[Tensor, ""]:
        """Binary cross-entropy; a slice is tampered if any pixel is."""
        return functional.binary_cross_entropy_with_logits(answer.score, mask.any(dim=(1, 2, 3)).float())

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam with its usual moments."""
        return torch.optim.Adam(self.parameters(), self.config.lr)

    def learning_rate(self, progress: float) -> float:
        """Constant as published, but for what falls at the end."""
        left = 1 - min(progress, 1.0)
        return min(1.0, left / self.config.decay) if self.config.decay else 1.0


def _plain(channels: int, out: int, stride: int) -> list[nn.Module]:
    """Without padding, as published."""
    return [nn.Conv2d(channels, out, 3, stride, bias=False), nn.BatchNorm2d(out), nn.ReLU()]


def _separable(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(SeparableConv(channels, out), nn.BatchNorm2d(out), nn.ReLU())


def _initialise(module: nn.Module) -> None:
    """He's normal weights."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
