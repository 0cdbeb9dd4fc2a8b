"""The seam: by how much neighbouring voxels differ where one is in the mask and the other is not."""

import numpy as np
from jaxtyping import Bool, Float64, Int16

Jumps = Float64[np.ndarray, "axes 2"]
"""Along z, y, x: the sum of absolute differences in HU, and how many they are."""


def jumps(voxels: Int16[np.ndarray, "d h w"], mask: Bool[np.ndarray, "d h w"]) -> Jumps:
    """The jumps across the border of a mask.

    Args:
        voxels: HU of a window that reaches a voxel beyond the mask.
        mask: Of the window.
    """
    found = np.zeros((3, 2))
    for axis in range(3):
        crosses = np.diff(mask, axis=axis)
        steps = np.abs(np.diff(voxels.astype(np.int32), axis=axis))[crosses]
        found[axis] = steps.sum(), steps.size
    return found


def mean_jump(found: Jumps) -> float:
    """Over all axes, in HU; NaN for a mask without a border."""
    total, count = found.sum(axis=0)
    return float(total / count) if count else float("nan")
