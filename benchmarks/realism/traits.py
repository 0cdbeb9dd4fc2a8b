"""Traits of a cube: the few numbers by which a classifier tells what is inpainted from what is tissue."""

import numpy as np
from jaxtyping import Float64, Int16

from benchmarks.realism.correlation import autocorrelation, residual
from benchmarks.realism.frame import Frame
from benchmarks.realism.spectrum import noise_power

Traits = Float64[np.ndarray, " traits"]

OF_HU = ("mean", "log spread", "skewness", "kurtosis", "5 %", "50 %", "95 %")
OF_NOISE = (
    "log noise", "kurtosis of the noise", "log step z", "log step y", "log step x",
    *(f"correlation {axis} {lag}" for axis in "zyx" for lag in (1, 2)),
    "log power 0.1", "log power 0.25", "log power 0.4", "log power 0.55",
)  # fmt: skip
TRAITS = OF_HU + OF_NOISE
NOISE = slice(len(OF_HU), None)
"""The traits that are taken relative to the surroundings: every scan has its own noise."""
BANDS = (slice(1, 3), slice(3, 6), slice(6, 8), slice(8, 11))
LEAST_HU = 0.3
"""Deviation of the rounding to whole HU: less says nothing."""


def traits(voxels: Int16[np.ndarray, "d h w"], frame: Frame) -> Traits:
    """The traits of the frame's core, in the order of TRAITS; NaN where a cube is too thin for one.

    Args:
        voxels: HU of a window.
        frame: Of the window.
    """
    cube = voxels[frame.core.slices()].astype(np.float64)
    return np.array([*_of_hu(cube), *_of_noise(voxels, frame, cube)])


def _of_hu(cube: Float64[np.ndarray, "z y x"]) -> list[float]:
    values = cube.ravel()
    return [values.mean(), _log(values.std()), *_shape(values), *np.percentile(values, [5, 50, 95])]


def _of_noise(voxels: Int16[np.ndarray, "d h w"], frame: Frame, cube: Float64[np.ndarray, "z y x"]) -> list[float]:
    noise = residual(voxels, frame.core)
    steps = [_log(np.diff(cube, axis=axis).std()) if cube.shape[axis] > 1 else np.nan for axis in range(3)]
    power = noise_power(voxels[frame.slab.slices()], frame.spacing_mm)
    bands = [power[band][~np.isnan(power[band])] for band in BANDS]
    return [
        _log(noise.std()),
        _shape(noise.ravel())[1],
        *steps,
        *autocorrelation(noise)[:, :2].ravel(),
        *(_log(np.sqrt(band.mean())) if len(band) else np.nan for band in bands),
    ]


def _log(deviation: float) -> float:
    return float(np.log(max(deviation, LEAST_HU)))


def _shape(values: Float64[np.ndarray, " values"]) -> tuple[float, float]:
    """Skewness and excess kurtosis; 0 where all values are the same."""
    if (deviation := values.std()) < LEAST_HU:
        return 0.0, 0.0
    normal = (values - values.mean()) / deviation
    return float((normal**3).mean()), float((normal**4).mean() - 3)
