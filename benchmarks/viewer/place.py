"""Places: what is read of a scan around a site. All samples of a site share it, as they share the scan."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from benchmarks.viewer.block import block
from benchmarks.viewer.orientation import Orientation
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.types import Triple

SIDE_MM = 96.0
MOST_VOXELS = 1_200_000
"""Of the region. With the three whole slices, a page then loads less than 3 MB."""


@dataclass(frozen=True, eq=False)
class Place:
    """A site of a scan."""

    sample: Sample
    """Any of those that are there."""
    centre: Triple
    """Voxel (z, y, x) at which the planes cross."""

    @cached_property
    def key(self) -> str:
        """A name for it: the same for all samples that are there."""
        text = f"{self.sample.row['scan_id']} {self.centre}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def region(self) -> Box:
        """A cube around the centre, as far as the scan reaches: 96 mm, or less where voxels are fine."""
        spacing = self.sample.geometry.spacing_mm
        side = min(SIDE_MM, (MOST_VOXELS * prod(spacing)) ** (1 / 3))
        reach = [int(side / 2 / step) for step in spacing]
        around = Box.between(
            [middle - each for middle, each in zip(self.centre, reach, strict=True)],
            [middle + each + 1 for middle, each in zip(self.centre, reach, strict=True)],
        )
        return around.intersection(self._scan)

    @cached_property
    def planes(self) -> tuple[Box, Box, Box]:
        """The whole axial, coronal and sagittal slice through the centre."""
        axial, coronal, sagittal = (self._plane(axis) for axis in range(3))
        return axial, coronal, sagittal

    def _plane(self, axis: int) -> Box:
        start, stop = [0, 0, 0], list(self._scan.shape)
        start[axis], stop[axis] = self.centre[axis], self.centre[axis] + 1
        return Box.between(start, stop)

    @property
    def _scan(self) -> Box:
        return Box((0, 0, 0), self.sample.pristine.shape)

    def page(self) -> dict[str, Any]:
        """What the page gets: geometry, and the pristine voxels of the region and of the three slices."""
        orientation = Orientation.of(self.sample.geometry)
        region, *planes = (block(box.start, self.sample.pristine[box.slices()]) for box in (self.region, *self.planes))
        return {
            "key": self.key,
            "shape": list(self._scan.shape),
            "spacing_mm": list(self.sample.geometry.spacing_mm),
            "centre": list(self.centre),
            "flipped": list(orientation.flipped),
            "letters": list(orientation.letters),
            "region": region,
            "planes": planes,
        }


def edited_place(sample: Sample) -> Place:
    """Where a sample's edit is; the middle of the scan for a pristine one."""
    box = sample.mask.edited
    if box is None:
        z, y, x = (length // 2 for length in sample.pristine.shape)
        return Place(sample, (z, y, x))
    middle = box.start[0] + box.shape[0] // 2, box.start[1] + box.shape[1] // 2, box.start[2] + box.shape[2] // 2
    named = sample.row["centre_zyx"]
    if named is not None and Box((named[0], named[1], named[2]), (1, 1, 1)) in box:
        return Place(sample, (int(named[0]), int(named[1]), int(named[2])))
    return Place(sample, middle)
