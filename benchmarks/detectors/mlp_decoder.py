"""SegFormer's decoder (Xie et al., NeurIPS 2021): linear layers alone."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

DROPOUT = 0.1


class MlpDecoder(nn.Module):
    """From the maps of four stages to logits in the size of the first.

    Args:
        channels: Of each stage.
        width: Channels that every stage is brought to.
        out: Logits of a place.
    """

    def __init__(self, channels: Sequence[int], width: int, out: int) -> None:
        super().__init__()
        self.linear = nn.ModuleList(nn.Conv2d(stage, width, 1) for stage in channels)
        self.fuse = nn.Sequential(
            nn.Conv2d(len(channels) * width, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.dropout = nn.Dropout2d(DROPOUT)
        self.logits = nn.Conv2d(width, out, 1)

    def forward(self, stages: Sequence[Tensor]) -> Float[Tensor, "batch out height width"]:
        """Logits.

        Args:
            stages: Each (batch, channels, height, width), the largest first.
        """
        size = stages[0].shape[2:]
        brought = [
            functional.interpolate(linear(stage), size, mode="bilinear")
            for linear, stage in zip(self.linear, stages, strict=True)
        ]
        logits: Tensor = self.logits(self.dropout(self.fuse(torch.cat(brought, dim=1))))
        return logits
