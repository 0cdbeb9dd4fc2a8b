"""Tubes drawn on the fine grid: vessels, airways and bones, each as a chain of tapered capsules.

A capsule touches only the box around it, and there are tens of thousands, so those with boxes of like size
are worked out together. An edge is as wide as a voxel seen along its normal, and a capsule thinner than a
voxel covers it in part: thin vessels fade instead of breaking into steps.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from builder.phantom.posture import Posture
from builder.phantom.shapes import Course

CHUNK = 250_000
"""Voxels that are worked out at once."""
EPSILON = np.float32(1e-6)
SLIM = 1.5
"""Share of a voxel that a thin vessel fills, over the share of its section in the square of an edge's width."""

Cover = Float32[np.ndarray, "nz ny nx"]
Boxes = Float32[np.ndarray, "#m #bz #by #bx"]


@dataclass(frozen=True)
class Grid:
    """The voxels of a slab: where the first one is and how far apart they are, along z, y and x in mm."""

    origin: Float[np.ndarray, " 3"]
    step: Float[np.ndarray, " 3"]
    shape: tuple[int, int, int]


@dataclass(frozen=True)
class Strokes:
    """Capsules, in mm."""

    starts: Float[np.ndarray, "n 3"]
    ends: Float[np.ndarray, "n 3"]
    thick: Float[np.ndarray, " n"]
    """Radius at the start."""
    thin: Float[np.ndarray, " n"]
    """Radius at the end."""
    normals: Float[np.ndarray, "n 3"]
    """Unit vectors along which a flat capsule is thin."""
    flatness: Float[np.ndarray, " n"]
    """Width over thickness; 1 for a round one."""

    @property
    def radii(self) -> Float[np.ndarray, " n"]:
        """The larger radius of each."""
        return np.asarray(np.maximum(self.thick, self.thin))

    def where(self, keep: Bool[np.ndarray, " n"] | Int[np.ndarray, " m"]) -> "Strokes":
        """A selection."""
        return Strokes(*(part[keep] for part in self.parts()))

    def grown(self, by: float) -> "Strokes":
        """The same with larger radii (smaller for a negative ``by``, in mm at the thin faces)."""
        step = by * self.flatness
        keep = np.minimum(self.thick, self.thin) + step > 0
        larger = Strokes(self.starts, self.ends, self.thick + step, self.thin + step, self.normals, self.flatness)
        return larger.where(keep)

    def within(self, low: float, high: float) -> "Strokes":
        """Those that reach the heights from ``low`` to ``high``."""
        bottom = np.minimum(self.starts[:, 0], self.ends[:, 0]) - self.radii
        top = np.maximum(self.starts[:, 0], self.ends[:, 0]) + self.radii
        return self.where((bottom < high) & (top > low))

    def parts(self) -> tuple[Float[np.ndarray, "..."], ...]:
        """The fields, in their order."""
        return self.starts, self.ends, self.thick, self.thin, self.normals, self.flatness


def together(sets: Sequence[Strokes]) -> Strokes:
    """All capsules of several sets."""
    return Strokes(*(np.concatenate(columns) for columns in zip(*(strokes.parts() for strokes in sets), strict=True)))


def along(path: Course) -> Strokes:
    """Round capsules from each point of a course to the next."""
    count = len(path.radii) - 1
    normals = np.tile([0.0, 1.0, 0.0], (count, 1))
    return Strokes(path.points[:-1], path.points[1:], path.radii[:-1], path.radii[1:], normals, np.ones(count))


def ribbon(path: Course, normals: Float[np.ndarray, "n 3"], flatness: float) -> Strokes:
    """Flat capsules along a course, thin along the normals at its points."""
    middle = normals[:-1] + normals[1:]
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    count = len(middle)
    return Strokes(
        path.points[:-1], path.points[1:], path.radii[:-1], path.radii[1:], middle, np.full(count, float(flatness))
    )


def placed(model: Strokes, posture: Posture) -> Strokes:
    """Capsules of the model body in the patient."""
    normals = model.normals @ posture.matrix
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Strokes(
        posture.patient_points(model.starts),
        posture.patient_points(model.ends),
        model.thick * posture.scale,
        model.thin * posture.scale,
        normals,
        model.flatness,
    )


def draw(cover: Cover, grid: Grid, strokes: Strokes, edge: tuple[float, float]) -> Int[np.ndarray, " touched"]:
    """Raise ``cover`` to the share of each voxel that the capsules fill.

    Args:
        cover: Shares from 0 to 1 on the grid, changed in place.
        grid: Where the voxels are.
        strokes: What to draw.
        edge: Width of an edge across and along the slices in mm.

    Returns:
        Places in the flattened ``cover`` outside of which nothing was drawn; some of them repeatedly.
    """
    flat = cover.reshape(-1)
    touched = [np.empty(0, dtype=np.int64)]
    for part, first, size in _batches(grid, strokes, edge):
        share = _share(grid, part, first, size, edge)
        filled = np.flatnonzero(share)
        places = _places(grid, first, size)[filled]
        np.maximum.at(flat, places, share.reshape(-1)[filled])
        touched.append(places)
    return np.concatenate(touched)


