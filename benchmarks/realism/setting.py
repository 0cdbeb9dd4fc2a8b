"""The setting of an edit: the place as it was, and what lies beside it, measured in the edit's frame.

Of the windows beside an edit the one most alike is its *twin*: tissue that nobody has touched, to hold the edit
against. The others are the *surroundings*, and the edit, its place before and the twin are measured relative to them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int16

from benchmarks.realism.collection import Collection, Measures
from benchmarks.realism.embedding import Embedding
from benchmarks.realism.frame import Frame
from benchmarks.realism.seam import Jumps, jumps
from benchmarks.realism.surroundings import surroundings
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.lazy import EditedVolume
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.types import Triple

Window = Int16[np.ndarray, "d h w"]


@dataclass(frozen=True, eq=False)
class Setting:
    """A window on an edit's place before, and windows beside it."""

    patient: str
    window: Box
    frame: Frame
    before: Window
    """HU."""
    twin: tuple[Triple, Window] | None
    """By how many voxels it is shifted, and its HU; None where the scan has no room for two windows beside."""
    around: tuple[Window, ...]
    """The surroundings, HU."""
    measured: tuple[Measures, ...]
    """Of the surroundings."""

    @classmethod
    def of(cls, sample: Sample) -> Setting | None:
        """The setting of a sample with an edit; None if its mask is too thin to measure in."""
        window = window_of(sample)
        z, y, x = sample.geometry.spacing_mm
        frame = Frame.of(sample.mask.read(window), (z, y, x))
        if frame is None:
            return None
        before, others = surroundings(sample.pristine, window, frame.mask)
        twin, rest = (others[0], others[1:]) if len(others) > 1 else (None, others)
        around = tuple(voxels for _, voxels in rest)
        measured = tuple(Measures.of(voxels, frame) for voxels in around)
        return cls(str(sample.row["patient_id"]), window, frame, before, twin, around, measured)

    def fits(self, sample: Sample) -> bool:
        """Whether it is the setting of another sample at the same place, too: the masks are equal."""
        window = window_of(sample)
        return window == self.window and np.array_equal(sample.mask.read(window), self.frame.mask)

    def add_edit(self, collection: Collection, ct: EditedVolume, embedding: Embedding | None) -> None:
        """Take an edit into a collection."""
        self._add(collection, ct.read(self.window), ct, (0, 0, 0), embedding)

    def add_before(self, collection: Collection, pristine: EditedVolume, embedding: Embedding | None) -> None:
        """Take the place as it was into a collection."""
        self._add(collection, self.before, pristine, (0, 0, 0), embedding)

    def add_twin(self, collection: Collection, pristine: EditedVolume, embedding: Embedding | None) -> None:
        """Take the twin, if there is one, into a collection."""
        if self.twin is not None:
            step, voxels = self.twin
            self._add(collection, voxels, pristine, step, embedding)

    def seam(self, ct: EditedVolume) -> tuple[Jumps, Jumps, Jumps]:
        """Jumps across the border of the mask: of an edit, at the same faces before, and in the windows beside."""
        mask = self.frame.mask
        beside = [*self.around, *([self.twin[1]] if self.twin else [])]
        summed = np.sum([np.zeros((3, 2)), *(jumps(voxels, mask) for voxels in beside)], axis=0)
        return jumps(ct.read(self.window), mask), jumps(self.before, mask), summed

    def _add(
        self, collection: Collection, voxels: Window, ct: EditedVolume, step: Triple, embedding: Embedding | None
    ) -> None:
        spacing, mask = self.frame.spacing_mm, self.frame.mask
        collection.add(self.patient, Measures.of(voxels, self.frame), self.measured, voxels[mask], spacing)
        if embedding is not None:
            z, y, x = (
                first + length // 2 + by
                for first, length, by in zip(self.window.start, self.window.shape, step, strict=True)
            )
            collection.features.append(embedding(ct, (z, y, x), spacing))


def window_of(sample: Sample) -> Box:
    """The box of an edit and a voxel on each side, as far as the scan reaches."""
    box = sample.mask.edited
    assert box is not None
    grown = Box.between([first - 1 for first in box.start], [after + 1 for after in box.stop])
    return grown.intersection(Box((0, 0, 0), sample.ct.shape))
