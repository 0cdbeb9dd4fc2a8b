"""The soft tissues and the vertebral bodies, laid over each other plane by plane.

Each solid covers what is there with a soft edge as wide as a voxel or two.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from builder.phantom.anatomy import Anatomy
from builder.phantom.lattice import Field, Sampler
from builder.phantom.scanner import Scanner
from builder.phantom.spine import column
from builder.phantom.spine import middle as midline

EMPTY, AIRWAY = -1000.0, -960.0
FAT, SKIN, MUSCLE, CARTILAGE, DISC, GULLET, WALL = -104.0, -8.0, 54.0, 110.0, 85.0, 35.0, -30.0
PERICARDIUM = 20.0
CORTEX, MARROW, CORD = 820.0, 170.0, 28.0
LUNG = -868.0
GRAVITY = 0.38
"""HU per mm of an adult from the front to the back of the lung of a patient who lies on the back."""
SKIN_DEPTH = 1.5
"""Thickness of the skin in mm."""
BUNDLE = 17.0
"""Thickness of a layer of muscle in mm of an adult."""
SPINE_BOX = 40.0
"""The vertebrae lie within this of the line through their middles, in mm of an adult."""

Plane = Float32[np.ndarray, "rows columns"]
Slab = Float32[np.ndarray, "planes height width"]


@dataclass(frozen=True)
class Layer:
    """An organ where one plane cuts it."""

    window: tuple[slice, slice]
    """The rows and columns that it can reach."""
    distance: Plane
    """Signed distance in mm on that window."""

    def cover(self, edge: np.float32, grow: float = 0.0) -> Plane:
        """Share of each pixel inside the organ, or inside what is ``grow`` mm larger."""
        share = self.distance * np.float32(-1 / edge)
        share += np.float32(0.5 + grow / edge)
        return np.clip(share, 0, 1, out=share)


@dataclass(frozen=True)
class Sheet:
    """One plane of the scan, while it is painted."""

    hu: Plane
    """Changed in place."""
    texture: Plane
    """What tells one place of a tissue from another; mean 0, deviation 1."""
    edge: np.float32
    """Width of an edge in mm."""

    def lay(self, layer: Layer | None, value: float | Plane, *, grow: float = 0.0, grain: float = 0.0) -> None:
        """Cover what is there with an organ of some HU.

        Args:
            layer: The organ; None where it is not on this plane.
            value: Its HU, or HU on its window.
            grow: How much larger than itself it is drawn, in mm.
            grain: HU by which it follows the texture.
        """
        if layer is None:
            return
        part = self.hu[layer.window]
        hu = value + np.float32(grain) * self.texture[layer.window] if grain else np.float32(value)
        part += layer.cover(self.edge, grow) * (hu - part)


class Stack:
    """Organs on the planes of one slab."""

    def __init__(self, samplers: dict[str, Sampler], heights: Float64[np.ndarray, " planes"]) -> None:
        self._samplers = samplers
        self._levels = {name: sampler.levels(heights) for name, sampler in samplers.items()}

    def layer(self, name: str, plane: int) -> Layer | None:
        """An organ on a plane, or None where it does not reach."""
        covered, nodes = self._levels[name]
        sampler = self._samplers[name]
        if not covered.start <= plane < covered.stop or sampler.empty:
            return None
        return Layer((sampler.rows, sampler.columns), sampler.plane(nodes[plane - covered.start]))


class Tissue:
    """Paints the organs of a body.

    Args:
        anatomy: The body.
        scanner: Gives the rows and columns.
    """

    def __init__(self, anatomy: Anatomy, scanner: Scanner) -> None:
        self._anatomy, self._stature, self._scale = anatomy, anatomy.stature, anatomy.stature.scale
        self._edge = np.float32(scanner.edge)
        self._y, self._x = scanner.rows.astype(np.float32), scanner.columns.astype(np.float32)
        shifts = {f"shift_{axis}": field for axis, field in zip("zyx", _at_spine(anatomy), strict=True)}
        fields = vars(anatomy.thorax) | shifts
        self._samplers = {name: Sampler(field, scanner.rows, scanner.columns) for name, field in fields.items()}

    def paint(self, hu: Slab, heights: Float64[np.ndarray, " planes"]) -> None:
        """Lay all tissues over the planes at these heights (mm, ascending), in place."""
        stack = Stack(self._samplers, heights)
        texture = np.zeros(hu.shape[1:], dtype=np.float32)
        for plane, height in enumerate(heights):
            if (grain := stack.layer("texture", plane)) is not None:
                texture[grain.window] = grain.distance
            sheet = Sheet(hu[plane], texture, self._edge)
            self._wall(sheet, stack, plane)
            self._belly(sheet, stack, plane)
            self._heart(sheet, stack, plane)
            self._lungs(sheet, stack, plane)
            self._spine(sheet, stack, plane, np.float32(height))

    def _wall(self, sheet: Sheet, stack: Stack, plane: int) -> None:
        """Skin, fat, and muscle with sheets of fat between its bundles; the fat of the mediastinum."""
        body, muscle, fat = (stack.layer(name, plane) for name in ("body", "muscle", "fat"))
        sheet.lay(body, SKIN)
        sheet.lay(body, FAT, grow=-SKIN_DEPTH, grain=5)
        if muscle is not None:
            sheet.lay(muscle, self._bundles(muscle, sheet.texture[muscle.window]))
        if fat is not None:
            # Nodes and lesser vessels lie in the fat of the mediastinum.
            nodes = np.clip(1.1 * sheet.texture[fat.window] - np.float32(0.9), 0, 1)
            sheet.lay(fat, FAT + 130 * nodes, grain=6)

    def _bundles(self, muscle: Layer, grain: Plane) -> Plane:
        """Muscles lie in layers, which sheets of fat part here and there."""
        depth = muscle.distance * np.float32(1 / self._scale)
        turns = (depth + 5 * grain) * np.float32(1 / BUNDLE)
        turns -= np.floor(turns)
        fat = np.clip(1.5 - np.abs(turns - np.float32(0.5)) * np.float32(1.1 * BUNDLE), 0, 1)
        fat *= np.clip(1.2 * grain + np.float32(0.4), 0, np.float32(0.9))
        fat *= np.clip(0.1 * depth + np.float32(2.8), 0, 1)
        np.maximum(fat, np.clip(1.6 * grain - np.float32(1.9), 0, np.float32(0.7)), out=fat)
        return np.asarray(np.float32(self._stature.organ(MUSCLE, 0.06)) + 6 * grain + fat * np.float32(FAT - MUSCLE))

    def _belly(self, sheet: Sheet, stack: Stack, plane: int) -> None:
        """Liver and spleen, and the stomach with food under its air."""
        sheet.lay(stack.layer("liver", plane), self._stature.organ(58, 0.3), grain=2)
        sheet.lay(stack.layer("spleen", plane), self._stature.organ(48, 0.45), grain=3)
        stomach = stack.layer("stomach", plane)
        if stomach is not None:
            above = self._y[stomach.window[0]] < -38 * self._scale
            food = np.where(above, np.float32(EMPTY + 20), np.float32(26))[:, None] + np.zeros_like(stomach.distance)
            sheet.lay(stomach, MUSCLE - 10)
            sheet.lay(stomach, food, grow=-3.5 * self._scale, grain=8)

    def _heart(self, sheet: Sheet, stack: Stack, plane: int) -> None:
        """Pericardium, the fat within it, muscle, and the blood in the chambers."""
        heart = stack.layer("heart", plane)
        sheet.lay(heart, PERICARDIUM)
        sheet.lay(heart, FAT + 12, grow=-1.4 * self._scale)
        sheet.lay(stack.layer("myocardium", plane), self._stature.organ(46, 0.35))
        sheet.lay(stack.layer("chambers", plane), self._stature.blood)

    def _lungs(self, sheet: Sheet, stack: Stack, plane: int) -> None:
        """The pleura and the diaphragm as a thin line, air and tissue within, and the fissures."""
        lung, fissure = stack.layer("lung", plane), stack.layer("fissure", plane)
        if lung is None or fissure is None:
            return
        sheet.lay(lung, MUSCLE - 20, grow=1.6 * self._scale)
        weight = np.float32(GRAVITY / self._scale) * self._y[lung.window[0]][:, None]
        line = np.clip(0.9 - np.abs(fissure.distance) / self._edge, 0, 1)
        sheet.lay(lung, LUNG + weight + 130 * line, grain=16)

    def _spine(self, sheet: Sheet, stack: Stack, plane: int, height: np.float32) -> None:
        """Discs, the bodies with their shells, and the canal with the cord."""
        bends = [bend for axis in "zyx" if (bend := stack.layer(f"shift_{axis}", plane)) is not None]
        if len(bends) < 3:
            return
        window = bends[0].window
        y, x = self._y[window[0]][:, None], self._x[window[1]]
        place = self._anatomy.posture.turned(np.asarray(height), y, x, [bend.distance for bend in bends])
        spine = column(self._stature, *place)
        scale = np.float32(self._scale)
        discs, bodies, canal = (Layer(window, solid * scale) for solid in (spine.discs, spine.bodies, spine.canal))
        sheet.lay(discs, DISC)
        sheet.lay(bodies, CORTEX)
        sheet.lay(bodies, MARROW, grow=-1.1 * self._scale)
        sheet.lay(canal, FAT + 40)
        sheet.lay(canal, CORD, grow=-2.2 * self._scale)


def _at_spine(anatomy: Anatomy) -> list[Field]:
    """The shifts of the posture, around the spine only."""
    shifts, scale = anatomy.posture.shifts, anatomy.stature.scale
    lattice = shifts[0].lattice
    middle = ((float(midline(anatomy.stature, np.float32(-40.0))) + 4) * scale, 0.0)
    spans = [slice(0, lattice.shape[0])]
    for axis, centre in zip(lattice.axes[1:], middle, strict=True):
        near = np.flatnonzero(np.abs(axis - centre) < SPINE_BOX * scale + 3 * lattice.step)
        spans.append(slice(int(near[0]), int(near[-1]) + 1))
    z, y, x = spans
    return [shift.cut((z, y, x)) for shift in shifts]
