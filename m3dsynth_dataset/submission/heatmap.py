"""Maps as a submission holds them: one byte a voxel, and nothing outside the box where they are not zero."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float, UInt8

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.types import Triple

FLOOR = 0.25
"""Probabilities under it are written as zero: they are far from the threshold, and would fill the whole scan."""
LEVELS = 255
ZSTD_LEVEL = 6

Slice = Float[np.ndarray, "height width"]


@dataclass(frozen=True, eq=False)
class Heatmap:
    """Probability of tampering at every voxel, times 255; zero outside the box."""

    box: Box
    values: UInt8[np.ndarray, "depth height width"]

    def __post_init__(self) -> None:
        if self.values.shape != self.box.shape:
            raise ValueError(f"values must have the box's shape {self.box.shape}, got {self.values.shape}")

    @classmethod
    def of(cls, shape: Triple, slices: Iterable[tuple[int, Slice]], floor: float = FLOOR) -> "Heatmap | None":
        """Put a map together slice by slice; None if there is nothing of it.

        Args:
            shape: Of the scan.
            slices: Numbers of axial slices and their probabilities, 0 to 1, in any order; slices that do not come
                are zero.
            floor: Probabilities under it become zero.

        Raises:
            ValueError: If a slice does not fit the scan, or holds what is no probability.
        """
        found: dict[int, np.ndarray] = {}
        for number, probabilities in slices:
            _check(number, probabilities, shape)
            levels = np.rint(np.where(probabilities < floor, 0, probabilities) * LEVELS).astype(np.uint8)
            if levels.any():
                found[number] = levels
        return _cropped(found) if found else None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Heatmap | None":
        """The map of a row; None if it is empty.

        Raises:
            ValueError: If the bytes do not fill the box.
        """
        if row["heatmap"] is None:
            return None
        z, y, x = row["box_start_zyx"]
        depth, height, width = row["box_shape_zyx"]
        box = Box((z, y, x), (depth, height, width))
        # The size is given, so that no more is ever unpacked.
        data = pa.Codec("zstd").decompress(row["heatmap"], decompressed_size=box.size, asbytes=True)
        return cls(box, np.frombuffer(data, np.uint8).reshape(box.shape))

    def columns(self) -> dict[str, Any]:
        """The map's columns of a row."""
        data = pa.Codec("zstd", compression_level=ZSTD_LEVEL).compress(self.values.tobytes(), asbytes=True)
        return {"box_start_zyx": list(self.box.start), "box_shape_zyx": list(self.box.shape), "heatmap": data}


def _check(number: int, probabilities: np.ndarray, shape: Triple) -> None:
    if not 0 <= number < shape[0] or probabilities.shape != shape[1:]:
        raise ValueError(f"slice {number} of {probabilities.shape} pixels does not fit a scan of {shape} voxels")
    if not (probabilities.min() >= 0 and probabilities.max() <= 1):  # false for NaN, too
        raise ValueError(f"slice {number} holds what is no probability (0 to 1)")


def _cropped(slices: dict[int, np.ndarray]) -> Heatmap:
    first, last = min(slices), max(slices)
    any_row = np.any([levels.any(axis=1) for levels in slices.values()], axis=0)
    any_column = np.any([levels.any(axis=0) for levels in slices.values()], axis=0)
    (top, bottom), (left, right) = (np.flatnonzero(each)[[0, -1]] for each in (any_row, any_column))
    box = Box.between((first, int(top), int(left)), (last + 1, int(bottom) + 1, int(right) + 1))
    values = np.zeros(box.shape, np.uint8)
    for number, levels in slices.items():
        values[number - first] = levels[top : bottom + 1, left : right + 1]
    return Heatmap(box, values)
