"""Volumes that are read when they are indexed, and only where."""

from abc import ABC, abstractmethod
from functools import cached_property
from types import EllipsisType
from typing import Any, ClassVar

import numpy as np

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.edit import Edit, EncodedEdit
from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.schema import AIR_HU
from m3dsynth_dataset.shard import VoxelSource
from m3dsynth_dataset.types import Patch, PatchMask, Triple

Index = int | slice
Selection = Index | EllipsisType | tuple[Index | EllipsisType, ...]


class LazyVolume(ABC):
    """A volume (z, y, x) that is indexed as numpy arrays are, with integers and slices of any step."""

    ndim = 3
    outside: ClassVar[Any]
    """What a crop holds beyond the volume."""

    def __init__(self, shape: Triple, dtype: np.dtype[Any]) -> None:
        self.shape = shape
        self.dtype = dtype

    @abstractmethod
    def read(self, box: Box) -> np.ndarray:
        """The voxels of a box that lies inside the volume."""

    def __getitem__(self, selection: Selection) -> Any:  # noqa: ANN401 - an array, or one voxel, as numpy has it
        """The selected voxels; only the box that encloses them is read.

        Raises:
            IndexError: If an index lies outside the volume, or is neither an integer nor a slice.
        """
        ranges = [_range(index, length) for index, length in zip(_three(selection), self.shape, strict=True)]
        bounds = [_bounds(positions) for positions in ranges]
        voxels = self.read(Box.between([low for low, _, _ in bounds], [high for _, high, _ in bounds]))
        voxels = voxels[tuple(slice(None, None, step) for _, _, step in bounds)]
        return voxels[tuple(0 if isinstance(index, _Integer) else slice(None) for index in _three(selection))]

    def crop(self, start: Triple, shape: Triple) -> np.ndarray:
        """A box that may reach beyond the volume: there, the CT is air (-1000 HU) and the mask is empty.

        Args:
            start: First voxel along z, y, x; may be negative.
            shape: Voxels along z, y, x.

        Raises:
            ValueError: If the shape is negative.
        """
        box = Box(start, shape)
        inside = box.intersection(Box((0, 0, 0), self.shape))
        if inside == box:
            return self.read(box)
        voxels = np.full(shape, self.outside, self.dtype)
        if inside.size:
            voxels[inside.relative_to(box).slices()] = self.read(inside)
        return voxels

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: np.dtype[Any] | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a lazy volume is read from disk, so an array of it is always a copy")
        return np.asarray(self[...], dtype=dtype)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype})"


class EditedVolume(LazyVolume):
    """The CT of a sample in HU: the pristine volume with the sample's edit, if it has one, laid over it."""

    outside = AIR_HU

    def __init__(self, volume: VoxelSource, encoded: EncodedEdit | None) -> None:
        super().__init__(volume.shape, np.dtype(np.int16))
        if encoded is not None and encoded.box not in Box((0, 0, 0), self.shape):
            raise DamagedReleaseError(f"the edit's box {encoded.box} lies outside the volume of {self.shape} voxels")
        self.source = volume
        """The pristine voxels."""
        self._encoded = encoded

    def read(self, box: Box) -> Patch:
        """The voxels of a box in HU."""
        voxels = self.source.read(box).astype(np.int16, copy=False)
        if self._encoded is not None and self._encoded.box.intersection(box).size:
            self._edit.overlay(voxels, box)
        return voxels

    @cached_property
    def _edit(self) -> Edit:
        assert self._encoded is not None
        return self._encoded.decode(self.source.read(self._encoded.box))


class MaskVolume(LazyVolume):
    """Which voxels of a sample came from an inpainter."""

    outside = False

    def __init__(self, shape: Triple, encoded: EncodedEdit | None) -> None:
        super().__init__(shape, np.dtype(np.bool_))
        self._encoded = encoded

    @property
    def edited(self) -> Box | None:
        """Where the edit is, if there is one."""
        return None if self._encoded is None else self._encoded.box

    def read(self, box: Box) -> PatchMask:
        """The mask of a box."""
        mask = np.zeros(box.shape, dtype=bool)
        if self._encoded is not None and (both := self._encoded.box.intersection(box)).size:
            mask[both.relative_to(box).slices()] = self._decoded[both.relative_to(self._encoded.box).slices()]
        return mask

    @cached_property
    def _decoded(self) -> np.ndarray:
        assert self._encoded is not None
        return self._encoded.decode_mask()


_Integer = (int, np.integer)


def _three(selection: object) -> tuple[object, object, object]:
    """A selection with its ellipsis and its missing axes filled up."""
    given = selection if isinstance(selection, tuple) else (selection,)
    if Ellipsis not in given:
        given = (*given, Ellipsis)
    position = given.index(Ellipsis)
    before, after = given[:position], given[position + 1 :]
    missing = 3 - len(before) - len(after)
    if missing < 0 or Ellipsis in after:
        raise IndexError(f"a volume has three axes (z, y, x), got the index {selection!r}")
    filled = [*before, *[slice(None)] * missing, *after]
    return filled[0], filled[1], filled[2]


def _range(index: object, length: int) -> range:
    """The positions that an index means on an axis, in its order."""
    if isinstance(index, slice):
        return range(*index.indices(length))
    if not isinstance(index, _Integer) or isinstance(index, bool | np.bool_):
        raise IndexError(f"a volume is indexed with integers and slices, got {type(index).__name__}; read a box first")
    if not -length <= index < length:
        raise IndexError(f"index {index} is out of bounds for an axis of {length} voxels")
    return range(int(index) % length, int(index) % length + 1)


def _bounds(positions: range) -> tuple[int, int, int]:
    """First position, one after the last, and the step that restores the order within them."""
    if not positions:
        return 0, 0, 1
    if positions.step > 0:
        return positions[0], positions[-1] + 1, positions.step
    return positions[-1], positions[0] + 1, positions.step
