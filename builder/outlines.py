"""What readers drew: the outlines of all nodules, taken from text and measured at once.

A reader of LIDC-IDRI outlined a nodule by the first pixels outside it, so the pixels of the outline are not the
nodule's. What is inside them is counted by Pick's theorem: area less half the pixels of the outline, plus one.

The text of all 41,406 outlines of LIDC is parsed in one go, and the shoelace formula runs over all polygons at once:
one by one in Python both would take most of the planner's time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
from jaxtyping import Float64, Int64

Contour = tuple[int, float, int, str]
"""Key of the annotation, z in mm, whether what it encloses is counted in or out, and lines of ``x,y``."""
Points = Float64[np.ndarray, " points"]
Polygons = Float64[np.ndarray, " polygons"]


@dataclass(frozen=True)
class Region:
    """What one reader outlined as one nodule, on all its slices."""

    points: Float64[np.ndarray, "points 3"]
    """Contour points: z in mm (patient space), y and x in voxels."""
    centre: tuple[float, float, float]
    """Of the enclosed volume: z in mm, y and x in voxels."""
    inside: float
    """Pixels inside the outlines, summed over slices."""
    area: float
    """Area of the polygons through the centres of the outlines' pixels, summed over slices."""


def regions(contours: Sequence[Contour]) -> Iterator[tuple[int, Region]]:
    """Every annotation's region, by its key.

    Args:
        contours: Sorted by the key of their annotation.

    Raises:
        ValueError: If a text is not lines of ``x,y``.
    """
    if not contours:
        return
    counts = np.array([text.count("\n") + 1 for *_, text in contours])
    x, y = _points("\n".join(text for *_, text in contours), int(counts.sum()))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    keys = np.array([key for key, *_ in contours])
    z = np.array([height for _, height, *_ in contours])
    sign = np.array([1.0 if included else -1.0 for _, _, included, _ in contours])
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    area, inside, middle_y, middle_x = _measured(y, x, starts, counts)
    areas, insides = (np.maximum(np.add.reduceat(values * sign, first), 0) for values in (area, inside))
    weight = _weights(area * sign, areas, first)
    centres = (np.add.reduceat(weight * values, first).tolist() for values in (z, middle_y, middle_x))
    points = np.split(np.column_stack([np.repeat(z, counts), y, x]), starts[first[1:]])
    for key, *region in zip(
        keys[first].tolist(), points, zip(*centres, strict=True), insides.tolist(), areas.tolist(), strict=True
    ):
        yield key, Region(*region)


def _points(text: str, count: int) -> tuple[Points, Points]:
    """The x and y of all lines."""
    table = csv.read_csv(
        pa.BufferReader(text.encode()),
        read_options=csv.ReadOptions(column_names=["x", "y"]),
        convert_options=csv.ConvertOptions(column_types={"x": pa.float64(), "y": pa.float64()}),
    )
    x, y = (table[name].to_numpy() for name in ("x", "y"))
    if len(x) != count or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("contour points must be lines of 'x,y'")
    return x, y


def _measured(
    y: Points,
    x: Points,
    starts: Int64[np.ndarray, " polygons"],
    counts: Int64[np.ndarray, " polygons"],
) -> tuple[Polygons, Polygons, Polygons, Polygons]:
    """Area, pixels inside, and the y and x of the centre of every polygon."""
    # The next point of each polygon; its last point is followed by its first.
    following = np.arange(1, len(x) + 1)
    following[starts + counts - 1] = starts
    next_y, next_x = y[following], x[following]
    cross = x * next_y - next_x * y
    doubled = np.add.reduceat(cross, starts)
    # A line from pixel to pixel has as many pixels as its longer side.
    outline = np.add.reduceat(np.maximum(np.abs(next_x - x), np.abs(next_y - y)), starts)
    area = np.abs(doubled) / 2
    inside = np.maximum(area - outline / 2 + 1, 0)
    flat = area == 0  # a point or a line

    def middle(values: Points, after: Points) -> Polygons:
        moments = np.add.reduceat((values + after) * cross, starts) / np.where(flat, 1, 3 * doubled)
        return np.where(flat, np.add.reduceat(values, starts) / counts, moments)

    return area, np.where(flat, 0, inside), middle(y, next_y), middle(x, next_x)


def _weights(areas: Polygons, total: Float64[np.ndarray, " n"], first: Int64[np.ndarray, " n"]) -> Polygons:
    """How much each polygon counts for the centre of its annotation; they all count alike where none has an area."""
    sizes = np.diff(np.r_[first, len(areas)])
    empty = np.repeat(total <= 0, sizes)
    return np.where(empty, 1 / np.repeat(sizes, sizes), areas / np.repeat(np.where(total > 0, total, 1), sizes))
