"""One patient's body, ready to be drawn: organs on a lattice, vessels and bones as strokes."""

from dataclasses import dataclass

import numpy as np

from builder.phantom.hila import Detail, Lungs, build_lungs, trunks
from builder.phantom.lattice import Lattice
from builder.phantom.posture import Posture, draw_posture
from builder.phantom.scanner import Scanner
from builder.phantom.skeleton import Skeleton, draw_skeleton
from builder.phantom.stature import Size, Stature
from builder.phantom.strokes import Strokes
from builder.phantom.thorax import Thorax, build_thorax, cage_of
from builder.phantom.vasculature import draw_vasculature

STEPS = {"small": 5.0, "full": 4.0}
"""Between the nodes of the lattice, in mm of an adult."""
DETAILS = {"small": Detail(ends=480, leaf=0.34), "full": Detail(ends=2500, leaf=0.40)}
DEPTH = 165.0
"""How far before and behind the model's middle the body may reach, in mm."""


@dataclass(frozen=True)
class Anatomy:
    """Everything that is drawn, in patient space and mm."""

    stature: Stature
    posture: Posture
    thorax: Thorax
    skeleton: Skeleton
    lungs: Lungs
    blood: Strokes
    airways: Strokes
    gullet: Strokes

    @property
    def back(self) -> float:
        """The y of the rearmost skin in mm."""
        body = self.thorax.body
        _, rows, _ = body.lattice.axes
        return float(rows[(body.values < 0).any(axis=(0, 2))].max())


def build_anatomy(rng: np.random.Generator, size: Size, stature: Stature, scanner: Scanner) -> Anatomy:
    """A patient's body over the whole field of view."""
    lattice = _lattice(size, stature, scanner)
    posture = draw_posture(rng, stature, lattice)
    vasculature = draw_vasculature(rng)
    thorax = build_thorax(rng, stature, posture, lattice, vasculature)
    skeleton = draw_skeleton(rng, stature, cage_of(stature), posture)
    lungs = build_lungs(rng, DETAILS[size], thorax.lung, vasculature, posture)
    blood, airways, gullet = trunks(vasculature, posture)
    return Anatomy(stature, posture, thorax, skeleton, lungs, blood, airways, gullet)


def _lattice(size: Size, stature: Stature, scanner: Scanner) -> Lattice:
    depth = DEPTH * stature.scale
    heights, rows, columns = scanner.heights, scanner.rows, scanner.columns
    low = (heights[0] - scanner.spacing, max(rows[0], -depth), columns[0])
    high = (heights[-1] + scanner.spacing, min(rows[-1], depth), columns[-1])
    return Lattice.spanning(low, high, STEPS[size] * stature.scale)
