"""A detector, as prediction needs one: any object that has these names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from m3dsynth_dataset.lazy import EditedVolume

SliceMap = Float32[np.ndarray, "height width"]


@dataclass(frozen=True, eq=False)
class SliceVerdict:
    """What a detector says of one axial slice."""

    number: int
    score: float
    """0 to 1; higher means tampered."""
    map: SliceMap | None
    """Probability at every pixel; None from a detector that does not localise."""


@runtime_checkable
class Detector(Protocol):
    """Judges a scan slice after slice. A scan's score is the highest of its slices'."""

    @property
    def name(self) -> str:
        """In submissions and tables."""

    @property
    def reach(self) -> int:
        """Slices on either side of one that its verdict depends on; 0 for a detector of single slices.

        A scan and its tampered versions are the same but for one box: slices further from it than this are judged
        once for all of them.
        """

    def judge(self, ct: EditedVolume, first: int, stop: int) -> Iterator[SliceVerdict]:
        """Judge the slices from ``first`` up to ``stop``, in their order.

        Args:
            ct: The scan in HU (z, y, x), read where it is indexed.
            first: Number of a slice.
            stop: The one after the last.
        """
