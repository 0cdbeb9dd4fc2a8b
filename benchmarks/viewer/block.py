"""Boxes of voxels as a page carries them.

Chromium lets no script see the pixels of an image that comes from a file, so voxels do not come as pictures: they come
as text in a script, and are exact. Little-endian int16 (low bytes first, then high bytes) or uint8, C order, zlib,
base64. Predicting a voxel from its neighbours saves at most 7 % of CT, whose bytes are mostly noise.
"""

import base64
import zlib
from typing import Any

import numpy as np

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.types import Triple

_LEVEL = 9

Block = dict[str, Any]
"""JSON: ``start`` and ``shape`` along z, y, x; ``type`` int16 or uint8; ``data``."""


def block(start: Triple, voxels: np.ndarray) -> Block:
    """Voxels of a box.

    Args:
        start: First voxel along z, y, x.
        voxels: int16 (HU), uint8 or bool; (z, y, x).
    """
    if voxels.dtype == np.int16:
        planes = np.ascontiguousarray(voxels, dtype="<i2").view(np.uint8).reshape(-1, 2).T
    else:
        planes = voxels.astype(np.uint8)
    return {
        "start": list(start),
        "shape": list(voxels.shape),
        "type": "int16" if voxels.dtype == np.int16 else "uint8",
        "data": base64.b64encode(zlib.compress(planes.tobytes(), _LEVEL)).decode("ascii"),
    }


def part(box: Box, voxels: np.ndarray, wanted: Box) -> Block | None:
    """What lies in another box, if anything does.

    Args:
        box: Of the voxels.
        voxels: See :func:`block`.
        wanted: The other box.
    """
    both = box.intersection(wanted)
    return block(both.start, voxels[both.relative_to(box).slices()]) if both.size else None
