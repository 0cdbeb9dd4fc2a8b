"""From a published tampered scan back to what was done to the pristine one: box, patch and mask.

Every voxel outside the edit's box must be that of the pristine scan, as the published form holds it, or the sample is
refused: it would not be the pristine scan with one edit.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int32

from builder.cube import CUBE_MM, box_around
from builder.official_alignment import COMPARE, STORED, Alignment, align
from builder.official_images import FETCH_AGAIN, RefusedSampleError, SliceFolder
from builder.official_label import place_label
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.edit import Edit
from m3dsynth_dataset.types import Patch, PatchMask, Triple, Volume

REACH_MM = 48
"""Within this cube around a site an edit may lie. The box is the cube of 32 mm; it grows to hold what goes further."""
Bounds = tuple[Triple, Triple]
"""First voxel, and the one after the last."""


@dataclass(frozen=True)
class Observations:
    """What was found out about a sample on the way."""

    offset_hu: int
    """Published value minus HU: the published offset less the series' RescaleIntercept."""
    ascending: bool
    changed: int
    """Voxels that differ from the pristine scan."""
    outside_box: int
    """Those of them outside the cube of 32 mm; the box has grown to hold them."""
    outside_box_bounds: Bounds | None
    labelled: int
    """Voxels of the label."""
    labelled_outside_box: int
    """Those of them outside the cube of 32 mm; likewise."""
    changed_outside_label: int
    extra_label_slices: int
    """Empty ones, beyond the scan's last; passed over."""
    label_turned: bool
    """Whether the label's slices run the other way than the scan's."""
    cut_off: int
    """Voxels of the box below what the published form can hold (padding); they keep their HU unless changed."""
    changed_to_lowest: int
    """Changed voxels with the lowest value that the published form has; they may have been lower still."""


def find_edit(
    stack: SliceFolder, label: SliceFolder, voxels: Volume, centre: Triple, spacing_mm: tuple[float, float, float]
) -> tuple[Edit, Observations]:
    """Take the edit out of a published sample.

    Args:
        stack: The tampered scan.
        label: Its label.
        voxels: The pristine scan in HU.
        centre: The site, in voxels of the pristine scan.
        spacing_mm: Of the scan along z, y, x.

    Returns:
        The edit. Its box is the cube of 32 mm, grown to hold every changed and every labelled voxel; its patch holds
        the pristine HU where nothing changed; its mask is the label.

    Raises:
        RefusedSampleError: If the sample is not the pristine scan with one edit at the site.
    """
    z, y, x = shape = (voxels.shape[0], voxels.shape[1], voxels.shape[2])
    if Box(centre, (1, 1, 1)) not in Box((0, 0, 0), shape):
        raise RefusedSampleError(f"site outside the scan: {centre} in {(z, y, x)} voxels", "correct the table")
    if len(stack) != z:
        raise RefusedSampleError(f"{stack.path} has {len(stack)} slices, the scan {z}", "fetch the whole of both")
    cube, reach = (box_around(centre, side, spacing_mm, shape) for side in (CUBE_MM, REACH_MM))
    alignment = align(stack, voxels)
    around = _Surroundings(cube, reach, alignment, voxels[reach.slices()], _published(stack, voxels, alignment, reach))
    if not around.changed.any():
        raise RefusedSampleError("no voxel differs from the pristine scan", FETCH_AGAIN)
    labelled, turned = place_label(label, reach, around.changed, shape, ascending=alignment.ascending)
    edit = around.edit(labelled)
    return edit, around.observe(labelled, edit.box, extra_slices=len(label) - z, label_turned=turned)


