"""The table under the patient: two curved shells with foam between them, the same on every slice."""

import numpy as np
from jaxtyping import Float32

from builder.phantom.scanner import Scanner

Plane = Float32[np.ndarray, "rows columns"]

GAP = 5.0
"""Between the back and the table in mm: a mat."""
DEPTH = 42.0
"""Between the shells in the middle, in mm."""
CURVES = (900.0, 420.0)
"""Radii of the shells in mm."""
SHELL = 1.6
"""Half the thickness of a shell in mm."""
CARBON, FOAM, AIR = -180.0, -935.0, -1000.0


def couch(scanner: Scanner, back: float) -> Plane:
    """HU of the empty scanner with its table.

    Args:
        scanner: Gives the grid.
        back: The y of the patient's back in mm.
    """
    y, x = scanner.rows[:, None], scanner.columns
    top = y - (back + GAP - x**2 / (2 * CURVES[0]))
    bottom = y - (back + GAP + DEPTH - x**2 / (2 * CURVES[1]))
    edge = 1.5 * scanner.pixel
    foam = np.clip(0.5 + np.minimum(top, -bottom) / edge, 0, 1)
    shells = np.clip(0.5 + (SHELL - np.minimum(np.abs(top), np.abs(bottom))) / edge, 0, 1)
    shells *= np.clip(0.5 + np.minimum(top, -bottom) / edge + SHELL, 0, 1)
    hu = AIR + foam * (FOAM - AIR)
    return (hu + shells * (CARBON - hu)).astype(np.float32)
