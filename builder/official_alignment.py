"""How the slices of a published scan answer to those of the pristine one: their order, and the offset of their values.

Published slices hold the values of the DICOM files plus an offset, cut off at 0, and nothing says which offset or which
way up they lie. Both are found by comparing with the pristine scan.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32

from builder.official_images import RefusedSampleError, SliceFolder
from m3dsynth_dataset.types import Volume

PROBES = 5
"""Slices that are compared to find slice order and offset."""
ALIKE = 0.5
"""The least share of equal voxels in them; less, and it is another scan. An edit is a small part of a slice."""
STORED = (0, 65_535)
LOWEST_HU = -32_768
COMPARE = "compare it with the DICOM series; it may be of another scan, or damaged"


@dataclass(frozen=True)
class Alignment:
    """How published slices answer to those of the pristine scan."""

    offset_hu: int
    """What was added to the HU."""
    ascending: bool
    """Whether the published slices run from the feet up."""

    def stored(self, voxels: np.ndarray) -> Int32[np.ndarray, "..."]:
        """What the published form holds for voxels in HU that nobody changed."""
        return np.clip(voxels.astype(np.int32) + self.offset_hu, *STORED)

    def index(self, z: int, count: int) -> int:
        """Where slice ``z`` of the pristine scan stands among ``count`` published ones."""
        return count - 1 - z if self.ascending else z


def align(stack: SliceFolder, voxels: Volume) -> Alignment:
    """Find slice order and offset: those under which most voxels of a few slices are equal.

    Values of 0 may have been cut off, and tell nothing of the offset.

    Raises:
        RefusedSampleError: If the slices are of another scan.
    """
    probes = np.unique(np.linspace(0, len(voxels) - 1, PROBES).round().astype(int)).tolist()
    found = [_align(stack, voxels, probes, ascending) for ascending in (False, True)]
    alignment, share = max(found, key=lambda each: each[1])
    if share < ALIKE:
        raise RefusedSampleError(
            f"another scan: with no offset and in neither order of slices are more than {share:.0%} of the voxels of "
            f"{len(probes)} slices those of the pristine scan",
            COMPARE,
        )
    return alignment


def _align(stack: SliceFolder, voxels: Volume, probes: list[int], ascending: bool) -> tuple[Alignment, float]:
    """The best offset for an order of slices, and the share of voxels that are then equal."""
    trial = Alignment(0, ascending)
    shape = (voxels.shape[1], voxels.shape[2])
    published = np.stack([stack.scan_slice(trial.index(z, len(stack)), shape) for z in probes]).astype(np.int32)
    pristine = voxels[probes].astype(np.int32)
    differences = (published - pristine)[published > STORED[0]]
    if not differences.size:
        return trial, 0.0
    offset = int(np.bincount(differences - LOWEST_HU).argmax()) + LOWEST_HU
    alignment = Alignment(offset, ascending)
    return alignment, float((alignment.stored(pristine) == published).mean())
