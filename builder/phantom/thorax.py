"""The soft organs of the chest as signed distances on a lattice over the patient."""

from dataclasses import dataclass

import numpy as np

from builder.phantom.cage import Cage
from builder.phantom.diaphragm import diaphragm
from builder.phantom.heart import chambers, myocardium, pericardium
from builder.phantom.lattice import Coordinates, Extent, Field, Lattice, ripples
from builder.phantom.mediastinum import mediastinum
from builder.phantom.posture import Posture
from builder.phantom.shapes import Distance, ellipsoid, joined, shared
from builder.phantom.stature import Stature
from builder.phantom.torso import body, muscle
from builder.phantom.vasculature import Vasculature

PLEURA = 2.5
"""Between the inner surface of the ribs and the lung in mm."""
APEX = 97.0
"""Height over the carina at which the lungs end, in mm."""
LUMPS, TEXTURE = 40.0, 11.0
"""Grain in mm of what makes organs uneven, and of what tells one piece of a tissue from another."""
MARGIN = 2.5
"""Fields are kept this many nodes around what they describe."""


@dataclass(frozen=True)
class Thorax:
    """Signed distances in mm, negative inside; ``texture`` and ``fissure`` are not of solids."""

    body: Field
    muscle: Field
    fat: Field
    """Inside the cage: what is neither lung nor organ."""
    lung: Field
    heart: Field
    """Within the pericardium."""
    myocardium: Field
    chambers: Field
    liver: Field
    spleen: Field
    stomach: Field
    fissure: Field
    """Distance from the oblique fissures."""
    texture: Field
    """Mean 0, deviation 1."""


@dataclass(frozen=True)
class Ground:
    """What the organs are made from: model coordinates, body and unevenness, on one lattice."""

    lattice: Lattice
    q: Coordinates
    stature: Stature
    cage: Distance
    floor: Distance
    """Distance from the diaphragm, negative above it."""
    lumps: Distance
    grain: Distance

    def field(self, distance: Distance) -> Field:
        """A distance of the model, in the patient's mm."""
        return Field(self.lattice, np.asarray(distance * np.float32(self.stature.scale), dtype=np.float32))

    def organ(self, distance: Distance) -> Field:
        """The same, cut to where the organ is."""
        solid = self.field(distance)
        return solid.cut(self.extent(solid))

    def extent(self, solid: Field) -> Extent:
        """The box that a solid needs."""
        return solid.extent(MARGIN * self.lattice.step)


def cage_of(stature: Stature) -> Cage:
    """The inner surface of the ribs of a body."""
    return Cage(stature.breadth, stature.front, stature.back, waist=-85, dome=203, lean=14)


def build_thorax(
    rng: np.random.Generator, stature: Stature, posture: Posture, lattice: Lattice, vasculature: Vasculature
) -> Thorax:
    """All soft organs of a patient."""
    q = posture.model_coordinates(lattice)
    lumps, grain = (ripples(rng, lattice, pitch * stature.scale).values for pitch in (LUMPS, TEXTURE))
    cage, floor = cage_of(stature).distance(q), diaphragm(q, stature) + 2.5 * lumps
    ground = Ground(lattice, q, stature, cage, floor, lumps, grain)
    muscles = muscle(q, stature, cage) + 1.5 * lumps
    skin, lung = ground.field(body(q, stature, muscles)), ground.field(_lung(ground, vasculature))
    trunk, chest = ground.extent(skin), ground.extent(lung)
    heart = pericardium(q, stature)
    muscular = myocardium(q, heart) + 1.5 * np.maximum(lumps + grain, 0)
    liver, spleen, stomach = _belly(ground)
    return Thorax(
        body=skin.cut(trunk),
        muscle=ground.field(muscles).cut(trunk),
        fat=ground.organ(_fat(ground)),
        lung=lung.cut(chest),
        heart=ground.organ(heart),
        myocardium=ground.organ(muscular),
        chambers=ground.organ(chambers(q, stature)),
        liver=ground.organ(liver),
        spleen=ground.organ(spleen),
        stomach=ground.organ(stomach),
        fissure=ground.field(_fissure(q) + 4 * lumps).cut(chest),
        texture=Field(lattice, np.asarray(0.8 * grain + 0.6 * lumps, dtype=np.float32)).cut(trunk),
    )


def _lung(ground: Ground, vasculature: Vasculature) -> Distance:
    """The cage over the diaphragm, without what is in the middle."""
    q = ground.q
    centre = joined([pericardium(q, ground.stature) - 2, mediastinum(q, ground.stature, vasculature)], 10.0)
    lung = shared([ground.cage + PLEURA, -centre, ground.floor, q.z - np.float32(APEX)], 6.0)
    return lung + 0.5 * ground.grain


def _fat(ground: Ground) -> Distance:
    """The inside of the cage up to the neck, whose front is higher than its back."""
    q = ground.q
    neck = np.float32(0.8) * q.z + np.float32(0.6) * q.y - 58 + 5 * ground.grain
    return shared([ground.cage + 4, neck], 16.0)


def _belly(ground: Ground) -> tuple[Distance, Distance, Distance]:
    """Liver, spleen and stomach, under the diaphragm."""
    q, lumps = ground.q, ground.lumps
    belly = shared([ground.cage + 2.5, 2.5 - ground.floor], 5.0)
    right, left = ellipsoid(q, (-165.0, 0.0, -66.0), (85, 92, 84)), ellipsoid(q, (-150.0, -38.0, 0.0), (38, 40, 62))
    liver = shared([belly, joined([right, left], 20.0)], 14.0) + 1.2 * lumps
    spleen = shared([belly, ellipsoid(q, (-150.0, 52.0, 96.0), (46, 36, 27))], 8.0)
    stomach = shared([belly, ellipsoid(q, (-148.0, -14.0, 62.0), (42, 46, 36))], 8.0) + 1.5 * lumps
    return liver, spleen, stomach


def _fissure(q: Coordinates) -> Distance:
    """A bulging plane from high behind to low in front; lower on the right."""
    height = -38 + np.float32(0.95) * q.y + np.where(q.x < 0, np.float32(-8), np.float32(4))
    height += np.float32(0.0016) * q.x**2
    return np.asarray((q.z - height) / np.float32(1.38))
