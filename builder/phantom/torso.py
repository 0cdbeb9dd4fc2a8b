"""The wall of the chest: muscles with the shoulders and the neck, fat, and skin. In mm of the model body."""

import numpy as np

from builder.phantom.cage import Cage
from builder.phantom.lattice import Coordinates, Vector
from builder.phantom.shapes import Course, Distance, course, ellipsoid, joined, shared, tube
from builder.phantom.spine import middle
from builder.phantom.stature import Stature

# The left side; the right one is its mirror image.
SHOULDER = course((94, 24, 45, 40), (96, 24, 160, 42))
BLADE = course((55, 90, 90, 16), (88, 66, 138, 20))
ARM = course((98, 22, 165, 46), (230, -25, 245, 42))
COLLAR = course((66, -58, 25, 11), (86, -46, 92, 12), (104, -2, 150, 14))
NECK = course((90, 24, 0, 60), (200, 2, 0, 54))
RIBS = 12.0
"""Thickness of the wall where only ribs and the muscles between them are."""


def muscle(q: Coordinates, stature: Stature, cage: Distance) -> Distance:
    """Everything under the fat: the wall around the cage, the muscles of back, shoulders, arms and neck."""
    side = Coordinates(q.z, q.y, np.abs(q.x))
    behind = q.y - middle(stature, q.z) - 35
    erectors = np.sqrt(((side.x - 26) / np.float32(1.3)) ** 2 + behind**2) - 19 + 0.2 * np.clip(q.z - 60, 0, None)
    limbs = [tube(side, part) for part in (SHOULDER, BLADE, ARM, NECK, COLLAR)]
    return joined([cage - _thickness(side, stature), erectors, *limbs], 12.0)


def _thickness(side: Coordinates, stature: Stature) -> Distance:
    """Of the wall in mm: ribs, and over them the pectoral, the broad and the shoulder muscles."""
    pectoral = _bump(side, (22.0, -62.0, 70.0), (42.0, 45.0, 38.0))
    broad = _bump(side, (-30.0, 20.0, 140.0), (85.0, 60.0, 40.0))
    shoulder = _bump(side, (28.0, 75.0, 92.0), (75.0, 50.0, 46.0))
    return np.asarray(RIBS + np.float32(stature.muscle) * (13 * pectoral + 15 * broad + 30 * shoulder))


def _bump(side: Coordinates, centre: Vector, spread: Vector) -> Distance:
    """A Gaussian of height 1."""
    z, y, x = (
        (axis - np.float32(place)) / np.float32(width)
        for axis, place, width in zip((side.z, side.y, side.x), centre, spread, strict=True)
    )
    return np.asarray(np.exp(-(z * z + y * y + x * x)))


def body(q: Coordinates, stature: Stature, muscles: Distance) -> Distance:
    """The skin: fat over the muscles, a rounder trunk, and breasts; flat behind, where the patient lies."""
    fat = stature.fat
    side = Coordinates(q.z, q.y, np.abs(q.x))
    barrel = Cage(stature.breadth, stature.front, stature.back, waist=-60, dome=172, lean=10)
    trunk = barrel.grown(26 + fat, 16 + fat, 26 + 0.8 * fat).distance(q)
    padded = Course(SHOULDER.points, SHOULDER.radii + 14)
    whole = joined([muscles - np.float32(3 + 0.8 * fat), trunk, tube(side, padded)], 24.0)
    if stature.breasts:
        centre = (-55.0, -(stature.front + 20 + fat), 74.0)
        whole = joined([whole, ellipsoid(side, centre, (62.0, 9 + stature.breasts, 58.0))], 40.0)
    couch = q.y - np.float32(middle(stature, np.float32(-40.0)) + 66 + 0.6 * fat)
    return shared([whole, couch], 24.0)
