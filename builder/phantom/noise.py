"""Noise of a CT image: its spectrum rises with frequency and falls again where the kernel cuts off.

Filtered back projection leaves noise of the power |f| A(f)^2, A being the kernel's apodisation (Riederer,
Pelc and Chesler, Phys. Med. Biol. 23, 1978). Neighbouring slices share some of it.
"""

import numpy as np
from jaxtyping import Complex64, Float32
from scipy import fft

from builder.phantom.scanner import Scanner

Plane = Float32[np.ndarray, "rows columns"]

FLOOR = 0.06
"""Share of the ramp's top that is left at frequency zero."""
SHARED = 0.35
"""Correlation of slices 1 mm apart."""
OUTSIDE = 0.4
"""Noise in the air beside the body, over that in its middle."""


class Noise:
    """Noise slice after slice, upwards.

    Args:
        rng: Source of the noise.
        scanner: Whose kernel, matrix and dose it has.
    """

    def __init__(self, rng: np.random.Generator, scanner: Scanner) -> None:
        self._rng = rng
        self._shape = (scanner.matrix, scanner.matrix)
        self._transfer = transfer(scanner)
        self._memory = np.float32(SHARED**scanner.spacing)
        self._last = self._fresh()

    def plane(self) -> Plane:
        """The next slice's, of standard deviation 1."""
        fresh = self._fresh()
        fresh *= np.sqrt(1 - self._memory**2)
        fresh += self._memory * self._last
        self._last = fresh
        return fresh

    def _fresh(self) -> Plane:
        """White noise is drawn in the frequency domain, which spares one transform of two."""
        rows, columns = self._shape
        parts = self._rng.standard_normal((rows, columns // 2 + 1, 2), dtype=np.float32)
        spectrum = parts.view(np.complex64)[..., 0]
        spectrum *= self._transfer
        return np.asarray(fft.irfft2(spectrum, s=self._shape))


def transfer(scanner: Scanner) -> Complex64[np.ndarray, "rows half"]:
    """What white noise is multiplied with, so that the image's deviation is 1."""
    along = fft.fftfreq(scanner.matrix, scanner.pixel)
    half = fft.rfftfreq(scanner.matrix, scanner.pixel)
    frequency = np.hypot(along[:, None], half)
    ramp = np.sqrt(FLOOR + frequency / scanner.kernel.cutoff)
    shape = ramp * np.exp(-((frequency / scanner.kernel.cutoff) ** 2))
    # An inner column of the half spectrum adds twice its real part to the image, the first and last add it once.
    weights = np.full(len(half), 4.0)
    weights[[0, -1]] = 1.0
    deviation = np.sqrt((shape**2 * weights).sum()) / scanner.matrix**2
    return np.asarray((shape / deviation).astype(np.complex64))


def strength(scanner: Scanner, width: float, depth: float) -> Plane:
    """Deviation in HU over a slice: most in the middle of a body of these half axes in mm, least outside it."""
    y = ((scanner.rows - scanner.centre[0]) / depth)[:, None]
    x = (scanner.columns - scanner.centre[1]) / width
    falloff = np.exp(-((y**2 + x**2) ** 1.5) * 0.8)
    return (scanner.noise * (OUTSIDE + (1 - OUTSIDE) * falloff)).astype(np.float32)
