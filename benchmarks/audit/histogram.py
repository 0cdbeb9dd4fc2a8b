"""Histograms of Hounsfield units: all that the audit keeps of a volume, and all that a global statistic needs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64

from m3dsynth_dataset.box import Box

LOWEST = -32768
VALUES = 65536
"""Of int16."""
SLAB = 16
"""Slices that are read at once: those of a chunk."""
STEPS = range(2, 65)
ON_GRID = 0.999
"""Share of voxels that makes a grid of values the scanner's own; padding may lie off it."""

Histogram = Int64[np.ndarray, "65536"]
"""Voxels of each value, from -32768 up."""


@dataclass(frozen=True, eq=False)
class Values:
    """The values that a scan takes."""

    histogram: Histogram

    @cached_property
    def grid(self) -> tuple[int, int]:
        """Step and remainder; see :func:`grid_of`."""
        return grid_of(self.histogram)

    @cached_property
    def range_hu(self) -> tuple[int, int]:
        """The lowest and the highest."""
        present = np.flatnonzero(self.histogram) + LOWEST
        return int(present[0]), int(present[-1])

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Which of some values any voxel of the scan has."""
        found: np.ndarray = self.histogram[values - LOWEST] > 0
        return found


def histogram_of(voxels: np.ndarray) -> Histogram:
    """Count voxels by value.

    Args:
        voxels: HU, int16, of any shape.
    """
    return np.bincount(voxels.ravel().astype(np.int32) - LOWEST, minlength=VALUES).astype(np.int64)


def histogram_of_volume(read: Callable[[Box], np.ndarray], shape: tuple[int, int, int]) -> Histogram:
    """Count a volume's voxels by value, a few slices at a time."""
    depth, height, width = shape
    found = np.zeros(VALUES, np.int64)
    for first in range(0, depth, SLAB):
        found += histogram_of(read(Box.between((first, 0, 0), (min(first + SLAB, depth), height, width))))
    return found


def statistics(histogram: Histogram) -> dict[str, float]:
    """What a network's normalisation might use of a whole scan: range, percentiles, mean and deviation, in HU."""
    values = np.arange(LOWEST, LOWEST + VALUES)
    present = np.flatnonzero(histogram) + LOWEST
    total, below = histogram.sum(), np.cumsum(histogram)
    mean = float(histogram @ values / total)
    percentiles = {
        f"{share:g} % percentile": float(np.searchsorted(below, share / 100 * total) + LOWEST)
        for share in (0.1, 1, 50, 99, 99.9)
    }
    return {
        "minimum": float(present[0]),
        **percentiles,
        "maximum": float(present[-1]),
        "mean": mean,
        "deviation": float(np.sqrt(histogram @ (values - mean) ** 2 / total)),
    }


def grid_of(histogram: Histogram) -> tuple[int, int]:
    """The largest step on which a scan's values lie, and the remainder; (1, 0) for one that takes every value.

    A scanner whose slope is 2 gives even numbers only. What one value holds, such as the padding, says nothing.
    """
    present = np.flatnonzero(histogram)
    present = present[histogram[present] < histogram.max()]
    values, counts = present + LOWEST, histogram[present]
    for step in reversed(STEPS) if len(values) > 1 else ():
        shares = np.bincount(values % step, weights=counts, minlength=step) / counts.sum()
        if shares.max() >= ON_GRID:
            return step, int(shares.argmax())
    return 1, 0
