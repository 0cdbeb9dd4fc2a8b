"""Signed distances of simple solids in mm, negative inside, and how solids are joined.

The distances are exact at the surface to first order, which is all that a soft edge needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from builder.phantom.lattice import Coordinates, Vector

Distance = Float32[np.ndarray, "..."]

TINY = np.float32(1e-9)


@dataclass(frozen=True)
class Course:
    """The course of a tube: points (z, y, x in mm) and the radius at each."""

    points: Float[np.ndarray, "n 3"]
    radii: Float[np.ndarray, " n"]


def course(*stations: tuple[float, float, float, float]) -> Course:
    """A course from stations (z, y, x, radius), in mm."""
    table = np.array(stations, dtype=np.float64)
    return Course(table[:, :3], table[:, 3])


def smoothed(path: Course, pieces: int) -> Course:
    """A Catmull-Rom curve through the stations, ``pieces`` segments to each stretch."""
    table = np.column_stack([path.points, path.radii])
    ends = np.vstack([2 * table[0] - table[1], table, 2 * table[-1] - table[-2]])
    t = np.linspace(0, 1, pieces, endpoint=False)[None, :, None]
    a, b, c, d = (ends[i : len(table) - 1 + i, None, :] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    dense = np.vstack([curve.reshape(-1, 4), table[-1]])
    return Course(dense[:, :3], dense[:, 3])


def ellipsoid(q: Coordinates, centre: Vector, radii: Vector, frame: Float[np.ndarray, "3 3"] | None = None) -> Distance:
    """An ellipsoid; the rows of ``frame`` are the directions of its radii (the axes of space by default)."""
    offset = [axis - np.float32(place) for axis, place in zip((q.z, q.y, q.x), centre, strict=True)]
    if frame is not None:
        offset = [row[0] * offset[0] + row[1] * offset[1] + row[2] * offset[2] for row in frame.astype(np.float32)]
    # The small term keeps the middle of the solid from being divided by zero.
    z, y, x = ((along / np.float32(radius)) ** 2 + TINY for along, radius in zip(offset, radii, strict=True))
    norm = np.sqrt(z + y + x)
    a, b, c = (np.float32(radius**-2) for radius in radii)
    steepness = np.sqrt(z * a + y * b + x * c)
    return np.asarray(norm * (norm - 1) / steepness)


def tube(q: Coordinates, path: Course) -> Distance:
    """The union of the tapered capsules along a course."""
    nearest = np.full(q.x.shape, np.inf, dtype=np.float32)
    for start, end, thick, thin in zip(path.points, path.points[1:], path.radii, path.radii[1:], strict=False):
        np.minimum(nearest, _capsule(q, start, end, float(thick), float(thin)), out=nearest)
    return nearest


def _capsule(
    q: Coordinates, start: Float[np.ndarray, " 3"], end: Float[np.ndarray, " 3"], thick: float, thin: float
) -> Distance:
    z, y, x = (axis - np.float32(first) for axis, first in zip((q.z, q.y, q.x), start, strict=True))
    dz, dy, dx = (end - start).astype(np.float32)
    length = max(float(dz**2 + dy**2 + dx**2), 1e-6)
    t = np.clip((z * dz + y * dy + x * dx) / np.float32(length), 0, 1)
    gap = (z - t * dz) ** 2 + (y - t * dy) ** 2 + (x - t * dx) ** 2
    return np.asarray(np.sqrt(gap) - (np.float32(thick) + t * np.float32(thin - thick)))


def joined(solids: Sequence[Distance], blend: float) -> Distance:
    """Union, with the creases filled over ``blend`` mm (Quilez's polynomial smooth minimum)."""
    total = solids[0]
    for other in solids[1:]:
        fill = np.maximum(np.float32(blend) - np.abs(total - other), 0)
        total = np.minimum(total, other) - fill * fill * np.float32(0.25 / blend)
    return total


def shared(solids: Sequence[Distance], blend: float) -> Distance:
    """Intersection, with the edges rounded over ``blend`` mm."""
    return -joined([-solid for solid in solids], blend)
