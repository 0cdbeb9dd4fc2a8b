"""The part of a cube that an inpainter does not see."""

import numpy as np
from jaxtyping import Bool

from generation.errors import GenerationError

SIDE = 32
"""Voxels of 1 mm along each side of a cube."""


def core(size_mm: int = 16) -> Bool[np.ndarray, "32 32 32"]:
    """The central cube of a 32 mm cube: [8, 24) on each axis for the 16 mm of M3Dsynth.

    Args:
        size_mm: Even, 2 to 32. CT-GAN's code hides 20.

    Raises:
        GenerationError: If the size leaves no ring of equal width on all sides.
    """
    if size_mm not in range(2, SIDE + 1, 2):
        raise GenerationError(f"size_mm must be even and 2 to {SIDE}, got {size_mm}; M3Dsynth hides 16")
    margin = (SIDE - size_mm) // 2
    mask = np.zeros((SIDE, SIDE, SIDE), dtype=np.bool_)
    mask[(slice(margin, SIDE - margin),) * 3] = True
    return mask
