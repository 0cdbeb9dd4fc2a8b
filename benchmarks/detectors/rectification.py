"""Rectification of two branches by each other (CMX: Zhang et al., IEEE T-ITS 2023)."""

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn

SHARE = 0.5
"""Of what a branch takes over from the other, for channels and for places."""

Map = Float[Tensor, "batch channels height width"]


class Rectification(nn.Module):
    """Adds to each branch of the other what matters, by channel and by place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel_weights = nn.Sequential(
            nn.Linear(4 * channels, 4 * channels), nn.ReLU(), nn.Linear(4 * channels, 2 * channels), nn.Sigmoid()
        )
        self.place_weights = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, 2, 1), nn.Sigmoid()
        )

    def forward(self, image: Map, noise: Map) -> tuple[Map, Map]:
        """Both branches, rectified."""
        both = torch.cat([image, noise], dim=1)
        pooled = torch.cat([reduce(both, "b c h w -> b c", how) for how in ("mean", "max")], dim=1)
        of_channels = rearrange(self.channel_weights(pooled), "b (branch c) -> branch b c 1 1", branch=2)
        of_places = rearrange(self.place_weights(both), "b branch h w -> branch b 1 h w")
        to_image, to_noise = SHARE * (of_channels + of_places)
        return image + to_image * noise, noise + to_noise * image
