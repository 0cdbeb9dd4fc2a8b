"""Autocorrelation of the noise: how much a voxel knows of those beside it, along each axis.

Reconstruction gives every scan its own; resampling, and a network's layers, leave another.
"""

import numpy as np
from jaxtyping import Float64, Int16
from scipy import ndimage

from m3dsynth_dataset.box import Box

LAGS = (1, 2, 3)
"""Voxels."""
AXES = ("z", "y", "x")
NEIGHBOURHOOD = (1, 5, 5)
"""Voxels over which the mean is taken off."""

Residual = Float64[np.ndarray, "z y x"]
Correlation = Float64[np.ndarray, "axes lags"]


def residual(voxels: Int16[np.ndarray, "d h w"], core: Box) -> Residual:
    """What a box's voxels differ from the mean of the 5 x 5 around them in their slice: noise, and little anatomy.

    Args:
        voxels: HU of a window.
        core: The box in it; the means may reach beyond it.
    """
    start, stop = core.start, core.stop
    wide = Box.between(
        (start[0], max(start[1] - 2, 0), max(start[2] - 2, 0)),
        (stop[0], min(stop[1] + 2, voxels.shape[1]), min(stop[2] + 2, voxels.shape[2])),
    )
    near = voxels[wide.slices()].astype(np.float64)
    near -= ndimage.uniform_filter(near, NEIGHBOURHOOD)
    return near[core.relative_to(wide).slices()]


def autocorrelation(noise: Residual) -> Correlation:
    """The normalised autocorrelation along z, y, x at each of LAGS.

    White noise has 0 along z and, along y and x, -1/20, -7/120, 1/60: what the 5 x 5 mean that is taken off leaves.

    Args:
        noise: Less its local mean.

    Returns:
        Between about -1 and 1; NaN where a box is too short, and where there is no noise.
    """
    centred = noise - noise.mean()
    variance = (centred**2).mean()
    found = np.full((3, len(LAGS)), np.nan)
    for axis in range(3):
        for place, lag in enumerate(LAGS):
            if variance > 0 and noise.shape[axis] > lag:
                along = np.moveaxis(centred, axis, 0)
                found[axis, place] = (along[lag:] * along[:-lag]).mean() / variance
    return found
