"""Where the nodules of a patient lie, and how large they are."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from builder.phantom.anatomy import Anatomy
from builder.phantom.lesions import Lesion, draw_lesion
from builder.phantom.scanner import Scanner
from builder.phantom.stature import Size

SMALL, MIDDLE = (4.4, 7.6), (11.6, 16.4)
"""Diameters in mm of the two nodules that every patient has: one under 8 and one from 11 to 17."""
LARGEST = {"small": 21.0, "full": 29.5}
MOST_MORE = 4
"""Further nodules at most."""
APART = 7.0
"""Between the surfaces of two nodules, at least, in mm."""
MARGIN = 17.0
"""From the scan's edge to a nodule's centre, at least: half a cube of 32 mm."""
AT_PLEURA = 0.25
"""How often a place is tried that touches the lung's surface."""
TRIES = 400
"""Places that are tried for a nodule."""
PLACES, TWIGS = 4000, 400
"""Places in the lungs and on vessels to choose from."""
TWIG = (0.6, 1.3)
"""Radius in mm of a vessel on which a nodule may hang."""
HILAR, CLEAR = 2.2, 9.0
"""A nodule's centre stays this many mm (the second) from arteries of at least that radius (the first)."""


@dataclass(frozen=True)
class Ground:
    """Where a nodule could lie: places (z, y, x in mm) with their depth under the lung's surface."""

    places: Float[np.ndarray, "n 3"]
    depths: Float[np.ndarray, " n"]


def draw_burden(rng: np.random.Generator, anatomy: Anatomy, scanner: Scanner, size: Size) -> tuple[Lesion, ...]:
    """Two to six nodules that do not touch each other."""
    ground = _ground(rng, anatomy, scanner)
    wanted = [float(rng.uniform(*MIDDLE)), float(rng.uniform(*SMALL))]
    for _ in range(int(rng.integers(MOST_MORE + 1))):
        wanted.append(float(np.clip(rng.lognormal(2.2, 0.45), 4.2, LARGEST[size])))
    found: list[Lesion] = []
    for diameter in wanted:
        if (lesion := _placed(rng, ground, diameter, found)) is not None:
            found.append(lesion)
    return tuple(found)


def _ground(rng: np.random.Generator, anatomy: Anatomy, scanner: Scanner) -> Ground:
    """Nodes of the lattice in the lungs, and twigs of the vessels, away from the scan's edges and the hila."""
    lung = anatomy.thorax.lung
    nodes = np.argwhere(lung.values < 0)
    nodes = nodes[rng.choice(len(nodes), size=min(PLACES, len(nodes)), replace=False)]
    free = np.array(lung.lattice.origin) + lung.lattice.step * (nodes + rng.uniform(-0.5, 0.5, nodes.shape))
    calibres = anatomy.lungs.calibres
    slim = anatomy.lungs.twigs[(calibres > TWIG[0]) & (calibres < TWIG[1])]
    places = np.concatenate([free, slim[rng.permutation(len(slim))[:TWIGS]]])
    low = np.array([scanner.heights[0], scanner.rows[0], scanner.columns[0]]) + MARGIN
    high = np.array([scanner.heights[-1], scanner.rows[-1], scanner.columns[-1]]) - MARGIN
    keep = ((places > low) & (places < high)).all(axis=1) & _clear_of_hila(places, anatomy)
    return Ground(places[keep], -lung.at(places[keep]).astype(np.float64))


def _clear_of_hila(places: Float[np.ndarray, "n 3"], anatomy: Anatomy) -> Bool[np.ndarray, " n"]:
    wide = anatomy.lungs.twigs[anatomy.lungs.calibres > HILAR]
    if not len(wide):
        return np.ones(len(places), dtype=bool)
    gaps = np.linalg.norm(places[:, None] - wide[None], axis=2).min(axis=1)
    return np.asarray(gaps > CLEAR)


def _placed(rng: np.random.Generator, ground: Ground, diameter: float, others: list[Lesion]) -> Lesion | None:
    """A nodule deep in the lung, on a vessel or at the pleura; None where there is no room."""
    for _ in range(TRIES):
        index = int(rng.integers(len(ground.places)))
        z, y, x = (float(axis) for axis in ground.places[index])
        lesion = draw_lesion(rng, (z, y, x), diameter)
        at_pleura = rng.random() < AT_PLEURA
        least, most = (0.4 * diameter, 0.5 * diameter) if at_pleura else (lesion.reach + 1.0, np.inf)
        if least < ground.depths[index] < most and _apart(lesion, others):
            return lesion
    return None


def _apart(lesion: Lesion, others: list[Lesion]) -> bool:
    gaps = (np.linalg.norm(np.subtract(lesion.centre, other.centre)) - lesion.reach - other.reach for other in others)
    return all(gap > APART for gap in gaps)
