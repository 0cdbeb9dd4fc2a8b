"""The thoracic cage: the inner surface of the ribs, which the lungs fill and the ribs follow.

A superellipse in every axial plane, closed by a dome at the apex. All in mm of the model body.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from builder.phantom.lattice import Coordinates
from builder.phantom.shapes import Distance

BEFORE, BEHIND = 1.9, 2.6
"""Exponents of the superellipse: the chest is rather pointed in front and square behind."""


@dataclass(frozen=True)
class Cage:
    """A barrel with a dome on top."""

    breadth: float
    """Half the width below the dome."""
    front: float
    back: float
    """Depth before and behind the axis below the dome."""
    waist: float
    """Height at which the dome begins."""
    dome: float
    """Height of the dome."""
    lean: float
    """How far the axis of the dome's top lies behind that of the barrel."""

    def grown(self, side: float, front: float, back: float) -> "Cage":
        """A wider cage of the same height."""
        return replace(self, breadth=self.breadth + side, front=self.front + front, back=self.back + back)

    def axis(self, z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """The y of the middle at height z."""
        return np.asarray(self.lean * np.clip((z - self.waist) / self.dome, 0, 1))

    def distance(self, q: Coordinates) -> Distance:
        """Signed distance, measured along the ray from the axis."""
        rise = np.clip((q.z - np.float32(self.waist)) / np.float32(self.dome), 0, None)
        y = q.y - self.axis(q.z).astype(np.float32)
        flat = self._norm(y, q.x)
        norm = np.sqrt(flat * flat + rise * rise + np.float32(1e-9))
        reach = np.sqrt(q.x**2 + y * y + (rise * np.float32(self.dome)) ** 2)
        return np.asarray(reach * (1 - 1 / norm))

    def surface(
        self, angle: Float[np.ndarray, " n"], z: Float[np.ndarray, " n"], outside: float
    ) -> Float[np.ndarray, "n 3"]:
        """Points (z, y, x) ``outside`` mm beyond the surface.

        Args:
            angle: Around the axis, from straight behind (0) over the left side to the front (pi); radians.
            z: Heights.
            outside: Distance from the surface, along the ray from the axis.
        """
        rise = np.clip((z - self.waist) / self.dome, 0, 0.995)
        y, x = np.cos(angle), np.sin(angle)
        radius = np.sqrt(1 - rise**2) / self._norm(y, x) + outside
        return np.stack([z, self.axis(z) + radius * y, radius * x], axis=1)

    def _norm(self, y: Float[np.ndarray, "*shape"], x: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """1 on the superellipse below the dome, for y counted from the axis."""
        before = y < 0
        power = np.where(before, BEFORE, BEHIND).astype(x.dtype)
        depth = np.where(before, self.front, self.back).astype(x.dtype)
        across, along = np.abs(x) / x.dtype.type(self.breadth), np.abs(y) / depth
        return np.asarray((across**power + along**power) ** (1 / power))
