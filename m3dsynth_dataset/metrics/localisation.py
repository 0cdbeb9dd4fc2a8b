"""Measures of a map: which voxels came from an inpainter?

Maps and masks are zero outside a box each, so no measure looks at more than the two boxes.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Num

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.types import PatchMask

Heatmap = Num[np.ndarray, "depth height width"]


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
    said = None if heatmap is None else heatmap > threshold
    positives = 0 if said is None else int(np.count_nonzero(said))
    tampered = 0 if mask is None else int(np.count_nonzero(mask))
    both = heatmap_box.intersection(mask_box)
    hits = 0
    if said is not None and mask is not None and both.size:
        here, there = both.relative_to(heatmap_box).slices(), both.relative_to(mask_box).slices()
        hits = int(np.count_nonzero(said[here] & mask[there]))
    return Overlap(hits, positives - hits, tampered - hits)
