"""Histogram equalisation after CT-GAN (Mirsky et al., USENIX Security 2019), with an exact inverse.

CT-GAN maps HU through the cumulative histogram of its training cubes, so that the few HU where tissue lives
take most of the network's range. Where the histogram is empty its map is flat, and the way back is lost. Here a
small part of the map is a straight line: it rises everywhere, and every HU value comes back as itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int16, Int64, Num
from torch import Tensor

from generation.errors import GenerationError

STRAIGHT = 0.05
"""Share of the output range that a straight line gets unless told; the cumulative histogram gets the rest."""
INT16 = np.iinfo(np.int16)
VALUES = INT16.max - INT16.min + 1
BATCH = 64


@dataclass(frozen=True, eq=False)
class Equalisation:
    """A strictly rising, piecewise linear map of HU to about [-0.5, 0.5]. Zero is the mean of the training cubes.

    The table has one level per HU. So an integer HU maps to a table entry and back to itself without any
    arithmetic that could round. Outside the table the map goes on straight with the slope of its end.

    Args:
        first_hu: HU of the first level.
        levels: What first_hu, first_hu + 1, ... map to.
    """

    first_hu: int
    levels: Float32[np.ndarray, " knots"]

    def __post_init__(self) -> None:
        if len(self.levels) < 2 or not (np.diff(self.levels) > 0).all():
            raise GenerationError(
                f"equalisation levels must rise strictly, got {len(self.levels)} levels that do not; "
                "Equalisation.fit makes levels that do"
            )

    @classmethod
    def fit(cls, cubes: Int16[np.ndarray, "n z y x"], straight: float = STRAIGHT) -> Equalisation:
        """Learn the map from training cubes in HU.

        Args:
            cubes: HU.
            straight: Share of the range that a straight line gets, above 0, at most 1.

        Raises:
            GenerationError: If there is not one cube, or the share leaves no way back.
        """
        if not 0 < straight <= 1:
            raise GenerationError(f"straight must be above 0 and at most 1, got {straight}")
        if not cubes.size:
            raise GenerationError(f"equalisation needs at least one training cube, got {len(cubes)}")
        counts = _histogram(cubes)
        present = np.flatnonzero(counts)
        # Two empty bins on both sides: the end segments are then nothing but the straight line.
        low, high = int(present[0]) - 2, int(present[-1]) + 3
        inside = np.pad(counts, 3)[low + 3 : high + 3]
        cumulative = (np.cumsum(inside) - inside / 2) / inside.sum()
        levels = straight * np.linspace(0, 1, len(inside)) + (1 - straight) * cumulative
        mean = float((levels * inside).sum() / inside.sum())
        return cls(low + INT16.min, _normalised(levels, mean))

    @classmethod
    def linear(cls, low_hu: int = -1024, high_hu: int = 3071) -> Equalisation:
        """The straight line from ``low_hu`` (at -0.5) to ``high_hu`` (at 0.5): nothing is learned."""
        return cls(low_hu, np.linspace(-0.5, 0.5, high_hu - low_hu + 1, dtype=np.float32))

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest level of the table: what training cubes map to."""
        return float(self.levels[0]), float(self.levels[-1])

    def equalise(self, hu: Num[Tensor, "*shape"]) -> Float32[Tensor, "*shape"]:
        """HU to levels, on the tensor's device."""
        levels = self._levels_on(hu.device)
        if hu.dtype == torch.int16 and self._holds(hu):
            return levels[hu.int() - self.first_hu]
        offset = hu.float() - self.first_hu
        knot = offset.floor().clamp(0, len(levels) - 2).long()
        below, above = levels[knot], levels[knot + 1]
        return below + (offset - knot) * (above - below)

    def restore(self, level: Float[Tensor, "*shape"]) -> Float32[Tensor, "*shape"]:
        """Levels to HU, the inverse of ``equalise``; rounded, it is exact for every int16 value."""
        levels = self._levels_on(level.device)
        level = level.float().contiguous()
        knot = (torch.searchsorted(levels, level, right=True) - 1).clamp(0, len(levels) - 2)
        below, above = levels[knot], levels[knot + 1]
        return self.first_hu + (knot + (level - below) / (above - below))

    def to_tensors(self) -> dict[str, Tensor]:
        """The table as tensors, for a safetensors file."""
        return {"first_hu": torch.tensor([self.first_hu]), "levels": torch.from_numpy(self.levels)}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> Equalisation:
        """The inverse of ``to_tensors``."""
        return cls(int(tensors["first_hu"].item()), tensors["levels"].float().numpy())

    def _holds(self, hu: Int16[Tensor, "*shape"]) -> bool:
        low, high = torch.aminmax(hu) if hu.numel() else (0, 0)
        return bool(low >= self.first_hu and high < self.first_hu + len(self.levels) - 1)

    def _levels_on(self, device: torch.device) -> Float32[Tensor, " knots"]:
        return torch.from_numpy(self.levels).to(device)


def _histogram(cubes: Int16[np.ndarray, "n z y x"]) -> Int64[np.ndarray, " values"]:
    """How often each int16 value occurs, from the lowest to the highest."""
    counts = np.zeros(VALUES, dtype=np.int64)
    for start in range(0, len(cubes), BATCH):
        values = cubes[start : start + BATCH].ravel().astype(np.int32)
        counts += np.bincount(values - INT16.min, minlength=VALUES)
    return counts


def _normalised(levels: Float[np.ndarray, " knots"], mean: float) -> Float32[np.ndarray, " knots"]:
    """(level - mean) / (max - min), as CT-GAN."""
    return np.asarray((levels - mean) / (levels[-1] - levels[0]), dtype=np.float32)
