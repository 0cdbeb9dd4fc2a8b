"""Fingerprints of slices: the same voxels give the same print, mirrored, turned, in another order, or shifted in HU.

Only the middle of a slice is read, a few chunks of each volume.
"""

import hashlib

import numpy as np

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.shard import VoxelSource

SIDE = 48
"""Voxels of the square in the middle of a slice."""
FEWEST_VALUES = 16
"""A slice with fewer values is padding, or nearly so, and looks like others."""


def slice_prints(source: VoxelSource) -> frozenset[str]:
    """The prints of a volume's slices.

    Args:
        source: The volume.
    """
    depth, height, width = source.shape
    # As far from one edge as from the other: a mirrored slice has the same middle.
    low = [max(0, (length - SIDE) // 2) for length in (height, width)]
    high = [length - first for length, first in zip((height, width), low, strict=True)]
    middle = source.read(Box.between((0, *low), (depth, *high))).astype(np.int32).reshape(depth, -1)
    middle.sort(axis=1)
    middle -= middle[:, :1]
    return frozenset(_print(values) for values in middle if (np.diff(values) > 0).sum() >= FEWEST_VALUES - 1)


def _print(values: np.ndarray) -> str:
    return hashlib.blake2b(values.tobytes(), digest_size=12).hexdigest()
