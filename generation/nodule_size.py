"""The size of the nodule in the core of a cube, measured by its tissue.

What is solid (over -400 HU) is cleared of the chest wall and of thin vessels. The nodule is what then surrounds
the thickest place of the core, as far as one and a half times that thickness: a vessel that leaves it is cut
off, and one that merely passes through the core counts as little more than its width. A nodule that sits on the
wall is measured by the part that stands out of it.
"""

import numpy as np
from jaxtyping import Bool, Float, Int16
from scipy import ndimage

from generation.cubes import MANIPULATIONS
from generation.errors import GenerationError
from generation.mask import SIDE, core

INJECTED_MM = 10
"""An injected nodule is to be over this, as the nodules are that the generators of M3Dsynth learn from."""
REMOVED_MM = 8
"""What a removal leaves is to be under this."""
SOLID_HU = -400
"""Halfway between lung and tissue: a voxel that lies half in the nodule is just over or under."""
SMOOTHING_VOXELS = 0.7
"""Standard deviation. Takes three quarters off white noise, and a ball of 4 mm still stands out."""
WALL_MM = 10
"""Radius of a ball that fits into the chest wall and into no nodule of a core that is 16 mm wide."""
REACH = 1.5
"""How far a nodule goes from its thickest place, in units of the radius of the largest ball inside it."""
MIDDLE = ((SIDE - 1) / 2,) * 3
"""Centre of a cube in voxels."""

Solid = Bool[np.ndarray, "32 32 32"]


def diameter_mm(cubes: Int16[np.ndarray, "n 32 32 32"]) -> Float[np.ndarray, " n"]:
    """The diameter of the ball that has the volume of the nodule in the core of each cube.

    Good to 1 mm for solid nodules of 4 to 18 mm in lung. Only voxels of the core ([8, 24) on each axis) count, as
    an inpainter changes no others; a ball of 18 mm loses 0.4 mm by it, and no diameter is over 19.9 mm.
    Readers draw nodules larger: six of LIDC-IDRI that they outlined at 4 to 14 mm measure 0 to 2.3 mm less.

    Args:
        cubes: HU on voxels of 1 mm, axes (z, y, x).

    Returns:
        Diameters in mm; 0 where the core holds no solid nodule.
    """
    volumes = [np.count_nonzero(_nodule(cube)) for cube in cubes]
    return np.asarray(np.cbrt(6 / np.pi * np.array(volumes, dtype=np.float64)))


def meets(manipulation: str, diameters: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Whether nodules of these diameters in mm are what a manipulation is to bring about.

    Args:
        manipulation: ``injection`` wants more than INJECTED_MM, ``removal`` less than REMOVED_MM.
        diameters: In mm.

    Raises:
        GenerationError: If there is no such manipulation.
    """
    if manipulation not in MANIPULATIONS:
        raise GenerationError(f"manipulation must be injection or removal, got {manipulation!r}")
    return diameters > INJECTED_MM if manipulation == "injection" else diameters < REMOVED_MM


def _nodule(cube: Int16[np.ndarray, "32 32 32"]) -> Solid:
    """The voxels of the nodule."""
    smooth = ndimage.gaussian_filter(cube.astype(np.float32), SMOOTHING_VOXELS, mode="nearest") > SOLID_HU
    if not (smooth & core()).any():
        return np.zeros_like(smooth)
    wall = _wall(smooth)
    lump = _thickest(ndimage.binary_opening(smooth & ~wall))
    # Smoothing and opening shrink what is small; the cube itself says where its surface is.
    grown = ndimage.binary_dilation(lump, np.ones((3, 3, 3), dtype=np.bool_))
    return np.asarray(grown & (cube > SOLID_HU) & ~wall & core())


def _wall(solid: Solid) -> Solid:
    """The parts of a solid that reach the cube's faces and that a ball of WALL_MM fits into, grown by one voxel.

    What lies outside the cube is taken to go on as it does at its faces: a sliver of the wall is still the wall.
    """
    wide = np.pad(solid, WALL_MM, mode="edge")
    if not (wide & _faces(wide.shape)).any():
        return np.zeros_like(solid)
    centres = _depth(wide) >= WALL_MM
    centres = ndimage.binary_propagation(centres & _faces(wide.shape), mask=centres)
    inside = slice(WALL_MM, WALL_MM + SIDE)
    return solid & (_depth(~centres)[inside, inside, inside] <= WALL_MM)


def _thickest(solid: Solid) -> Solid:
    """What surrounds the thickest place of the core, within its reach; of equally thick places, the most central."""
    depth = np.where(core(), _depth(solid), 0)
    if not depth.any():
        return np.zeros_like(solid)
    best = (depth - 1e-3 * _from(MIDDLE)).argmax()
    place = tuple(int(along) for along in np.unravel_index(best, depth.shape))
    parts, _ = ndimage.label(solid & core() & (_from(place) <= REACH * depth[place] + 1))
    return np.asarray(parts == parts[place])


def _from(place: tuple[float, ...]) -> Float[np.ndarray, "32 32 32"]:
    """How far each voxel is from a place."""
    return np.asarray(np.linalg.norm(np.indices((SIDE, SIDE, SIDE)) - np.reshape(place, (3, 1, 1, 1)), axis=0))


def _depth(solid: Bool[np.ndarray, "z y x"]) -> Float[np.ndarray, "z y x"]:
    """How far each voxel is from the nearest one outside the solid; 0 there, infinite when there is none."""
    if solid.all():
        return np.full(solid.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(solid))


def _faces(shape: tuple[int, int, int]) -> Bool[np.ndarray, "z y x"]:
    """The outermost voxels of a box."""
    faces = np.ones(shape, dtype=np.bool_)
    faces[1:-1, 1:-1, 1:-1] = False
    return faces
