"""What enters the lungs at the hila and spreads in them: bronchi, the arteries beside them, and veins."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from builder.phantom.lattice import Field
from builder.phantom.posture import Posture
from builder.phantom.shapes import Course, smoothed
from builder.phantom.strokes import Strokes, along, together
from builder.phantom.vasculature import Vasculature
from builder.phantom.vessels import Points, Tree, beside, branches, grow, targets

LEAST_LUMEN = 0.85
"""Radius in mm under which a bronchus is not seen."""
LUMEN = 0.7
"""Radius of a bronchus over that of its artery."""
BESIDE, APART = 1.75, 0.25
"""Between the axes of both: so many radii of the artery, and so many mm."""
ASIDE = np.array([0.35, -0.75, 0.5])
"""On which side of its bronchus an artery runs (z, y, x)."""
PIECES = 4
"""Segments between two stations of a large vessel."""
DEPTH = 2.0
"""Vessels end this far under the lung's surface, in mm."""

Place = Float[np.ndarray, " 3"]


@dataclass(frozen=True)
class Lungs:
    """What is drawn in the lungs, in patient space and mm."""

    vessels: Strokes
    bronchi: Strokes
    """Their lumens."""
    twigs: Points
    """Nodes of the arteries: where a nodule may hang."""
    calibres: Float[np.ndarray, " n"]
    """Radius of the artery at each."""


@dataclass(frozen=True)
class Detail:
    """How finely the trees divide."""

    ends: int
    """Ends of the arteries of one lung; the veins have a quarter less."""
    leaf: float
    """Radius of the last arteries in mm."""


@dataclass(frozen=True)
class Hilum:
    """Where the trees of one lung begin: ends of courses, in patient space."""

    side: int
    """-1 for the patient's right, 1 for the left."""
    bronchus: Place
    artery: Place
    artery_radius: float
    upper_vein: Place
    lower_vein: Place


def build_lungs(
    rng: np.random.Generator, detail: Detail, lung: Field, vasculature: Vasculature, posture: Posture
) -> Lungs:
    """The trees of both lungs."""
    sides = [_build_lung(rng, detail, lung, hilum) for hilum in _hila(vasculature, posture)]
    return Lungs(
        together([side.vessels for side in sides]),
        together([side.bronchi for side in sides]),
        np.concatenate([side.twigs for side in sides]),
        np.concatenate([side.calibres for side in sides]),
    )


def _build_lung(rng: np.random.Generator, detail: Detail, lung: Field, hilum: Hilum) -> Lungs:
    """The trees of one lung: bronchi and arteries run side by side, the veins between them."""
    airway = grow(rng, hilum.bronchus, targets(rng, lung, hilum.side, detail.ends, DEPTH))
    radii = airway.calibre(detail.leaf)
    arteries = beside(airway, BESIDE * radii + APART, ASIDE, root=hilum.artery)
    bends = rng.standard_normal(airway.nodes.shape)
    vessels = [branches(bends, arteries, np.minimum(radii, hilum.artery_radius))]
    for vein in _veins(rng, detail, lung, hilum):
        vessels.append(branches(rng.standard_normal(vein.nodes.shape), vein, vein.calibre(detail.leaf)))
    bronchi = branches(bends, airway, LUMEN * radii)
    seen = np.minimum(bronchi.thick, bronchi.thin) > LEAST_LUMEN
    return Lungs(together(vessels), bronchi.where(seen), arteries.nodes[1:], radii[1:])


def _hila(vasculature: Vasculature, posture: Posture) -> tuple[Hilum, Hilum]:
    """Of the right and of the left lung."""
    _, *bronchi = vasculature.airways
    _, _, left, right, *_, right_upper, right_lower, left_upper, left_lower = vasculature.blood

    def hilum(side: int, *gates: Course) -> Hilum:
        bronchus, artery, upper, lower = posture.patient_points(np.stack([gate.points[-1] for gate in gates]))
        return Hilum(side, bronchus, artery, float(gates[1].radii[-1]) * posture.scale, upper, lower)

    return hilum(-1, bronchi[0], right, right_upper, right_lower), hilum(1, bronchi[1], left, left_upper, left_lower)


def _veins(rng: np.random.Generator, detail: Detail, lung: Field, hilum: Hilum) -> list[Tree]:
    """The upper vein drains what lies above and before it, the lower one the rest."""
    places = targets(rng, lung, hilum.side, int(0.75 * detail.ends), DEPTH)
    upper, lower = hilum.upper_vein, hilum.lower_vein
    above = (places[:, 0] - lower[0]) - 0.8 * (places[:, 1] - lower[1]) > 0.3 * (upper[0] - lower[0])
    return [grow(rng, root, group) for root, group in ((upper, places[above]), (lower, places[~above])) if len(group)]


def trunks(vasculature: Vasculature, posture: Posture) -> tuple[Strokes, Strokes, Strokes]:
    """The large vessels, the large airways and the gullet in patient space."""
    blood, airways, gullet = (
        together([along(_placed(path, posture)) for path in paths])
        for paths in (vasculature.blood, vasculature.airways, (vasculature.gullet,))
    )
    return blood, airways, gullet


def _placed(path: Course, posture: Posture) -> Course:
    curve = smoothed(path, PIECES)
    return Course(posture.patient_points(curve.points), curve.radii * posture.scale)
