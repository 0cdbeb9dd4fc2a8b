"""Crops of samples, for the data loader of any framework: numpy in, numpy out, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np
import pyarrow as pa

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import SealedError
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import ALL, SEALED
from m3dsynth_dataset.types import Patch, PatchMask, Triple

if TYPE_CHECKING:
    from m3dsynth_dataset.release import Release

Positions = Literal["edit", "away", "anywhere"]
PLACE_COLUMNS = ["sample_id", "volume", "shape_zyx", "box_start_zyx", "box_shape_zyx"]
OPEN_SAMPLES = 128
"""Each keeps an edit in memory."""
TRIES = 20
"""Places that are drawn in search of one away from an edit, before the nearest to that is taken."""


class Crop(TypedDict):
    """One item."""

    ct: Patch
    """HU, int16; air (-1000) beyond the scan."""
    mask: PatchMask
    """Voxels that came from the inpainter; all False in a pristine crop."""
    tampered: bool
    """Whether any voxel of the mask is set."""
    start_zyx: np.ndarray
    """First voxel of the crop in the scan, int64; may be negative."""
    sample_id: str


@dataclass(frozen=True, eq=False)
class Crops:
    """A map-style data set: ``len`` and ``[index]``, which is all that a loader needs.

    What an index gives depends on the seed, the epoch and the index alone: not on the number of workers, nor on how
    they were started. Workers share the table of places, and open files themselves; edits stay on disk.

    A balanced set has two items per sample: 2 i shows it tampered, 2 i + 1 shows the very same place of the scan as
    it was before. A detector cannot tell them apart by where they are.
    """

    release: Release
    config: str
    split: str
    shape: Triple
    seed: int
    positions: Positions
    balanced: bool
    epoch: int
    _places: pa.Table
    _opened: dict[str, Sample]

    def __len__(self) -> int:
        rows: int = self._places.num_rows
        return 2 * rows if self.balanced else rows

    def __getitem__(self, index: int) -> Crop:
        """A crop.

        Raises:
            IndexError: If there is none of that index; negative ones count from the end.
        """
        return self.item(index, self.epoch)

    def item(self, index: int, epoch: int) -> Crop:
        """The crop that an index gives at another epoch, without another object for it.

        Raises:
            IndexError: If there is none of that index; negative ones count from the end.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of bounds for {len(self)} crops")
        number, before = divmod(int(index) % len(self), 2) if self.balanced else (int(index) % len(self), 0)
        row = self._places.slice(number, 1).to_pylist()[0]
        start = self._start(row, np.random.default_rng([self.seed, epoch, number]))
        sample = self._sample(row["sample_id"])
        mask = np.zeros(self.shape, np.bool_) if before else sample.mask.crop(start, self.shape)
        return {
            "ct": (sample.pristine if before else sample.ct).crop(start, self.shape),
            "mask": mask,
            "tampered": bool(mask.any()),
            "start_zyx": np.array(start),
            "sample_id": row["sample_id"],
        }

    def at_epoch(self, epoch: int) -> Crops:
        """The same samples at other places."""
        return replace(self, epoch=epoch, _opened={})

    def _start(self, row: Mapping[str, Any], rng: np.random.Generator) -> Triple:
        scan = np.array(row["shape_zyx"])
        if self.positions == "anywhere" or row["box_start_zyx"] is None:
            return self._anywhere(scan, rng)
        box = Box(tuple(row["box_start_zyx"]), tuple(row["box_shape_zyx"]))
        return self._around(box, scan, rng) if self.positions == "edit" else self._away(box, scan, rng)

    def _around(self, box: Box, scan: np.ndarray, rng: np.random.Generator) -> Triple:
        """Where the crop holds all of the box, or as much as fits; inside the scan as far as the box lets it."""
        first, last = np.array(box.stop) - self.shape, np.array(box.start)
        low, high = np.minimum(first, last), np.maximum(first, last)
        within_low, within_high = np.maximum(low, 0), np.minimum(high, np.maximum(scan - self.shape, 0))
        fits = within_low <= within_high
        return _drawn(np.where(fits, within_low, low), np.where(fits, within_high, high), rng)

    def _away(self, box: Box, scan: np.ndarray, rng: np.random.Generator) -> Triple:
        """Where the crop holds nothing of the box; of the places drawn, the one with the least of it."""
        starts = [self._anywhere(scan, rng) for _ in range(TRIES)]
        return min(starts, key=lambda start: Box(start, self.shape).intersection(box).size)

    def _anywhere(self, scan: np.ndarray, rng: np.random.Generator) -> Triple:
        room = scan - self.shape
        return _drawn(np.minimum(room // 2, 0), np.maximum(room, room // 2), rng)

    def _sample(self, sample_id: str) -> Sample:
        """Samples are opened once per process, and forgotten before there are too many."""
        if sample_id not in self._opened:
            if len(self._opened) >= OPEN_SAMPLES:
                self._opened.clear()
            self._opened[sample_id] = self.release.sample(sample_id)
        return self._opened[sample_id]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": {}}


def crops(
    release: Release,
    config: str,
    split: str,
    *,
    shape: Triple,
    seed: int,
    positions: Positions = "edit",
    balanced: bool = True,
) -> Crops:
    """See :meth:`Release.crops`."""
    if positions not in ("edit", "away", "anywhere"):
        raise ValueError(f"positions must be edit, away or anywhere, got {positions!r}")
    if len(shape) != 3 or min(shape) < 1:
        raise ValueError(f"shape must be three numbers of voxels (z, y, x), each >= 1, got {shape}")
    if seed < 0:
        raise ValueError(f"seed must be >= 0, got {seed}")
    if config == SEALED or (config == ALL and split in release.splits.get(SEALED, ())):
        raise SealedError(
            f"{release.name}: crops come with their masks, and those of {config!r}, {split!r} are sealed; read "
            "release.sample(sample_id).ct.crop(start, shape)"
        )
    places = release.rows(config, split, PLACE_COLUMNS)
    edited = bool(places["box_start_zyx"].null_count < places.num_rows)
    return Crops(release, config, split, shape, seed, positions, balanced and edited, 0, places, {})


def _drawn(low: np.ndarray, high: np.ndarray, rng: np.random.Generator) -> Triple:
    z, y, x = rng.integers(low, high, endpoint=True).tolist()
    return z, y, x
