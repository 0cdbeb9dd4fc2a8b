"""Radiologists: each outlines what is there with a hand that is never quite steady, and rates it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from builder.phantom.lesions import Lesion
from builder.phantom.records import Contour, Ratings, Reading
from builder.phantom.scanner import Scanner
from builder.phantom.series import Sequence

READERS = (1, 2, 3, 4)
SHARES = (0.12, 0.16, 0.24, 0.48)
"""How often one, two, three or four readers outline a nodule."""
RAYS = (16, 120)
"""Least and largest number of places at which an outline is drawn."""
WAVES = 4
"""An outline's unsteadiness, in waves around the nodule."""

Polar = Float[np.ndarray, " rays"]


@dataclass(frozen=True)
class Hand:
    """How a reader draws: everything in mm."""

    bias: float
    """How far outside the true edge."""
    tremor: float
    """Unsteadiness around a nodule."""


def read(
    rng: np.random.Generator, lesions: tuple[Lesion, ...], scanner: Scanner, sequence: Sequence
) -> tuple[Reading, ...]:
    """All annotations of a scan, nodule by nodule."""
    hands = [Hand(bias=float(rng.normal(0, 0.12)), tremor=float(rng.uniform(0.05, 0.16))) for _ in READERS]
    readings = []
    for number, lesion in enumerate(lesions, start=1):
        count = int(rng.choice(READERS, p=SHARES))
        for reader in sorted(rng.choice(len(READERS), size=count, replace=False)):
            contours = _contours(rng, lesion, hands[reader], scanner, sequence)
            if contours:
                readings.append(Reading(f"Nodule {number:03d}", rate(rng, lesion), contours))
    return tuple(readings)


def rate(rng: np.random.Generator, lesion: Lesion) -> Ratings:
    """Ratings that follow the nodule's shape and size, off by one now and then."""

    def about(value: float) -> int:
        return int(np.clip(round(value + rng.normal(0, 0.45)), 1, 5))

    solidity = {"ground glass": 1.0, "part-solid": 3.0, "solid": 5.0}[lesion.texture]
    calcified = lesion.hu > 200
    stretch = float(np.linalg.cond(lesion.squeeze))
    suspicion = 1.2 + 0.16 * (lesion.diameter - 4) + 2.2 * lesion.spiculation + 0.5 * (solidity == 3)
    return Ratings(
        subtlety=about(2.2 + 0.12 * lesion.diameter + 0.25 * solidity),
        internal_structure=1,
        calcification=3 if calcified else 6,
        sphericity=about(5.4 - 2.2 * (stretch - 1) - 3 * lesion.lobulation),
        margin=about(5.2 - 1.2 * lesion.margin),
        lobulation=about(0.8 + 14 * lesion.lobulation),
        spiculation=about(1 + 8 * lesion.spiculation),
        texture=about(solidity),
        malignancy=1 if calcified else about(suspicion),
    )


def _contours(
    rng: np.random.Generator, lesion: Lesion, hand: Hand, scanner: Scanner, sequence: Sequence
) -> tuple[Contour, ...]:
    heights = scanner.heights
    crossed = np.flatnonzero(np.abs(heights - lesion.centre[0]) < lesion.reach)
    found = []
    for index in crossed.tolist():
        points = outline(rng, lesion, hand, scanner, float(heights[index]))
        if points:
            found.append(Contour(sequence.positions[index][2], sequence.files[index], points))
    return tuple(found)


def outline(
    rng: np.random.Generator, lesion: Lesion, hand: Hand, scanner: Scanner, height: float
) -> tuple[tuple[int, int], ...]:
    """A closed polygon of pixels (x, y) around a nodule on the slice at a height; empty where there is none."""
    middle = _middle(lesion, scanner.pixel, height)
    if middle is None:
        return ()
    y, x = middle
    angles, radii = _edge(lesion, scanner.pixel, height, y, x)
    # As in LIDC, the outline runs through the first pixels outside the nodule.
    radii = radii + scanner.pixel / 2 + hand.bias + _tremor(rng, angles, hand.tremor)
    columns = (x + radii * np.cos(angles) - scanner.columns[0]) / scanner.pixel
    rows = (y + radii * np.sin(angles) - scanner.rows[0]) / scanner.pixel
    return _closed(np.rint(np.column_stack([columns, rows])).astype(int))


def _middle(lesion: Lesion, pixel: float, height: float) -> tuple[float, float] | None:
    """The y and x in the middle of the nodule's section in mm; None where the plane misses it."""
    steps = np.arange(-lesion.reach, lesion.reach, pixel / 2)
    y, x = lesion.centre[1] + steps[:, None], lesion.centre[2] + steps
    inside = lesion.distance(np.float32(height) * np.ones((1, 1)), y, x) < 0
    if not inside.any():
        return None
    rows, columns = np.nonzero(inside)
    return float(y[rows, 0].mean()), float(x[columns].mean())


def _edge(lesion: Lesion, pixel: float, height: float, y: float, x: float) -> tuple[Polar, Polar]:
    """Angles in radians, and how far the nodule reaches from (y, x) at each in mm."""
    step = pixel / 3
    reach = np.arange(0, 1.4 * lesion.reach, step)
    count = int(np.clip(np.pi * lesion.diameter / pixel, *RAYS))
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    rows = y + np.sin(angles)[:, None] * reach
    columns = x + np.cos(angles)[:, None] * reach
    inside = lesion.distance(np.full((1, 1), height), rows, columns) < 0
    last = len(reach) - 1 - np.argmax(inside[:, ::-1], axis=1)
    return angles, np.where(inside.any(axis=1), reach[last] + step / 2, 0.0)


def _tremor(rng: np.random.Generator, angles: Polar, size: float) -> Polar:
    waves = rng.normal(0, size, (2, WAVES))
    turns = np.arange(1, WAVES + 1)[:, None] * angles
    return np.asarray(waves[0] @ np.cos(turns) + waves[1] @ np.sin(turns))


def _closed(points: Int[np.ndarray, "rays 2"]) -> tuple[tuple[int, int], ...]:
    """The polygon without repeated points, closed; empty if fewer than three are left."""
    keep = (points != np.roll(points, 1, axis=0)).any(axis=1)
    corners = [(int(x), int(y)) for x, y in points[keep]]
    return (*corners, corners[0]) if len(set(corners)) >= 3 else ()