def _batches(
    grid: Grid, strokes: Strokes, edge: tuple[float, float]
) -> Iterator[tuple[Strokes, Int[np.ndarray, "m 3"], tuple[int, int, int]]]:
    """Capsules whose boxes have one size: they, their boxes' first voxels, and the size."""
    reach = (strokes.radii + max(edge) / 2)[:, None]
    low = np.floor((np.minimum(strokes.starts, strokes.ends) - reach - grid.origin) / grid.step).astype(np.int64)
    high = np.ceil((np.maximum(strokes.starts, strokes.ends) + reach - grid.origin) / grid.step).astype(np.int64)
    low, high = np.maximum(low, 0), np.minimum(high + 1, grid.shape)
    sizes = -(-(high - low) // 4) * 4
    sizes[:, 0] = -(-(high - low)[:, 0] // 2) * 2
    some = np.flatnonzero((high > low).all(axis=1))
    if not len(some):
        return
    keys = np.column_stack([sizes, strokes.flatness != 1])[some]
    kinds, kind_of = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(kind_of, kind="stable")
    groups = np.split(some[order], np.cumsum(np.bincount(kind_of.ravel(), minlength=len(kinds)))[:-1])
    for (depth, height, width, _), members in zip(kinds.tolist(), groups, strict=True):
        count = max(1, CHUNK // (depth * height * width))
        for first in range(0, len(members), count):
            chosen = members[first : first + count]
            yield strokes.where(chosen), low[chosen], (depth, height, width)


def _places(grid: Grid, first: Int[np.ndarray, "m 3"], size: tuple[int, int, int]) -> Int[np.ndarray, " voxels"]:
    """Where the voxels of the boxes lie in the flattened grid."""
    z, y, x = (first[:, axis, None] + np.arange(size[axis]) for axis in range(3))
    _, height, width = grid.shape
    return (((z[:, :, None, None] * height + y[:, None, :, None]) * width) + x[:, None, None, :]).reshape(-1)


def _share(
    grid: Grid, strokes: Strokes, first: Int[np.ndarray, "m 3"], size: tuple[int, int, int], edge: tuple[float, float]
) -> Float32[np.ndarray, "m bz by bx"]:
    """Share of each voxel of the boxes that its capsule fills; 0 beyond the grid."""
    z, y, x = _offsets(grid, strokes, first, size)
    bone = (strokes.ends - strokes.starts).astype(np.float32)
    scaled = bone / np.maximum((bone * bone).sum(axis=1, keepdims=True), EPSILON)
    t = z * _spread(scaled[:, 0]) + y * _spread(scaled[:, 1]) + x * _spread(scaled[:, 2])
    np.clip(t, 0, 1, out=t)
    away = [axis - t * _spread(bone[:, k]) for k, axis in enumerate((z, y, x))]
    radius = _spread(strokes.thick) + t * _spread(strokes.thin - strokes.thick)
    share = (radius - _norm(strokes, away)) / _width(strokes, away, edge) + np.float32(0.5)
    across = edge[0]
    fill = np.minimum(1.0, SLIM * np.pi * strokes.thick * strokes.thin / across**2)
    np.clip(share, 0, 1, out=share)
    share *= _spread(fill) * _inside(grid, first, size)
    return np.asarray(share)


def _offsets(
    grid: Grid, strokes: Strokes, first: Int[np.ndarray, "m 3"], size: tuple[int, int, int]
) -> tuple[Boxes, Boxes, Boxes]:
    """Voxels of the boxes from the capsules' starts, in mm along each axis."""
    corner = grid.origin + grid.step * first - strokes.starts
    z, y, x = (
        (corner[:, axis, None] + grid.step[axis] * np.arange(size[axis])).astype(np.float32) for axis in range(3)
    )
    return z[:, :, None, None], y[:, None, :, None], x[:, None, None, :]


def _norm(strokes: Strokes, away: list[Boxes]) -> Boxes:
    """Distance from the axis of each capsule, larger across its thin faces."""
    square = away[0] ** 2 + away[1] ** 2 + away[2] ** 2
    if (strokes.flatness == 1).all():
        return np.asarray(np.sqrt(square))
    thin = _thin(strokes, away)
    return np.asarray(np.sqrt(square + _spread(strokes.flatness**2 - 1) * thin))


def _thin(strokes: Strokes, away: list[Boxes]) -> Boxes:
    normal = strokes.normals
    return np.asarray(
        (away[0] * _spread(normal[:, 0]) + away[1] * _spread(normal[:, 1]) + away[2] * _spread(normal[:, 2])) ** 2
    )


def _width(strokes: Strokes, away: list[Boxes], edge: tuple[float, float]) -> Boxes:
    """Width of the edge: that of a voxel along the normal, times how fast the norm grows there."""
    high, gap = away[0] ** 2, away[1] ** 2 + away[2] ** 2
    square = high + gap + EPSILON
    width = np.sqrt((np.float32(edge[0] ** 2) * gap + np.float32(edge[1] ** 2) * high) / square)
    np.maximum(width, np.float32(min(edge)), out=width)
    if (strokes.flatness != 1).any():
        thin = _thin(strokes, away)
        once, twice = (_spread(strokes.flatness**power - 1) for power in (2, 4))
        width *= np.sqrt((square + twice * thin) / (square + once * thin))
    return np.asarray(width)


def _inside(grid: Grid, first: Int[np.ndarray, "m 3"], size: tuple[int, int, int]) -> Boxes:
    """0 for voxels of a box that lie beyond the grid."""
    z, y, x = ((first[:, k, None] + np.arange(size[k]) < grid.shape[k]).astype(np.float32) for k in range(3))
    return z[:, :, None, None] * (y[:, None, :, None] * x[:, None, None, :])


def _spread(values: Float[np.ndarray, " m"]) -> Boxes:
    return values.astype(np.float32)[:, None, None, None]
