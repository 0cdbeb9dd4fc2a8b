"""Smooth fields on a coarse lattice, and their values on the fine grid of a scan.

Organs are drawn as signed distances. These change slowly, so they are worked out on a lattice of some
millimetres and read off between its nodes by a uniform cubic B-spline, whose second derivative is
continuous: edges come out smooth at any resolution, at a fraction of the cost of the fine grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float32
from scipy.ndimage import map_coordinates
from scipy.sparse import csr_array

REACH = 2
"""Nodes that a cubic B-spline needs on either side of a place."""
SPLINE_DEVIATION = 0.331
"""Standard deviation of independent unit normals on the nodes, after the spline in three dimensions."""

Axis = Float[np.ndarray, " _"]
"""Places along one axis in mm, ascending."""
Nodes = Float32[np.ndarray, "cz cy cx"]
Vector = tuple[float, float, float]
Extent = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Coordinates:
    """Coordinates of many places, in mm: three arrays of one shape."""

    z: Float32[np.ndarray, "*shape"]
    y: Float32[np.ndarray, "*shape"]
    x: Float32[np.ndarray, "*shape"]


@dataclass(frozen=True)
class Lattice:
    """Nodes at equal steps along z, y and x."""

    origin: Vector
    """First node in mm."""
    step: float
    """Between neighbouring nodes in mm."""
    shape: tuple[int, int, int]

    @classmethod
    def spanning(cls, low: Sequence[float], high: Sequence[float], step: float) -> "Lattice":
        """The lattice on which every place from ``low`` to ``high`` (mm) can be read off."""
        nz, ny, nx = (int(np.ceil((b - a) / step)) + 2 * REACH + 1 for a, b in zip(low, high, strict=True))
        z, y, x = (a - REACH * step for a in low)
        return cls((z, y, x), step, (nz, ny, nx))

    @cached_property
    def axes(self) -> tuple[Float32[np.ndarray, " cz"], Float32[np.ndarray, " cy"], Float32[np.ndarray, " cx"]]:
        """Positions of the nodes along z, y and x in mm."""
        z, y, x = (
            (start + self.step * np.arange(count)).astype(np.float32)
            for start, count in zip(self.origin, self.shape, strict=True)
        )
        return z, y, x

    def box(self, start: Sequence[int], stop: Sequence[int]) -> "Lattice":
        """The nodes from index ``start`` to before ``stop``."""
        z, y, x = (edge + self.step * first for edge, first in zip(self.origin, start, strict=True))
        nz, ny, nx = (int(last - first) for first, last in zip(start, stop, strict=True))
        return Lattice((z, y, x), self.step, (nz, ny, nx))


@dataclass(frozen=True)
class Field:
    """A number at every node of a lattice."""

    lattice: Lattice
    values: Nodes

    def at(self, points: Float[np.ndarray, "n 3"]) -> Float32[np.ndarray, " n"]:
        """Values at points (z, y, x in mm), linear between nodes, those outside as at the nearest node."""
        places = (points - np.array(self.lattice.origin)) / self.lattice.step
        return np.asarray(map_coordinates(self.values, places.T, order=1, mode="nearest"))

    def extent(self, below: float) -> Extent:
        """The indices of the box around the nodes whose value lies below a limit; of all where none does."""
        inside = self.values < below
        z, y, x = (_span(inside, axis) for axis in range(3))
        return z, y, x

    def cut(self, extent: Extent) -> "Field":
        """The part inside a box of indices."""
        start = [span.start for span in extent]
        stop = [span.stop for span in extent]
        return Field(self.lattice.box(start, stop), np.ascontiguousarray(self.values[extent]))


def _span(inside: Bool[np.ndarray, "cz cy cx"], axis: int) -> slice:
    others = tuple({0, 1, 2} - {axis})
    hits = np.flatnonzero(inside.any(axis=others))
    count = inside.shape[axis]
    return slice(max(int(hits[0]) - REACH, 0), min(int(hits[-1]) + REACH + 1, count)) if len(hits) else slice(0, count)


def ripples(rng: np.random.Generator, lattice: Lattice, pitch: float) -> Field:
    """A random field of mean 0 and deviation 1 that changes over ``pitch`` mm."""
    low = np.array(lattice.origin)
    high = low + lattice.step * (np.array(lattice.shape) - 1)
    knots = Lattice.spanning(low.tolist(), high.tolist(), pitch)
    rough = Field(knots, rng.standard_normal(knots.shape, dtype=np.float32) / np.float32(SPLINE_DEVIATION))
    z, y, x = lattice.axes
    return Field(lattice, Sampler(rough, y, x).volume(z))


class Sampler:
    """Reads a field off on the rows and columns of a scan.

    Args:
        field: What to read.
        y: Positions of the scan's rows in mm, ascending.
        x: Positions of the scan's columns in mm, ascending.
    """

    def __init__(self, field: Field, y: Axis, x: Axis) -> None:
        self.field = field
        self.rows, self._down = _spline(field.lattice, 1, y)
        self.columns, self._across = _spline(field.lattice, 2, x)

    @property
    def empty(self) -> bool:
        """Whether no row or no column of the scan meets the field."""
        return bool(self.rows.start == self.rows.stop or self.columns.start == self.columns.stop)

    def levels(self, z: Axis) -> tuple[slice, Float32[np.ndarray, "levels cy cx"]]:
        """Which of the ascending positions ``z`` the field covers, and its coarse nodes there."""
        covered, up = _spline(self.field.lattice, 0, z)
        count, height, width = self.field.lattice.shape
        nodes = up @ self.field.values.reshape(count, -1)
        return covered, nodes.reshape(-1, height, width)

    def plane(self, nodes: Float32[np.ndarray, "cy cx"]) -> Float32[np.ndarray, "rows columns"]:
        """One level of ``levels`` on the window ``rows``, ``columns`` of the scan."""
        wide = np.ascontiguousarray((self._across @ nodes.T).T)
        return np.asarray(self._down @ wide)

    def volume(self, z: Axis) -> Float32[np.ndarray, "levels rows columns"]:
        """All levels at once."""
        _, levels = self.levels(z)
        return np.stack([self.plane(nodes) for nodes in levels])


def _spline(lattice: Lattice, axis: int, places: Axis) -> tuple[slice, csr_array]:
    """The places that the lattice covers along an axis, and the sparse matrix that takes nodes there."""
    count = lattice.shape[axis]
    steps = (np.asarray(places, dtype=np.float64) - lattice.origin[axis]) / lattice.step
    first = np.floor(steps + 1e-6).astype(int) - 1
    covered = np.flatnonzero((first >= 0) & (first + 3 < count))
    window = slice(int(covered[0]), int(covered[-1]) + 1) if len(covered) else slice(0, 0)
    first = first[window]
    weights = _weights(steps[window] - first - 1)
    columns = first[:, None] + np.arange(4)
    ends = np.arange(0, 4 * len(first) + 1, 4)
    shape = (len(first), count)
    return window, csr_array((weights.astype(np.float32).ravel(), columns.ravel(), ends), shape=shape)


def _weights(t: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 4"]:
    """Of the four nodes around a place, for its position ``t`` in [0, 1) between the inner two."""
    return np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
