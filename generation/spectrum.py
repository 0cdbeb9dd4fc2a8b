"""How strong the fine and the coarse structure in the core of a cube is: its radial power spectrum.

Generators leave their traces here: too little noise, or a lattice of the network's own making. In cores that are
plain lung the fine end is the noise; where there is a nodule, its edge outweighs the noise at every frequency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int16, Int64
from scipy import fft

from generation.errors import GenerationError
from generation.mask import core

CORE = (slice(None), *(slice(int(where.min()), int(where.max()) + 1) for where in np.nonzero(core())))
CORE_SIDE = 16
"""Voxels of 1 mm along each side of the core."""
SHELLS = CORE_SIDE // 2 + 1
"""The corners of Fourier space, beyond the last, are in none."""
FREQUENCIES = tuple(shell / CORE_SIDE for shell in range(SHELLS))
"""The middle of each shell in cycles per mm: 0, 1/16, ... 1/2."""
ROUNDING = 1 / 12
"""Power in HU^2 mm^3 of the rounding to whole HU: what is less says nothing."""
BATCH = 256


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Power by spatial frequency."""

    power: Float[np.ndarray, " shells"]
    """In HU^2 mm^3, at each of FREQUENCIES. White noise has its variance in HU^2 at every frequency."""

    def distance_db(self, other: Spectrum) -> float:
        """Root mean square over the shells, but for the first, of the ratio of powers in decibels; 0 when equal.

        A power under that of rounding is taken as that, so a flat core has a distance too.
        """
        ours, theirs = (np.maximum(one.power[1:], ROUNDING) for one in (self, other))
        return float(np.sqrt(np.mean((10 * np.log10(ours / theirs)) ** 2)))


def radial_spectrum(cubes: Int16[np.ndarray, "n 32 32 32"]) -> Spectrum:
    """The power spectrum of the 16 mm core, averaged over directions and cubes.

    With w the three-dimensional Hann window, x a core less its mean and F the discrete Fourier transform, the
    power is |F(w x)|^2 / sum(w^2), times the volume of a voxel, 1 mm^3. So its mean over all of Fourier space is the
    variance of the core as the window weighs it. A shell holds the frequencies within 1/32 per mm of its middle.
    The window spreads a frequency over two shells on both sides. Taking off the mean takes part of the first shell,
    0, so that one is of no use, and a few per cent of the second.

    Args:
        cubes: HU on voxels of 1 mm, axes (z, y, x).

    Raises:
        GenerationError: If there is not one cube.
    """
    if not len(cubes):
        raise GenerationError("a spectrum needs at least one cube, got 0")
    window = _window()
    total = np.zeros(window.shape)
    for start in range(0, len(cubes), BATCH):
        cores = cubes[start : start + BATCH][CORE].astype(np.float64)
        cores -= cores.mean(axis=(1, 2, 3), keepdims=True)
        total += (np.abs(fft.fftn(cores * window, axes=(1, 2, 3))) ** 2).sum(axis=0)
    return Spectrum(_over_shells(total / (window**2).sum() / len(cubes)))


def _window() -> Float[np.ndarray, "16 16 16"]:
    """The periodic Hann window, shifted by half a voxel so that it is symmetric."""
    hann = np.sin(np.pi * (np.arange(CORE_SIDE) + 0.5) / CORE_SIDE) ** 2
    return np.asarray(hann[:, None, None] * hann[:, None] * hann)


def _over_shells(power: Float[np.ndarray, "16 16 16"]) -> Float[np.ndarray, " shells"]:
    shell = _shell().ravel()
    sums = np.bincount(shell, weights=power.ravel())[:SHELLS]
    return np.asarray(sums / np.bincount(shell)[:SHELLS])


def _shell() -> Int64[np.ndarray, "16 16 16"]:
    """The shell of each place of a discrete Fourier transform."""
    along = fft.fftfreq(CORE_SIDE, 1 / CORE_SIDE) ** 2
    return np.asarray(np.sqrt(along[:, None, None] + along[:, None] + along).round(), dtype=np.int64)
