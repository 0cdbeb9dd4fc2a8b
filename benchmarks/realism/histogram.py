"""HU as distributions, and how far two are apart."""

import numpy as np
from jaxtyping import Int64, Num

LOWEST_HU, HIGHEST_HU = -1200, 2000
"""What lies beyond is counted at the ends."""
VALUES = HIGHEST_HU - LOWEST_HU + 1

Counts = Int64[np.ndarray, " values"]
"""How often each value occurs, from LOWEST_HU, in steps of 1 HU."""


def counted(voxels: Num[np.ndarray, " voxels"]) -> Counts:
    """Count values, in HU."""
    return np.bincount(np.clip(voxels.astype(np.int64), LOWEST_HU, HIGHEST_HU) - LOWEST_HU, minlength=VALUES)


def wasserstein_hu(ours: Counts, theirs: Counts) -> float:
    """The area between the cumulative histograms: by how many HU, on average, voxels would have to change.

    NaN if there are none on a side.
    """
    if not ours.sum() or not theirs.sum():
        return float("nan")
    return float(np.abs(ours.cumsum() / ours.sum() - theirs.cumsum() / theirs.sum()).sum())
