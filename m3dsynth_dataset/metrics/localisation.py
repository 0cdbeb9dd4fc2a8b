"""Measures of a map: which voxels came from an inpainter?

Maps and masks are zero outside a box each, so no measure looks at more than the two boxes.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, Num

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.types import PatchMask

Heatmap = Num[np.ndarray, "depth height width"]
LEVELS = 255
Levels = Int64[np.ndarray, "255"]


@dataclass(frozen=True)
class Overlap:
    """Voxels of a volume, or of several together."""

    hits: int
    """Tampered, and said to be."""
    false_alarms: int
    """Pristine, and said to be tampered."""
    misses: int
    """Tampered, and not said to be."""

    @property
    def is_defined(self) -> bool:
        """Whether any voxel is tampered. In a pristine volume there is nothing to localise."""
        return self.hits + self.misses > 0

    @property
    def f1(self) -> float:
        """2 hits / (2 hits + false alarms + misses); 0 for an empty map on a tampered volume.

        Raises:
            ValueError: If no voxel is tampered.
        """
        self._check()
        return 2 * self.hits / (2 * self.hits + self.false_alarms + self.misses)

    @property
    def iou(self) -> float:
        """Hits / (hits + false alarms + misses).

        Raises:
            ValueError: If no voxel is tampered.
        """
        self._check()
        return self.hits / (self.hits + self.false_alarms + self.misses)

    def inverted(self, size: int) -> "Overlap":
        """Of the map that says the opposite of every voxel of a volume.

        Args:
            size: Voxels of the volume.
        """
        return Overlap(self.misses, size - self.hits - self.false_alarms - self.misses, self.hits)

    def permuted_f1(self, size: int) -> float:
        """The better F1 of the map and of its opposite, as TruFor's code has it. For parity alone.

        Args:
            size: Voxels of the volume.

        Raises:
            ValueError: If no voxel is tampered.
        """
        return max(self.f1, self.inverted(size).f1)

    def __add__(self, other: "Overlap") -> "Overlap":
        """Of both, voxels pooled."""
        return Overlap(self.hits + other.hits, self.false_alarms + other.false_alarms, self.misses + other.misses)

    def _check(self) -> None:
        if not self.is_defined:
            raise ValueError("F1 and IoU are defined for tampered volumes only; this mask is empty")


def overlap(
    heatmap: Heatmap | None, heatmap_box: Box, mask: PatchMask | None, mask_box: Box, threshold: float = 0.5
) -> Overlap:
    """Hold a map against a mask.

    Args:
        heatmap: Values of the map in its box; None for an empty map.
        heatmap_box: Where the map is not zero.
        mask: Tampered voxels in their box; None for a pristine volume.
        mask_box: Where the mask is not empty.
        threshold: A voxel is said to be tampered if its value lies above this; >= 0.
    """
    tampered = 0 if mask is None else int(np.count_nonzero(mask))
    if heatmap is None:
        return Overlap(0, 0, tampered)
    level = _of_its_type(threshold, heatmap)
    # Slice by slice, since a box may be as large as the scan.
    said = sum(int(np.count_nonzero(each > level)) for each in heatmap)
    both = heatmap_box.intersection(mask_box)
    hits = 0
    if mask is not None and both.size:
        here, there = both.relative_to(heatmap_box).slices(), both.relative_to(mask_box).slices()
        hits = int(np.count_nonzero((heatmap[here] > level) & mask[there]))
    return Overlap(hits, said - hits, tampered - hits)


def oracle_f1(heatmap: Heatmap | None, heatmap_box: Box, mask: PatchMask, mask_box: Box) -> float:
    """The best F1 that any threshold of the map's values gives, which no detector could know. For parity alone.

    A voxel is said to be tampered if its value is at least the threshold; zero is never said to be.

    Args:
        heatmap: Values of the map in its box, whole numbers of 0 to 255; None for an empty map.
        heatmap_box: Where the map is not zero.
        mask: Tampered voxels in their box.
        mask_box: Where the mask is not empty.

    Raises:
        ValueError: If no voxel is tampered.
    """
    tampered = int(np.count_nonzero(mask))
    if not tampered:
        raise ValueError("F1 is defined for tampered volumes only; this mask is empty")
    if heatmap is None:
        return 0.0
    both = heatmap_box.intersection(mask_box)
    here, there = both.relative_to(heatmap_box).slices(), both.relative_to(mask_box).slices()
    hits = _at_least(_counts(heatmap[here] * mask[there]) if both.size else np.zeros(LEVELS, np.int64))
    said = _at_least(_counts(heatmap))
    return float((2 * hits / (said + tampered)).max())


def _counts(heatmap: Heatmap) -> Levels:
    """How many voxels have each value over zero."""
    found = np.zeros(LEVELS + 1, np.int64)
    for each in heatmap:  # slice by slice, since counting takes eight bytes a voxel
        lines = each[each.any(axis=1)]  # of most maps few
        found += np.bincount(lines[lines > 0], minlength=LEVELS + 1)
    return found[1:]


def _at_least(counts: Levels) -> Levels:
    return np.cumsum(counts[::-1])[::-1]


def _of_its_type(threshold: float, heatmap: Heatmap) -> float | int:
    """For whole numbers the same threshold as one of them: comparing bytes with a fraction takes much longer."""
    return math.floor(threshold) if np.issubdtype(heatmap.dtype, np.integer) else threshold
