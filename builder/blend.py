"""Blending: how an inpainter's voxels fade into the scan, and the noise that resampling took from them."""

import numpy as np
import scipy.fft
from jaxtyping import Bool, Complex64, Float32
from scipy.ndimage import gaussian_filter

from builder.cube import CORE_MM, Block, offsets_mm
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.types import PatchWeight, Triple

FEATHER_MM = 3.0
"""Over which the weight rises from 0 at the core's faces to 1."""
FINE_VOXELS = 1.5
"""Standard deviation of the blur that separates noise from anatomy."""
OUTLIER = 3.0
"""Robust standard deviations from which a fine detail is an edge of anatomy and not noise."""
MAD_TO_SIGMA = 1.4826


def feather(box: Box, centre: Triple, spacing_mm: tuple[float, float, float]) -> PatchWeight:
    """The weight of the inpainter's voxels in a box: 1 inside, fading out on all six faces of the core.

    All of the fading lies within the 16 mm core, so whatever gets a weight came from the inpainter, and what lies
    around the core stays as the scanner made it.
    """
    z, y, x = (_ramp(np.abs(offset)) for offset in offsets_mm(box, centre, spacing_mm))
    return np.asarray(z[:, None, None] * y[:, None] * x, dtype=np.float32)


def _ramp(distance_mm: np.ndarray) -> np.ndarray:
    """Smooth step from 0 at the face to 1 at the feather's depth."""
    t = np.clip((CORE_MM / 2 - distance_mm) / FEATHER_MM, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def missing_noise(
    pristine: Block, resampled: Block, where: Bool[np.ndarray, "d h w"], rng: np.random.Generator
) -> Block:
    """Noise like that of a neighbourhood which its way through the 1 mm grid took away.

    The power spectra of the pristine and of the resampled neighbourhood are compared; what the second lacks is
    the spectrum of the noise, so both its strength and its texture are the scanner's.

    Args:
        pristine: The neighbourhood in HU.
        resampled: The same after it was cut to a cube and pasted back.
        where: Voxels that may be compared: around the core, inside the field of view.
        rng: Source of the noise.

    Returns:
        Noise in HU with mean 0, for the whole neighbourhood.
    """
    fine, coarse = pristine - _blurred(pristine), resampled - _blurred(resampled)
    where = where & _is_noise(fine, where)
    if not where.any():
        return np.zeros_like(pristine)
    shape = [scipy.fft.next_fast_len(length, real=True) for length in pristine.shape]
    lost = _power(fine * where, shape) - _power(coarse * where, shape)
    filter_ = np.sqrt(np.maximum(lost, 0) / where.sum())
    white = scipy.fft.rfftn(rng.standard_normal(shape, dtype=np.float32))
    noise = scipy.fft.irfftn(white * filter_, s=shape)
    depth, height, width = pristine.shape
    return np.asarray(noise[:depth, :height, :width], dtype=np.float32)


def _is_noise(fine: Block, where: Bool[np.ndarray, "d h w"]) -> Bool[np.ndarray, "d h w"]:
    """Where fine detail is no stronger than noise, so that ribs and vessels do not pass for it."""
    if not where.any():
        return where
    return np.asarray(np.abs(fine) <= OUTLIER * MAD_TO_SIGMA * np.median(np.abs(fine[where])))


def _blurred(block: Block) -> Block:
    return np.asarray(gaussian_filter(block, FINE_VOXELS, truncate=2.5, mode="nearest"))


def _power(block: Float32[np.ndarray, "d h w"], shape: list[int]) -> Float32[np.ndarray, "a b c"]:
    spectrum: Complex64[np.ndarray, "a b c"] = scipy.fft.rfftn(block, s=shape)
    return np.asarray(spectrum.real**2 + spectrum.imag**2)
