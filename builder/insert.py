"""Insertion: a filled cube back into its scan, as an edit."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int16

from builder.blend import feather, missing_noise
from builder.cube import CORE_MM, CUBE_MM, PADDING_BELOW_HU, Block, Cube, Voxels, box_around, offsets_mm, paste_cube
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.edit import Edit
from m3dsynth_dataset.types import PatchWeight, Triple

MARGIN_MM = 2
"""Cubic interpolation needs this much of a cube beyond what it fills."""


@dataclass(frozen=True, eq=False)
class Insertion:
    """A place in a scan, ready to take what any inpainter makes of it."""

    box: Box
    """The 16 mm core, cut at the scan's edges."""
    centre: Triple
    spacing_mm: tuple[float, float, float]
    pristine: Int16[np.ndarray, "d h w"]
    """HU."""
    kept: Block
    """What of the result does not depend on the inpainter: the scan's share, and noise."""
    weight: PatchWeight
    range_hu: tuple[int, int]

    @classmethod
    def at(
        cls,
        voxels: Voxels,
        centre: Triple,
        spacing_mm: tuple[float, float, float],
        original: Cube,
        range_hu: tuple[int, int],
        rng: np.random.Generator,
    ) -> "Insertion":
        """Look at a place: what stands there, and how strong its noise is.

        Args:
            voxels: The scan in HU.
            centre: Voxel around which the cube was cut.
            spacing_mm: Of the scan along z, y, x.
            original: The cube as it was cut, in HU: shows what resampling does to the noise here.
            range_hu: Of the scan, padding aside; nothing inserted leaves it.
            rng: Source of the noise.

        Raises:
            ValueError: If no voxel of the core lies in the scan.
        """
        z, y, x = voxels.shape
        around = box_around(centre, CUBE_MM - 2 * MARGIN_MM, spacing_mm, (z, y, x))
        box = box_around(centre, CORE_MM, spacing_mm, (z, y, x))
        if not box.size:
            raise ValueError(
                f"the core of a site must reach into the scan of {(z, y, x)} voxels, got its centre {centre}"
            )
        neighbourhood = np.asarray(voxels[around.slices()], dtype=np.int16)
        core = box.relative_to(around).slices()
        noise = missing_noise(
            neighbourhood.astype(np.float32),
            paste_cube(original, around, centre, spacing_mm),
            _is_context(around, centre, spacing_mm) & (neighbourhood >= PADDING_BELOW_HU),
            rng,
        )[core]
        pristine = neighbourhood[core]
        weight = np.where(pristine < PADDING_BELOW_HU, 0, feather(box, centre, spacing_mm))
        # Two independent noises that are averaged grow weaker; this weight keeps the sum as strong as the scan's.
        kept = (1 - weight) * pristine + np.sqrt(1 - (1 - weight) ** 2) * noise
        return cls(box, centre, spacing_mm, pristine, kept, weight, range_hu)

    def edit(self, filled: Cube) -> Edit:
        """Blend the core of a filled cube into the scan.

        No voxel outside the mask changes, and none that lies outside the scanner's field of view is in the mask.

        Args:
            filled: The cube as the inpainter left it, in HU.
        """
        blended = self.kept + self.weight * paste_cube(filled, self.box, self.centre, self.spacing_mm)
        mask = self.weight > 0
        return Edit(
            self.box, np.where(mask, np.clip(np.rint(blended), *self.range_hu).astype(np.int16), self.pristine), mask
        )


def _is_context(around: Box, centre: Triple, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """The voxels of a box that lie outside the core."""
    z, y, x = (np.abs(offset) >= CORE_MM / 2 for offset in offsets_mm(around, centre, spacing_mm))
    return np.asarray(z[:, None, None] | y[:, None] | x)
