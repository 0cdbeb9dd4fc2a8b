"""Bones and cartilage as courses of the model body: ribs, sternum, shoulder girdle and vertebral arches.

The vertebral bodies, which are no tubes, are in ``spine.py``.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from builder.phantom.cage import Cage
from builder.phantom.posture import Posture
from builder.phantom.shapes import Course, course, smoothed
from builder.phantom.spine import middle
from builder.phantom.stature import FIRST_VERTEBRA, PITCH, Stature
from builder.phantom.strokes import Strokes, along, placed, ribbon, together

RIBS = 12
DROPS = (26, 44, 58, 66, 72, 76, 78, 78, 76, 72, 55, 30)
"""How much lower than at the spine the front end of each rib lies, in mm."""
FRONTS = (150, 156, 157, 156, 154, 150, 146, 138, 128, 116, 92, 64)
"""Where each rib ends, in degrees around the chest from straight behind."""
STERNAL_NOTCHES = (50, 6, -18, -38, -55, -69, -80)
"""Heights in mm at which the cartilage of ribs 1 to 7 meets the sternum."""
HALF_HEIGHT = 5.6
"""Half the height of a rib in mm."""
FLATNESS = 1.75
"""Its height over its thickness."""
OUTSIDE = 5.5
"""From the inner surface of the cage to the middle of a rib in mm."""
SIDES = (-1.0, 1.0)


@dataclass(frozen=True)
class Skeleton:
    """Capsules in patient space."""

    bone: Strokes
    cartilage: Strokes


def draw_skeleton(rng: np.random.Generator, stature: Stature, cage: Cage, posture: Posture) -> Skeleton:
    """The bones of a patient; every rib differs a little from its neighbours and from the other side."""
    fronts = [(side, _rib(rng, stature, cage, number, side)) for number in range(RIBS) for side in SIDES]
    ribs = [strokes for _, (strokes, _) in fronts]
    cartilages = [
        _cartilage(cage, tip, number // 2, side) for number, (side, (_, tip)) in enumerate(fronts) if number < 14
    ]
    girdle = [_girdle(side) for side in SIDES]
    bones = together([*ribs, *girdle, _sternum(cage), *(_arch(stature, number) for number in range(-2, RIBS + 1))])
    return Skeleton(placed(bones, posture), placed(together(cartilages), posture))


def _rib(
    rng: np.random.Generator, stature: Stature, cage: Cage, number: int, side: float
) -> tuple[Strokes, Float[np.ndarray, " 3"]]:
    """A rib from its vertebra to its front end, and that end."""
    height = FIRST_VERTEBRA - PITCH * number
    last = np.deg2rad(FRONTS[number] + rng.normal(0, 1.5))
    angle = np.linspace(np.deg2rad(27), last, 26)
    way = (angle - angle[0]) / (np.deg2rad(150) - angle[0])
    drop = (DROPS[number] + rng.normal(0, 2)) * (0.25 * way + 0.75 * way**1.25)
    swell = 1.0 + 0.25 * way**3
    curve = cage.surface(angle, height + 1 - drop, OUTSIDE + rng.normal(0, 0.4))
    y = float(middle(stature, np.float64(height)))
    head = np.array([[height + 3, y + 8, 17.0], [height + 4, y + 19, 27.0]])
    points = np.vstack([head, curve]) * np.array([1, 1, side])
    radii = HALF_HEIGHT * rng.normal(1, 0.05) * np.concatenate([[0.8, 0.85], swell])
    normals = np.column_stack([np.zeros(len(points)), points[:, 1] - cage.axis(points[:, 0]), points[:, 2]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return ribbon(Course(points, radii), normals, FLATNESS), points[-1]


def _front(cage: Cage, z: Float[np.ndarray, " n"], outside: float) -> Float[np.ndarray, " n"]:
    """The y of the front of the cage in the midline."""
    return cage.surface(np.full(len(z), np.pi), z, outside)[:, 1]


def _cartilage(cage: Cage, tip: Float[np.ndarray, " 3"], number: int, side: float) -> Strokes:
    z = np.array([float(STERNAL_NOTCHES[number])])
    end = np.array([z[0], _front(cage, z, 6.0)[0] + 2, 17 * side])
    middle = (tip + end) / 2 + np.array([-6.0, -3.0, 4 * side])
    table = np.vstack([np.append(tip, 6.0), np.append(middle, 6.4), np.append(end, 6.0)])
    path = smoothed(Course(table[:, :3], table[:, 3]), 4)
    return ribbon(path, np.tile([0.0, 1.0, 0.3 * side], (len(path.radii), 1)), 1.5)


def _sternum(cage: Cage) -> Strokes:
    z = np.array([60.0, 48, 34, 20, 8, 2, -12, -30, -48, -66, -80, -98])
    width = np.array([22.0, 25, 23, 18, 16, 14.5, 16, 17.5, 19, 19, 14, 7])
    points = np.column_stack([z, _front(cage, z, 8.0), np.zeros(len(z))])
    slope = np.gradient(points[:, 1], z)
    normals = np.column_stack([-slope, np.ones(len(z)), np.zeros(len(z))])
    return ribbon(Course(points, width), normals / np.linalg.norm(normals, axis=1, keepdims=True), 3.1)


def _girdle(side: float) -> Strokes:
    """Collar bone, shoulder blade and upper arm of one side, the arm raised."""
    clavicle = course((62, -60, 22, 8), (70, -63, 50, 5.5), (84, -50, 88, 5), (97, -22, 125, 5.5), (104, 0, 152, 6))
    arm = course((86, 16, 170, 22), (92, 14, 174, 21), (120, 6, 184, 13), (230, -25, 232, 11))
    spine = course((46, 100, 76, 4.5), (66, 92, 104, 6), (92, 70, 136, 7), (108, 38, 160, 7))
    border = course((80, 30, 150, 11), (62, 46, 138, 7), (10, 78, 108, 5), (-42, 92, 88, 4.5))
    bones = together([along(smoothed(path, 4)) for path in (clavicle, arm, spine, border)] + [_blade()])
    mirror = np.array([1.0, 1.0, side])
    return replace(bones, starts=bones.starts * mirror, ends=bones.ends * mirror, normals=bones.normals * mirror)


def _blade() -> Strokes:
    """The shoulder blade: a fan of flat strokes from the joint to the inner border."""
    joint = np.array([72.0, 42.0, 138.0])
    inner = np.array(
        [[76.0, 70, 78], [60, 80, 74], [42, 88, 72], [22, 92, 73], [2, 94, 75], [-18, 95, 79], [-38, 93, 86]]
    )
    parts = []
    for end in inner:
        sag = (joint + end) / 2 + np.array([0.0, -5.0, -2.0])
        path = smoothed(Course(np.stack([joint, sag, end]), np.array([8.0, 11, 11.5])), 4)
        normal = np.array([0.1, 0.83, 0.5])
        parts.append(ribbon(path, np.tile(normal / np.linalg.norm(normal), (len(path.radii), 1)), 5.0))
    return together(parts)


def _arch(stature: Stature, number: int) -> Strokes:
    """Pedicles, laminae and processes of a vertebra, counted from T1 = 0."""
    z = FIRST_VERTEBRA - PITCH * number
    y = float(middle(stature, np.float64(z)))
    spinous = course((z - 2, y + 32, 0, 4.5), (z - 12, y + 42, 0, 4), (z - 24, y + 53, 0, 4))
    sides = []
    for side in SIDES:
        pedicle = course((z + 3, y + 10, 12 * side, 5), (z + 2, y + 21, 13 * side, 5))
        lamina = course((z + 2, y + 21, 13 * side, 4.5), (z - 4, y + 32, 0, 4.5))
        process = course(
            (z + 2, y + 22, 13 * side, 5), (z + 3, y + 27, 24 * side, 4.2), (z + 4, y + 30, 32 * side, 4.6)
        )
        facet = course((z + 9, y + 24, 13 * side, 4.2), (z - 11, y + 27, 12 * side, 4.2))
        sides += [along(path) for path in (pedicle, lamina, process, facet)]
    flat = ribbon(spinous, np.tile([0.0, 0.0, 1.0], (3, 1)), 1.4)
    return together([flat, *sides])
