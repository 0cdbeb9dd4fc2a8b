"""The diaphragm: two domes that fall off steeply to the ribs. In mm of the model body."""

from dataclasses import dataclass

import numpy as np

from builder.phantom.lattice import Coordinates
from builder.phantom.shapes import Distance
from builder.phantom.stature import Stature


@dataclass(frozen=True)
class Dome:
    """A paraboloid with its own width to every side."""

    top: float
    """Height."""
    centre: float
    """The x of its top."""
    drop: float
    """How far it falls to the ribs."""
    side: int
    """-1 for the patient's right, 1 for the left."""

    def height(self, q: Coordinates) -> tuple[Distance, Distance]:
        """Height over a place, and the squared slope there."""
        across = (q.x - np.float32(self.centre)) * self.side
        width = np.where(across > 0, np.float32(64), np.float32(230))
        behind = q.y + np.float32(8)
        depth = np.where(behind > 0, np.float32(92), np.float32(125))
        u, v = across / width, behind / depth
        slope = np.float32(2 * self.drop) ** 2 * ((u / width) ** 2 + (v / depth) ** 2)
        return np.float32(self.top) - np.float32(self.drop) * (u * u + v * v), slope


def diaphragm(q: Coordinates, stature: Stature) -> Distance:
    """Signed distance, negative above it, in the chest."""
    right, left = stature.domes
    right_height, right_slope = Dome(right, -70.0, 62.0, -1).height(q)
    left_height, left_slope = Dome(left, 76.0, 56.0, 1).height(q)
    share = 1 / (1 + np.exp(-q.x / np.float32(9)))
    height = right_height + share * (left_height - right_height)
    slope = right_slope + share * (left_slope - right_slope)
    return np.asarray((height - q.z) / np.sqrt(1 + slope))
