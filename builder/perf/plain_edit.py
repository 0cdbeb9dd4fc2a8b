"""One edit the plain way, on a whole scan in memory.

These are CT-GAN's steps around its generator (Mirsky et al., USENIX Security 2019, section 5, and the public program),
told again for a comparison of speed: the scan is held in float64; a cube is brought to 1 mm and back by cubic splines;
every paste makes a new scan; a volume of random noise is drawn for each edit, though what is added is noise copied from
elsewhere in the scan; the edit fades out in the plane only.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import zoom

from m3dsynth_dataset.types import Triple

SIDE_MM = 32
AROUND = 1.3
"""Side of what is touched up over the longest side of the cube, in voxels."""
NOISE_AT = (0.5, 0.43, 0.27)
"""Where in the scan the noise is taken from, as shares of its shape."""
NOISE_BELOW_HU = -800
DRAWN = (150, 200, 300)
"""Shape of the noise that is drawn."""
FADES = (-700.0, 70.0)
"""HU at which what is brighter than lung gets half its weight, and over which."""

Array = np.ndarray


@dataclass(frozen=True)
class Levels:
    """An equalisation: the training cubes' cumulative histogram over 10,000 grey values."""

    hu: Float64[np.ndarray, " bins"]
    level: Float64[np.ndarray, " bins"]

    @classmethod
    def straight(cls) -> "Levels":
        """One that changes nothing, in as many steps."""
        return cls(np.linspace(-1024, 3071, 10_000), np.linspace(-0.5, 0.5, 10_000))


def plain_edit(
    scan: Float64[np.ndarray, "z y x"],
    centre: Triple,
    spacing_mm: tuple[float, float, float],
    levels: Levels,
    rng: np.random.Generator,
) -> Float64[np.ndarray, "z y x"]:
    """Cut, equalise, bring back, paste and touch up an injection; what a generator would fill stays as it is.

    Args:
        scan: HU.
        centre: Voxel in the middle; the scan holds all that is cut around it.
        spacing_mm: Of the scan along z, y, x.
        levels: Of the generator.
        rng: Source of the noise.

    Returns:
        A tampered scan, whole.
    """
    native = [round(SIDE_MM / step) for step in spacing_mm]
    cube = _cut(scan, centre, native)
    isotropic = zoom(cube, [SIDE_MM / length for length in native], order=3, mode="nearest")
    filled = np.interp(isotropic, levels.hu, levels.level)
    restored = np.interp(filled, levels.level, levels.hu)
    back = zoom(restored, [length / SIDE_MM for length in native], order=3, mode="nearest")
    tampered = _pasted(scan, back, centre)
    sides = [int(AROUND * max(native))] * 3
    before, after = _cut(scan, centre, sides), _cut(tampered, centre, sides)
    return _pasted(tampered, _touched_up(before, after, _noise_of(scan, cube, sides, rng)), centre)


def _touched_up(before: Array, after: Array, noise: Array) -> Array:
    noisy = after + noise
    across = np.exp(-(np.linspace(-3, 3, len(after)) ** 2) / 2)
    half, width = FADES
    weight = across[:, None] * across / (1 + np.exp(-(after - half) / width))
    return np.asarray(np.maximum(weight * noisy + (1 - weight) * before, before))


def _noise_of(scan: Array, cube: Array, sides: list[int], rng: np.random.Generator) -> Array:
    rng.standard_normal(DRAWN) * cube.std()  # theirs is only used where no noise is copied, but always drawn
    there = [int(share * length) for share, length in zip(NOISE_AT, scan.shape, strict=True)]
    sample = _cut(scan, there, sides)
    quiet = sample < NOISE_BELOW_HU
    sample[~quiet] = sample[quiet].mean()
    return np.asarray(sample - sample.mean())


def _cut(scan: Array, centre: Triple | list[int], sides: list[int]) -> Array:
    return scan[_window(centre, sides)].copy()


def _pasted(scan: Array, cube: Array, centre: Triple) -> Array:
    copy = scan.copy()
    copy[_window(centre, list(cube.shape))] = cube
    return copy


def _window(centre: Triple | list[int], sides: list[int]) -> tuple[slice, ...]:
    starts = [middle - side // 2 for middle, side in zip(centre, sides, strict=True)]
    return tuple(slice(start, start + side) for start, side in zip(starts, sides, strict=True))