@dataclass(frozen=True, eq=False)
class _Surroundings:
    """What lies within reach of a site."""

    cube: Box
    """Of 32 mm."""
    reach: Box
    alignment: Alignment
    pristine: Patch
    """HU of the reach."""
    published: Int32[np.ndarray, "d h w"]
    """Values of the reach, as the published form holds them."""

    @cached_property
    def changed(self) -> PatchMask:
        """The voxels that are not what the published form holds where nobody changed anything."""
        return np.asarray(self.published != self.alignment.stored(self.pristine))

    def edit(self, labelled: PatchMask) -> Edit:
        """The edit whose mask is a label of the reach."""
        box = _hull(self.cube, self.reach, self.changed | labelled)
        inside = box.relative_to(self.reach).slices()
        hu = np.where(self.changed, self.published - self.alignment.offset_hu, self.pristine)
        return Edit(box, _int16(hu[inside]), labelled[inside])

    def observe(self, labelled: PatchMask, box: Box, *, extra_slices: int, label_turned: bool) -> Observations:
        """What is to be said of the edit."""
        inner = self.cube.relative_to(self.reach)
        outside = _without(self.changed, inner)
        lowest = self.pristine.astype(np.int32) + self.alignment.offset_hu < STORED[0]
        return Observations(
            offset_hu=self.alignment.offset_hu,
            ascending=self.alignment.ascending,
            changed=int(self.changed.sum()),
            outside_box=int(outside.sum()),
            outside_box_bounds=_bounds(outside, self.reach),
            labelled=int(labelled.sum()),
            labelled_outside_box=int(_without(labelled, inner).sum()),
            changed_outside_label=int((self.changed & ~labelled).sum()),
            extra_label_slices=extra_slices,
            label_turned=label_turned,
            cut_off=int(lowest[box.relative_to(self.reach).slices()].sum()),
            changed_to_lowest=int((self.changed & (self.published == STORED[0])).sum()),
        )


def _published(stack: SliceFolder, voxels: Volume, alignment: Alignment, reach: Box) -> Int32[np.ndarray, "d h w"]:
    """The published values around a site.

    Raises:
        RefusedSampleError: If a voxel differs beyond.
    """
    count, low, high = 0, np.array(voxels.shape), np.zeros(3, dtype=int)
    published = np.empty(reach.shape, dtype=np.int32)
    _, rows, columns = reach.slices()
    for z, pristine in enumerate(voxels):
        pixels = stack.scan_slice(alignment.index(z, len(stack)), (pristine.shape[0], pristine.shape[1]))
        differs = pixels != alignment.stored(pristine)
        if reach.start[0] <= z < reach.stop[0]:
            published[z - reach.start[0]] = pixels[rows, columns]
            differs[rows, columns] = False
        if differs.any():
            y, x = np.nonzero(differs)
            count += len(y)
            low = np.minimum(low, (z, y.min(), x.min()))
            high = np.maximum(high, (z + 1, y.max() + 1, x.max() + 1))
    if count:
        raise RefusedSampleError(
            f"{count:,} voxels beyond {REACH_MM} mm around the site differ from the pristine scan, between "
            f"{_triple(low)} and {_triple(high)} of {voxels.shape}",
            COMPARE,
        )
    return published


def _hull(cube: Box, reach: Box, voxels: PatchMask) -> Box:
    """The smallest box around a cube and some voxels of its reach."""
    first, after = _bounds(voxels, reach) or (cube.start, cube.stop)
    return Box.between(np.minimum(cube.start, first).tolist(), np.maximum(cube.stop, after).tolist())


def _bounds(voxels: PatchMask, reach: Box) -> Bounds | None:
    if not voxels.any():
        return None
    points = np.argwhere(voxels) + reach.start
    return _triple(points.min(axis=0)), _triple(points.max(axis=0) + 1)


def _without(voxels: PatchMask, box: Box) -> PatchMask:
    """Voxels of the reach but those of a box in it."""
    rest = voxels.copy()
    rest[box.slices()] = False
    return rest


def _int16(hu: np.ndarray) -> np.ndarray:
    info = np.iinfo(np.int16)
    if hu.min() < info.min or hu.max() > info.max:
        raise RefusedSampleError(f"values from {hu.min()} to {hu.max()} HU do not fit into 16 bits", COMPARE)
    return hu.astype(np.int16)


def _triple(values: np.ndarray) -> Triple:
    z, y, x = (int(value) for value in values)
    return z, y, x
