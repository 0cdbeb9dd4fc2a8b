"""Nodules: the annotations of several readers, brought together where they mean the same lesion.

The way of pylidc's ``cluster_annotations``, with distances in mm, as its documentation has them. (Its code measures
them in voxels, which gives other nodules in 4 of the 1,018 scans of LIDC.)
"""

from dataclasses import dataclass
from statistics import fmean, median

import numpy as np
from jaxtyping import Float64
from scipy.cluster.hierarchy import DisjointSet
from scipy.spatial.distance import cdist

from builder.annotations import AnnotatedScan, Annotation, sphere_mm

READERS = 4
"""Each scan of LIDC-IDRI was read by four radiologists."""
SHRINK = 0.9
LEAST_TOLERANCE_MM = 0.1
SPARSE = 8
"""One point of so many is looked at first."""

Points = Float64[np.ndarray, "_ 3"]
"""z, y, x in mm."""


@dataclass(frozen=True)
class Nodule:
    """A cluster of readers' annotations."""

    centre: tuple[float, float, float]
    """Median of the readers' centres: z in mm (patient space), y and x in voxels."""
    diameter_mm: float
    """Of the sphere that has the median volume of the readers' outlines."""
    malignancy: float
    """Mean over readers, 1 to 5."""
    readers: int


def find_nodules(scan: AnnotatedScan) -> tuple[Nodule, ...]:
    """The nodules of a scan, from the head down.

    Two annotations belong together when their outlines come within the slice thickness of each other. Where
    that puts more annotations into a cluster than there are readers, neighbouring lesions have merged, and
    the tolerance shrinks until they part.
    """
    groups = clusters(scan)
    nodules = [_nodule([scan.annotations[index] for index in group]) for group in groups]
    return tuple(sorted(nodules, key=lambda nodule: (-nodule.centre[0], *nodule.centre[1:])))


def _nodule(annotations: list[Annotation]) -> Nodule:
    z, y, x = (median(values) for values in zip(*(annotation.centre for annotation in annotations), strict=True))
    return Nodule(
        centre=(z, y, x),
        diameter_mm=sphere_mm(median(annotation.volume_mm3 for annotation in annotations)),
        malignancy=fmean(annotation.malignancy for annotation in annotations),
        readers=len(annotations),
    )


def clusters(scan: AnnotatedScan) -> list[list[int]]:
    """Which annotations of a scan mean the same nodule, by their positions in the scan's list."""
    count = len(scan.annotations)
    if not count:
        return []
    to_mm = np.array([1.0, scan.pixel_spacing_mm, scan.pixel_spacing_mm])
    outlines = [annotation.outline * to_mm for annotation in scan.annotations]
    tolerance = scan.slice_thickness_mm
    pairs = _near(outlines, tolerance)
    while True:
        pairs = [(i, j) for i, j in pairs if _touch(outlines[i], outlines[j], tolerance)]
        groups = _components(count, pairs)
        if max(map(len, groups)) <= READERS or tolerance < LEAST_TOLERANCE_MM:
            return groups
        tolerance *= SHRINK


def _near(outlines: list[Points], tolerance: float) -> list[tuple[int, int]]:
    """The pairs whose boxes are within the tolerance, which spares the others a search among their points."""
    low = np.array([outline.min(axis=0) for outline in outlines])
    high = np.array([outline.max(axis=0) for outline in outlines])
    apart = (low[:, None] - high[None]).max(axis=2)
    return [(i, j) for i, j in np.argwhere(np.maximum(apart, apart.T) <= tolerance).tolist() if i < j]


def _touch(one: Points, other: Points, tolerance: float) -> bool:
    """Whether any two points are within the tolerance. Some points of each tell that of most pairs that do."""
    few = (one[::SPARSE], other[::SPARSE])
    return any((cdist(*points) <= tolerance).any() for points in (few, (few[0], other), (one, other)))


def _components(count: int, pairs: list[tuple[int, int]]) -> list[list[int]]:
    groups = DisjointSet(range(count))
    for pair in pairs:
        groups.merge(*pair)
    return sorted(sorted(group) for group in groups.subsets())
