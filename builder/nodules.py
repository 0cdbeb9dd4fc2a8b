"""Nodules: the annotations of several readers, brought together where they mean the same lesion."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from builder.annotations import AnnotatedScan, Annotation

READERS = 4
"""Each scan of LIDC-IDRI was read by four radiologists."""
SHRINK = 0.9
LEAST_TOLERANCE_MM = 0.1


@dataclass(frozen=True)
class Nodule:
    """A cluster of readers' annotations."""

    centre: tuple[float, float, float]
    """Median of the readers' centres: z in mm (patient space), y and x in voxels."""
    diameter_mm: float
    """Volume-equivalent diameter, median over readers."""
    malignancy: float
    """Mean over readers, 1 to 5."""
    readers: int


def find_nodules(scan: AnnotatedScan) -> tuple[Nodule, ...]:
    """The nodules of a scan, from the head down.

    Two annotations belong together when their outlines come within the slice thickness of each other. Where
    that puts more annotations into a cluster than there are readers, neighbouring lesions have merged, and
    the tolerance shrinks until they part.
    """
    groups = _clusters(scan)
    nodules = [_nodule([scan.annotations[index] for index in group]) for group in groups]
    return tuple(sorted(nodules, key=lambda nodule: (-nodule.centre[0], *nodule.centre[1:])))


def _nodule(annotations: list[Annotation]) -> Nodule:
    z, y, x = np.median([annotation.centre for annotation in annotations], axis=0)
    return Nodule(
        centre=(float(z), float(y), float(x)),
        diameter_mm=float(np.median([annotation.diameter_mm for annotation in annotations])),
        malignancy=float(np.mean([annotation.malignancy for annotation in annotations])),
        readers=len(annotations),
    )


def _clusters(scan: AnnotatedScan) -> list[list[int]]:
    if not scan.annotations:
        return []
    distances = _distances(scan)
    tolerance = scan.slice_thickness_mm
    while True:
        groups = _components(distances, tolerance)
        if max(map(len, groups)) <= READERS or tolerance < LEAST_TOLERANCE_MM:
            return groups
        tolerance *= SHRINK


def _components(distances: Float64[np.ndarray, "n n"], tolerance: float) -> list[list[int]]:
    count, labels = connected_components(coo_array(distances <= tolerance), directed=False)
    return [np.flatnonzero(labels == label).tolist() for label in range(count)]


def _distances(scan: AnnotatedScan) -> Float64[np.ndarray, "n n"]:
    """Least distance in mm between the points of every two outlines; infinite for those far apart."""
    to_mm = np.array([1.0, scan.pixel_spacing_mm, scan.pixel_spacing_mm])
    outlines = [annotation.outline * to_mm for annotation in scan.annotations]
    low = np.array([outline.min(axis=0) for outline in outlines])
    high = np.array([outline.max(axis=0) for outline in outlines])
    distances = np.full((len(outlines),) * 2, np.inf)
    np.fill_diagonal(distances, 0)
    for i, j in combinations(range(len(outlines)), 2):
        # Boxes further apart than the tolerance spare the search among the points.
        if (np.maximum(low[i] - high[j], low[j] - high[i]) <= scan.slice_thickness_mm).all():
            nearest = np.asarray(cKDTree(outlines[i]).query(outlines[j])[0])
            distances[i, j] = distances[j, i] = nearest.min()
    return distances
