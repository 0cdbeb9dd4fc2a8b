"""ManTra-Net (Wu et al., CVPR 2019): local traces of manipulation, and where they deviate from those around them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detectors.bayar import BayarConv
from benchmarks.detectors.conv_lstm import ConvLSTM
from benchmarks.detectors.mirror import mirrored
from benchmarks.detectors.network import Answer, Network, Recipe, Slab, SlabMask
from benchmarks.detectors.srm import SRM
from benchmarks.detectors.strips import by_strips
from benchmarks.detectors.window import windowed

BAYAR = 3
"""Constrained kernels in the first layer."""
FIXED = 3
"""SRM kernels in it."""
RARE = -4.0
"""Logit that every pixel starts with: about one in fifty is tampered. The publication does not tell its own."""
STRIP = 128
"""Rows of a slice for which all traces are in memory at once, when nothing is to be learned."""


@dataclass(frozen=True, kw_only=True)
class ManTraNetConfig(Recipe):
    """Sizes; the defaults are those of the published network."""

    traces: tuple[int, ...] = (32, 32, 64, 64, *[128] * 3, *[256] * 6)
    """Channels of each convolution: the filters, the body, and the transform at its end."""
    reduced: int = 64
    """Channels in which deviations are looked for."""
    windows: tuple[int, ...] = (7, 15, 31)
    """Sides of the surroundings that a pixel is compared with; all of the slice comes last."""
    hidden: int = 8
    """Channels of the ConvLSTM."""
    kernel: int = 7
    """Side of the kernels of the ConvLSTM and of the decision."""
    lr_end: float = 1e-4
    """Of the last step; as the first in the publication."""


class Traces(nn.Module):
    """A plain stack of 3x3 convolutions over high-pass filters, without pooling: a vector of length 1 for each pixel.

    The weights start as He et al. have it. There is no normalisation between 13 layers, and what the published network
    starts from, 385 manipulations of photographs that it has learned to name, is not at hand here.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.srm = SRM()
        self.bayar = BayarConv(BAYAR)
        self.plain = nn.Conv2d(1, channels[0] - FIXED - BAYAR, 5, bias=False)
        # With a margin of one pixel, mirroring and replicating are the same.
        self.body = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate") for before, after in pairwise(channels)
        )
        self.reach = 2 + len(self.body)
        """Pixels around a pixel that its traces depend on."""
        self.apply(_initialise)

    def forward(self, x: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch traces height width"]:
        """From a picture in [-1, 1]."""
        x = mirrored(x, 2)
        x = torch.cat([self.srm(x), self.bayar(x), self.plain(x)], dim=1)
        for conv in self.body:
            x = conv(x.relu_())
        return functional.normalize(x.float(), dim=1)


class UnitConv2d(nn.Conv2d):
    """1x1 convolution whose kernels have length 1: each is a direction, in which it looks at the traces."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 1, bias=False)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch out height width"]:
        """Between -1 and 1, for vectors of length 1."""
        return functional.conv2d(x, functional.normalize(self.weight, dim=1))


class Deviations(nn.Module):
    """How far each pixel is from the mean of its surroundings, in standard deviations of its channel in the slice."""

    def __init__(self, channels: int, windows: tuple[int, ...]) -> None:
        super().__init__()
        self.windows = windows
        self.floor = nn.Parameter(torch.full((channels, 1, 1), 1e-5))

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Iterator[Float[Tensor, "batch channels height width"]]:
        """The map of each window, the smallest first, then that of the whole slice; each is made when asked for."""
        deviation = x.std(dim=(-2, -1), correction=0, keepdim=True)
        scale = torch.maximum(deviation, self.floor.abs() + 1e-6)
        for window in self.windows:
            yield ((mean_around(x, window) - x) / scale).abs()
        yield ((x.mean(dim=(-2, -1), keepdim=True) - x) / scale).abs()


class ManTraNet(Network[ManTraNetConfig]):
    """3.8 M parameters, as published.

    One channel in, so that there are 3 fixed residuals and not the same 3 for each of three colours; the first layer
    keeps its 32 maps. It is trained at once, by cross-entropy over all pixels; the publication trains the traces first
    (see :class:`Traces`), on patches of 256 pixels as here, and does not tell its steps: those are ours.

    A map of 256 channels of a whole slice takes 268 MB. When nothing is to be learned, slices are judged one by one,
    and their traces are computed in strips and reduced to 64 channels before the next strip: exact, since each depends
    on 14 pixels around it and on nothing else in the slice. What follows needs the whole slice, and few channels.
    """

    name: ClassVar[str] = "mantranet"
    presets: ClassVar[dict[str, Recipe]] = {
        "paper": ManTraNetConfig(steps=50_000, batch=8, crop=256, lr=1e-4),
        "tiny": ManTraNetConfig(
            traces=(12, 12, 12, 16, 16),
            reduced=8,
            hidden=4,
            kernel=5,
            lr_end=3e-4,
            steps=300,
            batch=8,
            crop=96,
            lr=2e-3,
        ),
    }

    def __init__(self, config: ManTraNetConfig) -> None:
        super().__init__(config)
        self.traces = Traces(config.traces)
        self.reduce = UnitConv2d(config.traces[-1], config.reduced)
        self.standardise = nn.BatchNorm2d(config.reduced, affine=False)
        self.deviations = Deviations(config.reduced, config.windows)
        self.compare = ConvLSTM(config.reduced, config.hidden, config.kernel)
        self.decide = nn.Conv2d(config.hidden, 1, config.kernel, padding=config.kernel // 2)
        # From an even start, the first steps all go to saying no everywhere.
        self.decide.bias = nn.Parameter(torch.full((1,), RARE))

    def forward(self, hu: Slab) -> Answer:
        """The map, and its maximum: the network has no head for the slice."""
        x = 2 * windowed(hu) - 1
        together = self.training or torch.is_grad_enabled()
        logits = self._map(x) if together else torch.cat([self._map(one) for one in x.chunk(len(x))])
        return Answer(score=logits.amax(dim=(1, 2, 3)), map=logits)

    def loss(self, answer: Answer, mask: SlabMask) -> Float[Tensor, ""]:
        """Cross-entropy of each pixel. A pristine slice counts like any other."""
        assert answer.map is not None
        return functional.binary_cross_entropy_with_logits(answer.map, mask.float())

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.parameters(), self.config.lr)

    def learning_rate(self, progress: float) -> float:
        """From the first rate to the last, by the same factor each step."""
        factor: float = (self.config.lr_end / self.config.lr) ** progress
        return factor

    def _map(self, x: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 1 height width"]:
        reduced = self.standardise(self._reduced(x).float())
        logits: Tensor = self.decide(self.compare(self.deviations(reduced)))
        return logits.float()

    def _reduced(self, x: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch reduced height width"]:
        reduced = nn.Sequential(self.traces, self.reduce)
        if torch.is_grad_enabled():
            whole: Tensor = reduced(x)
            return whole
        return by_strips(reduced, x, rows=STRIP, reach=self.traces.reach)


def mean_around(
    x: Float[Tensor, "batch channels height width"], window: int
) -> Float[Tensor, "batch channels height width"]:
    """Of the pixels of a square around each that lie in the picture; rows first, then columns, which is the same.

    Args:
        x: Any picture.
        window: Side of the square; odd.
    """
    half = window // 2
    rows = functional.avg_pool2d(x, (window, 1), stride=1, padding=(half, 0), count_include_pad=False)
    return functional.avg_pool2d(rows, (1, window), stride=1, padding=(0, half), count_include_pad=False)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
