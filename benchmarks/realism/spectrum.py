"""Noise power spectrum: how strong fine and coarse structure is in the slices of a box.

As in ``generation/spectrum.py``, but on the scan's own voxels, where slices are thick and pixels are fine: so in plane,
in HU^2 mm^2. Where there is a nodule or a vessel its edge is in the spectrum too; that is why spectra of edits are held
against those of places of the same kind.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float64, Int16, Int64
from scipy import fft

from m3dsynth_dataset.types import Triple

SHELL_PER_MM = 1 / 16
"""Width of a shell, in cycles per mm: what 16 mm, the width of an edit, resolve."""
SHELLS = 13
FREQUENCIES = tuple(shell * SHELL_PER_MM for shell in range(SHELLS))
"""The middle of each shell in cycles per mm: 0, 1/16, ... 3/4."""
FINE = slice(5, None)
"""Shells from 5/16 per mm, structure under 3 mm: noise more than anatomy."""
ROUNDING_HU2 = 1 / 12
"""Variance of the rounding to whole HU: power under that of it says nothing."""

Spectrum = Float64[np.ndarray, " shells"]


def noise_power(slices: Int16[np.ndarray, "d h w"], spacing_mm: tuple[float, float, float]) -> Spectrum:
    """The in-plane power spectrum, averaged over directions and slices.

    With w the two-dimensional Hann window, x a slice less its mean and F the discrete Fourier transform, the power is
    ``|F(w x)|^2 / sum(w^2)`` times the area of a pixel. So its integral over Fourier space is the variance in HU^2, and
    white noise is flat. Taking off the mean takes the first shell, 0, and part of the second.

    Args:
        slices: HU (z, y, x).
        spacing_mm: Along z, y, x.

    Returns:
        In HU^2 mm^2 at each of FREQUENCIES; NaN beyond the Nyquist frequency, and where a small box has none.
    """
    _, height, width = slices.shape
    window = np.outer(_hann(height), _hann(width))
    centred = slices - slices.mean(axis=(1, 2), keepdims=True)
    power = (np.abs(fft.fft2(centred * window)) ** 2).mean(axis=0) * spacing_mm[1] * spacing_mm[2]
    return _over_shells(power / (window**2).sum(), spacing_mm)


def decibels(power: Spectrum, around: Spectrum, spacing_mm: tuple[float, float, float]) -> Spectrum:
    """Power as a ratio to that around it; power under that of rounding is taken as that."""
    least = ROUNDING_HU2 * spacing_mm[1] * spacing_mm[2]
    found: Spectrum = 10 * np.log10(np.maximum(power, least) / np.maximum(around, least))
    return found


@lru_cache
def _hann(length: int) -> Float64[np.ndarray, " {length}"]:
    """The periodic Hann window, shifted by half a voxel so that it is symmetric."""
    return np.asarray(np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2)


def _over_shells(power: Float64[np.ndarray, "h w"], spacing_mm: tuple[float, float, float]) -> Spectrum:
    height, width = power.shape
    shell = _shells((1, height, width), spacing_mm).ravel()
    counts = np.bincount(shell, minlength=SHELLS + 1)[:SHELLS]
    sums = np.bincount(shell, weights=power.ravel(), minlength=SHELLS + 1)[:SHELLS]
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


@lru_cache
def _shells(shape: Triple, spacing_mm: tuple[float, float, float]) -> Int64[np.ndarray, "h w"]:
    """The shell of each place of a transform; SHELLS for what is in none: the corners, and beyond the last."""
    along = [fft.fftfreq(length, step) for length, step in zip(shape[1:], spacing_mm[1:], strict=True)]
    radius = np.hypot(along[0][:, None], along[1])
    shell = (radius / SHELL_PER_MM).round().astype(np.int64)
    nyquist = 0.5 / max(spacing_mm[1:])
    shell[(radius > nyquist + 1e-9) | (shell >= SHELLS)] = SHELLS
    return shell
