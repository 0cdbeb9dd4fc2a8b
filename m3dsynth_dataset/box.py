"""Boxes of voxels."""

from collections.abc import Sequence
from dataclasses import dataclass

from m3dsynth_dataset.types import Triple


@dataclass(frozen=True)
class Box:
    """A half-open box of voxels along z, y, x. May reach beyond the scan, and may be empty."""

    start: Triple
    shape: Triple

    def __post_init__(self) -> None:
        if min(self.shape) < 0:
            raise ValueError(f"a box's shape must be >= 0 voxels on every axis, got {self.shape}")

    @classmethod
    def between(cls, start: Sequence[int], stop: Sequence[int]) -> "Box":
        """From the first voxel to the one after the last; empty where ``stop`` lies before ``start``."""
        z, y, x = (int(first) for first in start)
        depth, height, width = (max(0, int(after) - int(first)) for first, after in zip(start, stop, strict=True))
        return cls((z, y, x), (depth, height, width))

    @property
    def stop(self) -> Triple:
        """The voxel after the last on each axis."""
        (z, y, x), (depth, height, width) = self.start, self.shape
        return z + depth, y + height, x + width

    @property
    def size(self) -> int:
        """Number of voxels."""
        depth, height, width = self.shape
        return depth * height * width

    def slices(self) -> tuple[slice, slice, slice]:
        """To index an array with; the box must not start before the array does."""
        (z, y, x), (z_stop, y_stop, x_stop) = self.start, self.stop
        return slice(z, z_stop), slice(y, y_stop), slice(x, x_stop)

    def intersection(self, other: "Box") -> "Box":
        """The voxels in both boxes."""
        return self.between(
            tuple(map(max, self.start, other.start)),
            tuple(map(min, self.stop, other.stop)),
        )

    def relative_to(self, other: "Box") -> "Box":
        """This box in the coordinates of another's voxels."""
        z, y, x = (mine - theirs for mine, theirs in zip(self.start, other.start, strict=True))
        return type(self)((z, y, x), self.shape)

    def __contains__(self, other: "Box") -> bool:
        return self.intersection(other) == other
