"""The label of a published sample: which voxels it marks, and where they lie in the pristine scan."""

import numpy as np
from jaxtyping import Int64

from builder.official_images import FETCH_AGAIN, RefusedSampleError, SliceFolder
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.types import PatchMask, Triple

COMPARE = "compare label and scan"

Points = Int64[np.ndarray, "n zyx"]


def place_label(
    label: SliceFolder, reach: Box, changed: PatchMask, shape: Triple, *, ascending: bool
) -> tuple[PatchMask, bool]:
    """Lay a label over the voxels around a site.

    Its slices run as the scan's do, unless only the other way any of it falls onto voxels that changed. Empty slices
    beyond the scan's last are passed over.

    Args:
        label: The published label.
        reach: Where an edit may lie.
        changed: The reach's voxels that differ from the pristine scan.
        shape: Of the pristine scan.
        ascending: Whether the published scan runs from the feet up.

    Returns:
        The reach's voxels that are labelled, and whether the label runs the other way than its scan.

    Raises:
        RefusedSampleError: If it lacks slices, is empty, or marks voxels beyond the scan or far from the site.
    """
    if len(label) < shape[0]:
        raise RefusedSampleError(f"{label.path} has {len(label)} slices, the scan {shape[0]}", FETCH_AGAIN)
    points = _label_points(label, reach, shape)
    ways = [_on_reach(_turned(points, shape[0], up), reach) for up in (ascending, not ascending)]
    hits = [None if way is None else int((way & changed).sum()) for way in ways]
    best = 1 if (hits[1] or 0) > 0 and not hits[0] else 0
    if (placed := ways[best]) is None:
        first, after = points.min(axis=0).tolist(), (points.max(axis=0) + 1).tolist()
        raise RefusedSampleError(f"its label marks voxels too far from the site, from {first} to {after}", COMPARE)
    if not hits[best]:
        raise RefusedSampleError("its label marks none of the voxels that changed", COMPARE)
    return placed, best == 1


def _label_points(label: SliceFolder, reach: Box, shape: Triple) -> Points:
    """The voxels of a label, with its slices as they are numbered."""
    found = []
    room = reach.size
    for z in range(len(label)):
        y, x = np.nonzero(label.label_slice(z, (shape[1], shape[2])))
        if len(y) and z >= shape[0]:
            raise RefusedSampleError(
                f"{label.path} marks {len(y)} voxels in slice {z}, the scan has {shape[0]} slices",
                COMPARE,
            )
        if (room := room - len(y)) < 0:
            raise RefusedSampleError("its label marks voxels too far from the site: more than it may have", COMPARE)
        found.append(np.column_stack([np.full(len(y), z), y, x]))
    points = np.concatenate(found)
    if not len(points):
        raise RefusedSampleError("its label marks no voxel", FETCH_AGAIN)
    return points


def _turned(points: Points, slices: int, ascending: bool) -> Points:
    """Points of a label in voxels of the pristine scan."""
    return points * (-1, 1, 1) + (slices - 1, 0, 0) if ascending else points


def _on_reach(points: Points, reach: Box) -> PatchMask | None:
    """Points as an array over a box; None if not all lie in it."""
    inside = points - reach.start
    if (inside < 0).any() or (inside >= reach.shape).any():
        return None
    placed = np.zeros(reach.shape, dtype=bool)
    placed[tuple(inside.T)] = True
    return placed
