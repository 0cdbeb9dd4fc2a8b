"""Padding: the value that stands for no measurement, outside a scanner's circular field of view."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int16
from pydicom import Dataset

LEAST_HU = -1024
"""What scanners of 12 bits store as zero; nothing that was measured lies below."""
INT16 = range(-32_768, 32_768)


@dataclass(frozen=True)
class Padding:
    """Padding in HU."""

    value: int
    limit: int | None = None
    """The other end, where a range of values is padding."""

    def put(self, header: Dataset) -> None:
        """Say it in a header whose stored values are HU."""
        header.add_new("PixelPaddingValue", "SS", self.value)
        if self.limit is not None:
            header.add_new("PixelPaddingRangeLimit", "SS", self.limit)


def original_padding(header: Dataset) -> Padding | None:
    """The padding that an original header names, in HU; nothing if 16 bits do not hold it."""
    ends = [_hu(header, name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    value, limit = ends
    return None if value is None else Padding(value, limit)


def visible_padding(plane: Int16[np.ndarray, "rows columns"]) -> Padding | None:
    """The padding of a slice whose header is not at hand: what all four corners hold, below all that is measured."""
    corners = plane[[0, 0, -1, -1], [0, -1, 0, -1]]
    value = int(corners[0])
    return Padding(value) if value < LEAST_HU and (corners == value).all() else None


def _hu(header: Dataset, name: str) -> int | None:
    stored = header.get(name)
    if not isinstance(stored, int):
        return None
    signed = header.get("PixelRepresentation") == 1
    if signed != (stored < 0) and stored not in range(32_768):  # some headers give it the other sign's type
        stored += -65_536 if signed else 65_536
    hu = round(stored * float(header.get("RescaleSlope") or 1) + float(header.get("RescaleIntercept") or 0))
    return hu if hu in INT16 else None
