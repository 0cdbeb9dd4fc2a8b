"""The nodule network of Liao et al.: a 3D U-Net of residual blocks that ends at a quarter of the resolution.

Its published head, which searches a scan for nodules (9,231 of 5,383,623 parameters), is left out: here the place is
known.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

LOCATION = 3
"""Channels of the location map."""
DEPTH = 16
"""Voxels of the cube to one of the deepest layer, along each axis."""


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, which has weights of its own where the width changes."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(inputs, outputs, 3, padding=1),
            nn.BatchNorm3d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv3d(outputs, outputs, 3, padding=1),
            nn.BatchNorm3d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv3d(inputs, outputs, 1), nn.BatchNorm3d(outputs))

    def forward(
        self, x: Float[Tensor, "batch inputs depth height width"]
    ) -> Float[Tensor, "batch outputs depth height width"]:
        """The sum of both, cut off below zero."""
        return functional.relu(self.body(x) + self.shortcut(x))


class NoduleNet(nn.Module):
    """Features of a cube at a quarter of its resolution.

    Args:
        stem: Channels at full resolution.
        widths: Channels at 1/2, 1/4, 1/8 and 1/16 of it.
        blocks: Residual blocks of each of these.
        back: Channels on the way back, at 1/8 and at 1/4.
        back_blocks: Residual blocks of both.
    """

    def __init__(
        self, stem: int, widths: Sequence[int], blocks: Sequence[int], back: Sequence[int], back_blocks: int
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_plain(1, stem), *_plain(stem, stem))
        self.down = nn.ModuleList(
            _group(inputs, outputs, count)
            for (inputs, outputs), count in zip(pairwise([stem, *widths]), blocks, strict=True)
        )
        _, quarter, eighth, deepest = widths
        self.up = nn.ModuleList([_larger(deepest, deepest), _larger(back[0], back[0])])
        self.join = nn.ModuleList(
            [
                _group(deepest + eighth, back[0], back_blocks),
                _group(back[0] + quarter + LOCATION, back[1], back_blocks),
            ]
        )
        self.drop = nn.Dropout3d(0.2)
        self.features = back[1]

    def forward(
        self,
        x: Float[Tensor, "batch 1 side side side"],
        locations: Float[Tensor, "batch 3 cells cells cells"],
    ) -> Float[Tensor, "batch features cells cells cells"]:
        """Features of every cell of 4 x 4 x 4 voxels.

        Args:
            x: Grey values, about -1 to 1; sides a multiple of 16.
            locations: Where each cell lies in the scan, -0.5 to 0.5.
        """
        x = self.stem(x)
        levels = []
        for group in self.down:
            x = group(functional.max_pool3d(x, 2))
            levels.append(x)
        _, quarter, eighth, deepest = levels
        x = self.join[0](torch.cat([self.up[0](deepest), eighth], 1))
        x = self.join[1](torch.cat([self.up[1](x), self.drop(quarter), locations], 1))
        found: Tensor = self.drop(x)
        return found


def _plain(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv3d(inputs, outputs, 3, padding=1), nn.BatchNorm3d(outputs), nn.ReLU(inplace=True)]


def _group(inputs: int, outputs: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(outputs if number else inputs, outputs) for number in range(count)))


def _larger(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose3d(inputs, outputs, 2, stride=2), nn.BatchNorm3d(outputs), nn.ReLU(inplace=True)
    )
