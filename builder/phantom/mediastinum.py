"""What keeps the lungs apart: large vessels, airways, the spine, and the fat between them. In mm of the model body."""

import numpy as np

from builder.phantom.heart import LEFT_ATRIUM
from builder.phantom.lattice import Coordinates
from builder.phantom.shapes import Course, Distance, course, ellipsoid, joined, tube
from builder.phantom.spine import middle
from builder.phantom.stature import Stature
from builder.phantom.vasculature import Vasculature

COLUMN = course(
    (150, 8, 0, 42), (70, 16, 0, 30), (30, 22, 2, 20), (-30, 26, 4, 17), (-90, 22, 4, 19), (-170, 12, 0, 26)
)
"""Fat and lesser vessels between the windpipe, the gullet and the spine."""
RECESS = course((85, -12, -4, 17), (40, -10, -12, 15), (5, -8, -16, 14))
"""The same before the windpipe."""
SHEATH = 1.5
"""Tissue around a large vessel."""
HALF_WIDTH = 105.0
"""No part of it lies farther from the midline."""
FAR = 60.0


def mediastinum(q: Coordinates, stature: Stature, vasculature: Vasculature) -> Distance:
    """Signed distance; ``FAR`` at the sides, where it would be large."""
    near = np.flatnonzero((np.abs(q.x) < HALF_WIDTH).any(axis=(0, 1)))
    cut = (..., slice(int(near[0]), int(near[-1]) + 1))
    inner = Coordinates(q.z[cut], q.y[cut], q.x[cut])
    whole = np.full(q.x.shape, FAR, dtype=np.float32)
    whole[cut] = joined([_vessels(inner, vasculature), _spine(inner, stature)], 10.0)
    return whole


def _vessels(q: Coordinates, vasculature: Vasculature) -> Distance:
    tubes = [tube(q, Course(path.points, path.radii + SHEATH)) for path in vasculature.central]
    atrium = ellipsoid(q, *LEFT_ATRIUM) - 3
    return joined([joined(tubes, 9.0), _junction(q), atrium, tube(q, COLUMN), tube(q, RECESS)], 9.0)


def _junction(q: Coordinates) -> Distance:
    """The leaf of fat behind the breastbone, where the lungs almost meet; wide above."""
    leaf = np.abs(q.x - 3) - (5 + 17 / (1 + np.exp((60 - q.z) / np.float32(12))))
    return np.asarray(np.maximum(leaf, q.y + 10))


def _spine(q: Coordinates, stature: Stature) -> Distance:
    behind = q.y - middle(stature, q.z)
    bodies = np.sqrt((q.x / np.float32(1.1)) ** 2 + behind**2) - 20
    arches = np.maximum(np.abs(q.x) - 15, -behind)
    return joined([bodies, arches], 10.0)
