"""Nodules: lobulated and spiculated bodies of solid tissue, ground glass or both."""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float

Texture = Literal["solid", "part-solid", "ground glass"]
Directions = Float[np.ndarray, "n 3"]

SPICULE = 45.0
"""Sharpness of a spicule; that of a lobe is far less."""
GROUND_GLASS = -640.0
"""HU around the core of a part-solid nodule."""
CORE, CORE_SHIFT = 0.55, 0.25
"""Size of that core and how far it lies from the middle, over the nodule's radius."""
DIRECTIONS = 2000
"""Directions over which a nodule's volume is measured."""
GOLDEN = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True)
class Lesion:
    """A nodule: a sphere that is squeezed, and swells towards some directions."""

    centre: tuple[float, float, float]
    """z, y, x in mm of patient space."""
    diameter: float
    """Of the sphere of its volume, in mm."""
    texture: Texture
    hu: float
    """Of its solid part, or of the ground glass where there is none."""
    margin: float
    """Width of its edge in mm, 0 for sharp."""
    squeeze: Float[np.ndarray, "3 3"]
    """From mm around the centre to a space of the same volume in which it is nearly round."""
    poles: Directions
    """Where it swells or shrinks: unit vectors."""
    swells: Float[np.ndarray, " n"]
    """By how much there, over its radius."""
    sharpness: Float[np.ndarray, " n"]
    """How narrow each swelling is."""
    base: float
    """Radius in mm without the swellings."""

    def parts(self) -> tuple["Lesion", ...]:
        """What is drawn, one after the other: a part-solid nodule is ground glass with a core off its middle."""
        if self.texture != "part-solid":
            return (self,)
        shift = CORE_SHIFT * self.base * self.poles[0]
        z, y, x = (float(axis) for axis in np.add(self.centre, shift))
        core = replace(self, centre=(z, y, x), base=CORE * self.base)
        return replace(self, hu=GROUND_GLASS), core

    def distance(
        self, z: Float[np.ndarray, "..."], y: Float[np.ndarray, "..."], x: Float[np.ndarray, "..."]
    ) -> Float[np.ndarray, "..."]:
        """Distance from the surface in mm, negative inside, at places that broadcast; exact near the surface only."""
        offset = [axis - np.float32(middle) for axis, middle in zip((z, y, x), self.centre, strict=True)]
        rows = self.squeeze.astype(np.float32)
        p = [row[0] * offset[0] + row[1] * offset[1] + row[2] * offset[2] for row in rows]
        reach = np.sqrt(p[0] ** 2 + p[1] ** 2 + p[2] ** 2) + np.float32(1e-6)
        swollen = np.ones_like(reach)
        for pole, swell, sharp in zip(self.poles.astype(np.float32), self.swells, self.sharpness, strict=True):
            cosine = (p[0] * pole[0] + p[1] * pole[1] + p[2] * pole[2]) / reach
            swollen += np.float32(swell) * np.exp(np.float32(sharp) * (cosine - 1))
        return np.asarray(reach - np.float32(self.base) * swollen)

    @cached_property
    def reach(self) -> float:
        """No part lies farther from the centre than this, in mm."""
        longest = float(np.linalg.svd(np.linalg.inv(self.squeeze), compute_uv=False)[0])
        swell = _swollen(_directions(), self.poles, self.swells, self.sharpness).max()
        return 1.08 * self.base * longest * float(swell)

    @property
    def spiculation(self) -> float:
        """Height of its spicules over its radius, on average; 0 for none."""
        spicules = self.swells[self.sharpness >= SPICULE]
        return float(spicules.mean()) if len(spicules) else 0.0

    @property
    def lobulation(self) -> float:
        """Depth of its lobes over its radius, on average."""
        return float(np.abs(self.swells[self.sharpness < SPICULE]).mean())


def draw_lesion(rng: np.random.Generator, centre: tuple[float, float, float], diameter: float) -> Lesion:
    """A nodule of a given size: larger ones are more often lobulated and spiculated."""
    texture, hu = _tissue(rng)
    lobes = int(rng.integers(5, 9))
    spicules = int(rng.integers(8, 18)) if rng.random() < 0.1 + 0.025 * diameter else 0
    poles = rng.standard_normal((lobes + spicules, 3))
    poles /= np.linalg.norm(poles, axis=1, keepdims=True)
    lobation = rng.uniform(0.05, 0.2)
    swells = np.concatenate([rng.normal(0, lobation, lobes), rng.uniform(0.2, 0.55, spicules)])
    sharpness = np.concatenate([rng.uniform(1.5, 5, lobes), rng.uniform(SPICULE, 2 * SPICULE, spicules)])
    swells = np.clip(swells, -0.3, 0.6)
    cubes = _swollen(_directions(), poles, swells, sharpness) ** 3
    return Lesion(
        centre=centre,
        diameter=diameter,
        texture=texture,
        hu=hu,
        margin=float(rng.uniform(1.5, 3.5)) if texture == "ground glass" else float(rng.uniform(0, 1.2)),
        squeeze=_squeeze(rng),
        poles=poles,
        swells=swells,
        sharpness=sharpness,
        base=float(diameter / 2 / np.cbrt(cubes.mean())),
    )


def _tissue(rng: np.random.Generator) -> tuple[Texture, float]:
    """Texture, and HU of the solid part (now and then calcified) or of the ground glass."""
    kind = rng.random()
    if kind < 0.75:
        return "solid", float(rng.uniform(220, 420) if rng.random() < 0.08 else rng.uniform(5, 75))
    if kind < 0.88:
        return "part-solid", float(rng.uniform(-60, 40))
    return "ground glass", float(rng.uniform(-690, -520))


def _squeeze(rng: np.random.Generator) -> Float[np.ndarray, "3 3"]:
    """A symmetric matrix of determinant 1 near unity."""
    frame, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    logs = rng.normal(0, 0.09, 3)
    return np.asarray((frame * np.exp(logs - logs.mean())) @ frame.T)


@cache
def _directions() -> Directions:
    """Unit vectors spread evenly over the sphere (a Fibonacci spiral)."""
    index = np.arange(DIRECTIONS) + 0.5
    height = 1 - 2 * index / DIRECTIONS
    ring = np.sqrt(1 - height**2)
    return np.stack([height, ring * np.cos(GOLDEN * index), ring * np.sin(GOLDEN * index)], axis=1)


def _swollen(
    directions: Float[np.ndarray, "m 3"],
    poles: Directions,
    swells: Float[np.ndarray, " n"],
    sharpness: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " m"]:
    return np.asarray(1 + np.exp(sharpness * (directions @ poles.T - 1)) @ swells)
