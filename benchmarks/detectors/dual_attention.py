"""Dual attention (Fu et al., CVPR 2019): each place looks at all places, and each channel at all channels."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Features = Float[Tensor, "batch channels height width"]
QUERY = 8
"""Channels for one channel of a query."""
REDUCTION = 4
"""Channels that come in, for one in which attention is paid."""


class PositionAttention(nn.Module):
    """Adds to each place what resembles it elsewhere. It begins as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, max(channels // QUERY, 1), 1)
        self.key = nn.Conv2d(channels, max(channels // QUERY, 1), 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.share = nn.Parameter(torch.zeros(1))

    def forward(self, x: Features) -> Features:
        """Softmax of plain dot products, not scaled."""
        query, key, value = (layer(x).flatten(2).transpose(1, 2) for layer in (self.query, self.key, self.value))
        seen = functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        return x + self.share * seen.transpose(1, 2).reshape(x.shape)


class ChannelAttention(nn.Module):
    """Adds to each channel those that are least like it, as the authors' code has it. It begins as the identity."""

    def __init__(self) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.zeros(1))

    def forward(self, x: Features) -> Features:
        """Softmax of the largest dot product of a channel minus each: the sign alone counts.

        In 32 bits: the products are sums over all places.
        """
        with torch.autocast(x.device.type, enabled=False):
            flat = x.float().flatten(2)
            weights = (-flat @ flat.transpose(1, 2)).softmax(dim=-1)
            seen = (weights @ flat).view(x.shape)
        return x + self.share * seen.to(x.dtype)


class DualAttention(nn.Module):
    """Both, side by side in a quarter of the channels, added up and reduced to ``out`` maps."""

    def __init__(self, channels: int, out: int, dropout: float) -> None:
        super().__init__()
        inner = channels // REDUCTION
        self.position = nn.Sequential(*_conv(channels, inner), PositionAttention(inner), *_conv(inner, inner))
        self.channel = nn.Sequential(*_conv(channels, inner), ChannelAttention(), *_conv(inner, inner))
        self.head = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(inner, out, 1))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch out height width"]:
        """Logits."""
        logits: Tensor = self.head(self.position(x) + self.channel(x))
        return logits


def _conv(channels: int, out: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
