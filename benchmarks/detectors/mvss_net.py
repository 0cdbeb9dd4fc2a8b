"""MVSS-Net (Chen et al., ICCV 2021): an edge view and a noise view, taught by pixels, edges and the whole slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detectors.bayar import BayarConv
from benchmarks.detectors.dice import dice_loss
from benchmarks.detectors.dual_attention import DualAttention
from benchmarks.detectors.imagenet import as_imagenet
from benchmarks.detectors.mirror import mirrored
from benchmarks.detectors.network import Answer, Network, Recipe, Slab, SlabMask
from benchmarks.detectors.resnet50 import ResNet50
from benchmarks.detectors.sobel import SobelGate
from benchmarks.detectors.window import windowed

PIXELS, SLICE, EDGES = 0.16, 0.04, 0.80
"""What each scale of the supervision counts."""
EDGE_STRIDE = 4
"""Pixels of a slice for one of the map of edges."""


@dataclass(frozen=True, kw_only=True)
class MVSSNetConfig(Recipe):
    """Sizes and rates; the defaults are those of the published network."""

    width: int = 64
    """Channels of the first convolution of both bodies; their stages have 4, 8, 16 and 32 times as many."""
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    """Bottlenecks of each stage."""
    dilations: tuple[int, ...] = (1, 2, 4)
    """Of each bottleneck of the last stage."""
    dropout: float = 0.1
    """Of channels, before the map."""
    lr_end: float = 1e-7


class EdgeBlock(nn.Module):
    """A 1x1 convolution to one map, and a residual of two 3x3 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, 1, 1)
        self.residual = nn.Sequential(
            nn.Conv2d(1, 1, 3, padding=1, bias=False),
            nn.BatchNorm2d(1),
            nn.ReLU(inplace=True),
            nn.Conv2d(1, 1, 3, padding=1),
        )

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch 1 height width"]:
        """One map."""
        squeezed = self.squeeze(x)
        refined: Tensor = squeezed + self.residual(squeezed)
        return refined


class Edges(nn.Module):
    """From the finest stage to the coarsest, where the features change is squeezed into the map of edges.

    Args:
        widths: Channels of the stages.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.gates = nn.ModuleList(SobelGate() for _ in widths)
        self.squeeze = nn.ModuleList(EdgeBlock(width) for width in widths)
        self.fuse = nn.ModuleList(EdgeBlock(1) for _ in widths[1:])

    def forward(self, stages: Sequence[Float[Tensor, "batch _ _ _"]]) -> Float[Tensor, "batch 1 height width"]:
        """Logits, as large as the first stage."""
        layers = zip(self.gates, self.squeeze, stages, strict=True)
        maps: list[Tensor] = [squeeze(gate(x)) for gate, squeeze, x in layers]
        edges = maps[0]
        for fuse, coarser in zip(self.fuse, maps[1:], strict=True):
            edges = fuse(edges + _resized(coarser, edges.shape[-2:]))
        return edges


class MVSSNet(Network[MVSSNetConfig]):
    """142.7 M parameters: 23.5 M for each body, and 95.7 M for the dual attention.

    Published counts are about 4.1 M higher: they hold the classifiers of 1,000 classes that come with two ResNet-50
    bodies from ImageNet, and that nothing uses.

    As published, but for this. Maps are enlarged so that a feature's place does not depend on the size of the slice
    (corners are not aligned): training on crops and judging whole slices agree. The frame of a slice is no edge, and
    the constrained filters cannot become NaN (:class:`SobelGate`, :class:`BayarConv`). Bodies start from random
    weights; ``edge_body`` and ``noise_body`` take those of ImageNet from whoever has them. The publication trains on
    whole pictures of 512 pixels with a rate that falls from 1e-4 to 1e-7, here along an exponential; batch and steps
    are ours.
    """

    name: ClassVar[str] = "mvss-net"
    presets: ClassVar[dict[str, Recipe]] = {
        "paper": MVSSNetConfig(steps=50_000, batch=8, crop=512, lr=1e-4),
        "tiny": MVSSNetConfig(
            width=8, blocks=(1, 1, 2, 2), dilations=(1, 2), lr_end=3e-5, steps=500, batch=8, crop=96, lr=3e-3
        ),
    }

    def __init__(self, config: MVSSNetConfig) -> None:
        super().__init__(config)
        self.edge_body, self.noise_body = (
            ResNet50(3, width=config.width, blocks=config.blocks, dilations=config.dilations) for _ in range(2)
        )
        self.bayar = BayarConv(3)
        self.edges = Edges(self.edge_body.widths)
        self.head = DualAttention(2 * self.edge_body.widths[-1], 1, config.dropout)

    def forward(self, hu: Slab) -> Answer:
        """The map, its maximum, and ``extra["edges"]``, logits at a quarter of the size."""
        grey = windowed(hu)
        stages = self.edge_body(as_imagenet(grey))
        noise = self.noise_body(self.bayar(mirrored(grey, 2)))[-1]
        logits = _resized(self.head(torch.cat([stages[-1], noise], dim=1)), hu.shape[-2:])
        return Answer(score=logits.amax(dim=(1, 2, 3)), map=logits, extra={"edges": self.edges(stages)})

    def loss(self, answer: Answer, mask: SlabMask) -> Float[Tensor, ""]:
        """Dice of pixels and of edges, where there is something to find; cross-entropy of the score everywhere."""
        assert answer.map is not None
        tampered = mask.any(dim=(1, 2, 3)).float()
        pixels = dice_loss(answer.map.sigmoid(), mask.float())
        edges = dice_loss(answer.extra["edges"].sigmoid(), edges_of(mask).float())
        dice = (tampered * (PIXELS * pixels + EDGES * edges)).sum() / tampered.sum().clamp(min=1)
        return dice + SLICE * functional.binary_cross_entropy_with_logits(answer.score, tampered)

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.parameters(), self.config.lr)

    def learning_rate(self, progress: float) -> float:
        """From the first rate to the last, by the same factor each step."""
        factor: float = (self.config.lr_end / self.config.lr) ** progress
        return factor


def edges_of(mask: SlabMask) -> Bool[Tensor, "batch depth h w"]:
    """The outlines of a mask at a quarter of its size, rounded up: blocks in which it has a border.

    Where the crop cuts a mask off, it has none.
    """
    inside = mask.float()
    outline = functional.max_pool2d(inside, 3, 1, 1) + functional.max_pool2d(-inside, 3, 1, 1)
    return functional.max_pool2d(outline, EDGE_STRIDE, ceil_mode=True) > 0


def _resized(x: Float[Tensor, "batch 1 _ _"], size: Sequence[int]) -> Float[Tensor, "batch 1 height width"]:
    return functional.interpolate(x.float(), size=tuple(size), mode="bilinear")
