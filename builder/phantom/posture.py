"""From the model body to the patient on the table, and back.

A place in the scan (patient space, mm) is turned, scaled and then shifted by a smooth random field; the
result is a place in the model body, where all anatomy is described.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from builder.phantom.lattice import Coordinates, Field, Lattice, ripples
from builder.phantom.stature import Stature

BENDS = 75.0
"""Length in mm (of an adult) over which the deformation changes."""

Points = Float[np.ndarray, "n 3"]


@dataclass(frozen=True)
class Posture:
    """The map between patient space and the model body, both in mm and (z, y, x)."""

    matrix: Float[np.ndarray, "3 3"]
    """Patient to model, before the shift."""
    scale: float
    """Patient's mm per mm of the model."""
    shifts: tuple[Field, Field, Field]
    """Along z, y and x, in mm of the model, over patient space."""

    def patient_points(self, model: Points) -> Points:
        """Places of the model body in the patient, by fixed-point iteration."""
        back = np.linalg.inv(self.matrix)
        points = model @ back.T
        for _ in range(4):
            points = (model - self._shift(points)) @ back.T
        return points

    def model_coordinates(self, lattice: Lattice) -> Coordinates:
        """The model places of all nodes of the lattice that the shifts are given on."""
        axes = np.meshgrid(*lattice.axes, indexing="ij")
        return Coordinates(*self.turned(axes[0], axes[1], axes[2], [shift.values for shift in self.shifts]))

    def turned(
        self,
        z: Float[np.ndarray, "..."],
        y: Float[np.ndarray, "..."],
        x: Float[np.ndarray, "..."],
        shifts: list[Float[np.ndarray, "..."]],
    ) -> tuple[Float[np.ndarray, "..."], ...]:
        """Model places for patient places that broadcast against each other, with the shifts there."""
        rows = self.matrix.astype(np.float32)
        return tuple(row[0] * z + row[1] * y + row[2] * x + shift for row, shift in zip(rows, shifts, strict=True))

    def _shift(self, points: Points) -> Points:
        return np.stack([shift.at(points) for shift in self.shifts], axis=1).astype(np.float64)


def draw_posture(rng: np.random.Generator, stature: Stature, lattice: Lattice) -> Posture:
    """How a body lies in the scanner and how it is bent."""
    c, s = np.cos(stature.turn), np.sin(stature.turn)
    turn = np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]])
    scales = stature.scale * np.array(stature.stretch)
    shifts = [ripples(rng, lattice, BENDS * stature.scale) for _ in range(3)]
    z, y, x = (Field(lattice, shift.values * np.float32(stature.wobble)) for shift in shifts)
    return Posture(matrix=np.diag(1 / scales) @ turn, scale=stature.scale, shifts=(z, y, x))
