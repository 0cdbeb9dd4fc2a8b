"""Names for the arrays that travel between modules: axes, element type and unit."""

import numpy as np
from jaxtyping import Bool, Float32, Int16, UInt8

Volume = Int16[np.ndarray, "z y x"]
"""A whole scan in HU; slice 0 is the most cranial."""
VolumeMask = Bool[np.ndarray, "z y x"] | UInt8[np.ndarray, "z y x"]
"""Voxels of a whole scan that came from an inpainter."""
Patch = Int16[np.ndarray, "d h w"]
"""A box cut out of a volume, in HU."""
PatchMask = Bool[np.ndarray, "d h w"]
"""Voxels of a box that came from an inpainter."""
PatchWeight = Float32[np.ndarray, "d h w"]
"""How much of an inpainter's voxel goes into a box, 0 to 1."""

Triple = tuple[int, int, int]
"""Voxels along z, y, x."""
