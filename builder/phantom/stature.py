"""How one body differs from the next: the numbers that are drawn once per patient."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Size = Literal["small", "full"]

PITCH = 21.6
"""From one thoracic vertebra to the next in mm."""
FIRST_VERTEBRA = 88.0
"""Height of T1 over the carina in mm."""
SCALES = {"small": (0.51, 0.56), "full": (0.94, 1.03)}
"""Least and largest size over that of an adult of middle size."""
HEIGHTS = {"small": (0.91, 0.98), "full": (0.95, 1.03)}
"""The same along the body, on top."""
HEAD, FEET = 112.0, -163.0
"""Where a scan of an adult begins and ends, in mm over the carina."""


@dataclass(frozen=True)
class Stature:
    """A body, in millimetres of an adult of middle size; ``scale`` makes it a patient's."""

    scale: float
    """Patient's size over that of an adult."""
    stretch: tuple[float, float, float]
    """Along z, y and x, on top of the scale."""
    breadth: float
    """Half the inner width of the thorax."""
    front: float
    back: float
    """Inner depth of the thorax before and behind its middle."""
    fat: float
    """Least thickness of the fat under the skin."""
    muscle: float
    """Relative strength of the muscles of the trunk."""
    breasts: float
    """Depth of the breasts; 0 for none."""
    heart: float
    """Relative size of the heart."""
    domes: tuple[float, float]
    """Height of the right and left dome of the diaphragm."""
    kyphosis: float
    """How far the spine bends backwards."""
    contrast: float
    """HU that contrast medium adds to blood; 0 without."""
    turn: float
    """Rotation on the table in radians."""
    wobble: float
    """Deviation of the random deformation in mm."""

    @property
    def girth(self) -> tuple[float, float]:
        """Half the width and half the depth of the trunk in the patient's mm."""
        wall = 28 + self.fat
        width = (self.breadth + wall) * self.stretch[2]
        return width * self.scale, ((self.front + self.back) / 2 + wall) * self.stretch[1] * self.scale

    @property
    def blood(self) -> float:
        """HU of blood."""
        return 42 + self.contrast

    def organ(self, plain: float, uptake: float) -> float:
        """HU of an organ: its own, and its share of the contrast medium."""
        return plain + uptake * self.contrast


def draw_stature(rng: np.random.Generator, size: Size) -> Stature:
    """A patient's body: an adult's, or for ``small`` a thorax of half that size."""
    contrast = float(rng.uniform(110, 210)) if rng.random() < 0.45 else 0.0
    right = float(rng.uniform(-104, -94))
    female = rng.random() < 0.4
    return Stature(
        scale=float(rng.uniform(*SCALES[size])),
        stretch=(float(rng.uniform(*HEIGHTS[size])), float(rng.uniform(0.95, 1.06)), float(rng.uniform(0.95, 1.03))),
        breadth=float(rng.uniform(129, 142)),
        front=float(rng.uniform(79, 92)),
        back=float(rng.uniform(92, 101)),
        fat=float(rng.uniform(4, 20)),
        muscle=float(rng.uniform(0.7, 1.15)),
        breasts=float(rng.uniform(8, 24)) if female else 0.0,
        heart=float(rng.uniform(0.92, 1.1)),
        domes=(right, right - float(rng.uniform(6, 16))),
        kyphosis=float(rng.uniform(4, 12)),
        contrast=contrast,
        turn=float(rng.normal(0, 0.035)),
        wobble=float(rng.uniform(2.0, 3.5)),
    )
