"""What the noise of a CT is like around every place: its strength, and how alike it is from voxel to voxel."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detectors.network import Slab

AXES = 3
BLOCK = 4
"""Pixels of a block's side in plane; statistics are those of blocks, which is sixteen times less to compute with."""
PLACE, SURROUNDINGS = (1, 3, 3), (5, 15, 15)
"""Slices and blocks around a block."""
SCALE_HU = 30.0
"""About the noise of a lung CT."""
FLOOR = 0.01
"""Of an energy, in squares of that; padding outside the field of view has none."""
LIMIT = 10.0
"""Of a residual, likewise: edges of bone and metal say nothing of noise."""

Features = Float[Tensor, "batch _ _ _ _"]
"""Channels, depth, height and width differ from layer to layer."""


class Residuals(nn.Module):
    """What neighbours do not foretell of a voxel: nothing where the picture is constant or rises evenly.

    Second differences along z, y and x, and the mixed one of the slice, which answers to checkerboards.

    Args:
        learned: Further filters of 3 x 3 x 3 voxels, which are learned.
    """

    FIXED = AXES + 1

    def __init__(self, learned: int = 0) -> None:
        super().__init__()
        self.learned = nn.Parameter(torch.randn(learned, 1, 3, 3, 3) / 27**0.5) if learned else None

    def forward(self, hu: Slab) -> Features:
        """In units of the noise of a lung CT, cut off at ten of them."""
        padded = functional.pad(hu[:, None] / SCALE_HU, (1, 1, 1, 1, 1, 1), mode="replicate")
        # Differences of shifted views: a convolution with one input channel takes a CPU five times as long.
        found = [self._second(padded, axis) for axis in (2, 3, 4)] + [self._mixed(padded)]
        if self.learned is not None:
            free = self.learned - self.learned.mean(dim=(2, 3, 4), keepdim=True)
            found.append(functional.conv3d(padded, free))
        return torch.cat(found, dim=1).clamp(-LIMIT, LIMIT)

    @staticmethod
    def _second(padded: Features, axis: int) -> Features:
        inner = [slice(None), slice(None), slice(1, -1), slice(1, -1), slice(1, -1)]
        before, after = list(inner), list(inner)
        before[axis], after[axis] = slice(None, -2), slice(2, None)
        return padded[tuple(inner)] - (padded[tuple(before)] + padded[tuple(after)]) / 2

    @staticmethod
    def _mixed(padded: Features) -> Features:
        plane = padded[:, :, 1:-1]
        corners = plane[..., 2:, 2:] + plane[..., :-2, :-2] - plane[..., 2:, :-2] - plane[..., :-2, 2:]
        return corners / 2


class NoiseStatistics(nn.Module):
    """Statistics of residuals, block by block in plane and slice by slice: how a place differs from what is around."""

    @staticmethod
    def channels(residuals: int) -> int:
        """Of the features that come of so many residuals."""
        return residuals * (1 + AXES)

    def forward(self, residuals: Features) -> tuple[Features, Features]:
        """How every block differs from its surroundings, and the energies of the surroundings.

        Of a difference, the channels are for each residual the logarithm of its mean square; then its correlation with
        the next voxel along z, along y, along x. What the surroundings are like tells one scanner from another, and
        nothing of a forgery: whoever learned of a few scanners would know no other.
        """
        energy = blocks(residuals.square())
        # Rolled round the border: one plane of voxels is compared with the far side, and the window hides that.
        products = [blocks(residuals * residuals.roll(-1, axis)) for axis in (2, 3, 4)]
        place, surroundings = (_statistics(energy, products, window) for window in (PLACE, SURROUNDINGS))
        return place - surroundings, surroundings[:, : residuals.shape[1]]


def _statistics(energy: Features, products: list[Features], window: tuple[int, int, int]) -> Features:
    mean = _mean(energy, window) + FLOOR
    return torch.cat([mean.log(), *(_mean(product, window) / mean for product in products)], dim=1)


def blocks(values: Features, side: int = BLOCK) -> Features:
    """Means of blocks in plane; the last of a row or column may be smaller."""
    return functional.avg_pool3d(values, (1, side, side), ceil_mode=True, count_include_pad=False)


def around(values: Features) -> Features:
    """Means over the surroundings of every block."""
    return _mean(values, SURROUNDINGS)


def _mean(values: Features, window: tuple[int, int, int]) -> Features:
    """Over a box around each block, as far as it lies in the slab: axis after axis, which is much less work."""
    for axis, length in enumerate(window):
        size = values.shape[2 + axis]
        kernel = [1, 1, 1]
        kernel[axis] = min(length, size - 1 + size % 2)  # odd, so that the block is in its middle
        padding = [side // 2 for side in kernel]
        values = functional.avg_pool3d(values, kernel, stride=1, padding=padding, count_include_pad=False)
    return values
