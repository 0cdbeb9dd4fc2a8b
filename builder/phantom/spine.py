"""Vertebral bodies and discs: cylinders with a waist, drawn on the fine grid in the model's coordinates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from builder.phantom.stature import FIRST_VERTEBRA, PITCH, Stature

Plane = Float32[np.ndarray, "rows columns"]

RADIUS = 15.0
BROADER = 1.16
"""Width over depth of a vertebral body."""
DISC = 4.6
"""Height of a disc in mm."""
CANAL = 20.5
"""From the middle of the bodies back to that of the canal in mm."""


@dataclass(frozen=True)
class Column:
    """Signed distances in mm of the model, on one plane of the scan."""

    bodies: Plane
    discs: Plane
    canal: Plane


def middle(stature: Stature, z: Float[np.ndarray, "..."] | np.floating[Any]) -> Float[np.ndarray, "..."]:
    """The y of the middle of the vertebral bodies at heights z, in mm of the model."""
    bend = (z + np.float32(40)) / np.float32(120)
    return np.asarray(np.float32(50) + np.float32(stature.kyphosis) * (1 - bend * bend))


def column(stature: Stature, z: Plane, y: Plane, x: Plane) -> Column:
    """The spine where it meets places (z, y, x) of the model body, in mm."""
    forward = y - middle(stature, z)
    along = np.mod(z - np.float32(FIRST_VERTEBRA) + np.float32(PITCH / 2), np.float32(PITCH)) - np.float32(PITCH / 2)
    ring = np.sqrt((x / np.float32(BROADER)) ** 2 + forward**2)
    waist = (along / np.float32(PITCH / 2)) ** 2
    # Endplates are hollow towards the disc.
    endplate = np.abs(along) - np.float32((PITCH - DISC) / 2) + np.clip(1.2 - ring / 10, 0, None).astype(np.float32)
    sides = ring - np.float32(RADIUS - 1.6) - np.float32(1.9) * waist
    hollow = forward - np.float32(CANAL - 8)
    bodies = np.maximum(np.maximum(sides, endplate), hollow)
    canal = np.sqrt((x / np.float32(1.15)) ** 2 + (forward - np.float32(CANAL)) ** 2) - np.float32(8)
    return Column(bodies, np.maximum(ring - np.float32(RADIUS), hollow), canal)
