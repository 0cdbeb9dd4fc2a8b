"""The heart: pericardium, muscle and chambers. In mm of the model body."""

import numpy as np
from jaxtyping import Float

from builder.phantom.lattice import Coordinates, Vector
from builder.phantom.shapes import Distance, ellipsoid, joined
from builder.phantom.stature import Stature

LEFT_ATRIUM: tuple[Vector, Vector] = ((-38.0, 5.0, 2.0), (20.0, 17.0, 31.0))
"""Centre and radii."""


def _frame() -> Float[np.ndarray, "3 3"]:
    """Orthonormal rows (z, y, x); the first is the heart's long axis, which points left, forwards and down."""
    long = np.array([-0.45, -0.40, 0.80])
    long /= np.linalg.norm(long)
    second = np.array([1.0, 0.0, 0.0]) - long[0] * long
    second /= np.linalg.norm(second)
    return np.stack([long, second, np.cross(long, second)])


FRAME = _frame()


def pericardium(q: Coordinates, stature: Stature) -> Distance:
    """The heart with the fat around it."""
    size = stature.heart
    return ellipsoid(q, (-66.0, -36.0, 14.0), (66 * size, 49 * size, 45 * size), FRAME)


def myocardium(q: Coordinates, outer: Distance) -> Distance:
    """The heart without its fat, which fills the groove between the ventricles most of all."""
    groove = q.x - 24 + np.float32(0.35) * (q.y + 50)
    return np.asarray(outer + np.float32(1.5) + 5 * np.exp(-((groove / 7) ** 2)))


def chambers(q: Coordinates, stature: Stature) -> Distance:
    """The blood in ventricles and atria."""
    size = stature.heart
    left = ellipsoid(q, (-68.0, -34.0, 38.0), (34 * size, 20 * size, 20 * size), FRAME)
    right = ellipsoid(q, (-66.0, -58.0, 4.0), (36 * size, 28 * size, 15 * size), FRAME)
    atrium = ellipsoid(q, (-54.0, -20.0, -27.0), (28 * size, 22 * size, 17 * size))
    return joined([left, right, atrium, ellipsoid(q, *LEFT_ATRIUM)], 3.0)
