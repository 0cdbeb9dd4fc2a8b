"""Fusion of two branches by attention that crosses over (CMX: Zhang et al., IEEE T-ITS 2023)."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

Map = Float[Tensor, "batch channels height width"]
Tokens = Float[Tensor, "batch places channels"]
Context = Float[Tensor, "batch heads keys values"]


class Fusion(nn.Module):
    """Makes one map of two branches.

    Args:
        channels: Of each branch, and of the result.
        heads: Of the attention.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.image = CrossAttention(channels, heads)
        self.noise = CrossAttention(channels, heads)
        self.merge = Merge(channels)

    def forward(self, image: Map, noise: Map) -> Map:
        """As large as each branch."""
        height, width = image.shape[2:]
        a, b = (rearrange(branch, "b c h w -> b (h w) c") for branch in (image, noise))
        kept_a, query_a = self.image.split(a)
        kept_b, query_b = self.noise.split(b)
        a, b = (
            self.image(a, kept_a, query_a, self.noise.context(query_b)),
            self.noise(b, kept_b, query_b, self.image.context(query_a)),
        )
        both = rearrange(torch.cat([a, b], dim=2), "b (h w) c -> b c h w", h=height, w=width)
        merged: Tensor = self.merge(both)
        return merged


class CrossAttention(nn.Module):
    """One branch's half of an attention whose cost grows with the number of places, not with its square.

    Keys and values of a branch are summed up in a small matrix, its context; the queries of the other branch read it.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (channels // heads) ** -0.5
        self.inward = nn.Sequential(nn.Linear(channels, 2 * channels), nn.ReLU())
        self.keys_values = nn.Linear(channels, 2 * channels, bias=False)
        self.outward = nn.Linear(2 * channels, channels)
        self.norm = nn.LayerNorm(channels)

    def split(self, tokens: Tokens) -> tuple[Tokens, Tokens]:
        """What is kept as it is, and what attends."""
        kept, attending = self.inward(tokens).chunk(2, dim=2)
        return kept, attending

    def context(self, attending: Tokens) -> Context:
        """What this branch has to tell; every column sums to 1."""
        keys_values = self.keys_values(attending)
        keys, values = rearrange(keys_values, "b n (what heads c) -> what b heads n c", what=2, heads=self.heads)
        context: Tensor = ((keys.transpose(2, 3) @ values) * self.scale).softmax(dim=2)
        return context

    def forward(self, tokens: Tokens, kept: Tokens, attending: Tokens, context: Context) -> Tokens:
        """This branch, with what it reads in the other's context."""
        queries = rearrange(attending, "b n (heads c) -> b heads n c", heads=self.heads)
        read = rearrange(queries @ context, "b heads n c -> b n (heads c)")
        normed: Tensor = self.norm(tokens + self.outward(torch.cat([kept, read], dim=2)))
        return normed


class Merge(nn.Module):
    """From the channels of both branches to those of one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Conv2d(2 * channels, channels, 1, bias=False)
        self.body = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 1),
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1),
            nn.BatchNorm2d(channels),
        )
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, both: Float[Tensor, "batch twice height width"]) -> Map:
        """As large as what came in."""
        merged: Tensor = self.norm(self.residual(both) + self.body(both))
        return merged
