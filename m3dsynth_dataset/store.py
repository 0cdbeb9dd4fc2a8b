"""A release as a zarr store: every sample a group with the arrays ``ct`` and ``mask``, for any tool that reads zarr.

Nothing is copied: a chunk is read from the pristine volume, and the edit laid over it, when it is asked for. For
training, :meth:`Release.crops` is several times faster than zarr-python.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pyarrow as pa
from typing_extensions import override
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import CHUNK, LABELS, MANIPULATIONS, SEALED, class_name
from m3dsynth_dataset.store_metadata import ARRAYS, CT, METADATA, Entry, Hierarchy
from m3dsynth_dataset.types import Triple

if TYPE_CHECKING:
    from m3dsynth_dataset.release import Release

OPEN_SAMPLES = 128
"""Each holds a file open."""
COLLECTION_DELAY = 1.0
"""Seconds."""
_OF_A_SCAN = ["shape_zyx", "spacing_mm", "origin_mm", "direction"]
_OF_A_SAMPLE = ["sample_id", "patient_id", "label", "manipulation", "generator"]


class ReleaseStore(Store):
    """A store of all samples of a release, to read from.

    ::

        group = zarr.open_group(release.store(), mode="r")
        group["dm/inj_12/ct"][40:72, 100:196, 100:196]

    The metadata of all groups and arrays is consolidated in the root, and that of each group in the group. A sample's
    attributes say its label, manipulation, generator, patient, split, and where its voxels lie (``spacing_mm`` z, y, x;
    ``origin_mm`` and ``direction`` as DICOM has them).

    Args:
        release: Which.
        read_only: Whether zarr is told. It opens with mode ``a`` when none is named, which it refuses for stores that
            say so; writing to this one is refused either way.
    """

    def __init__(self, release: Release, *, read_only: bool = False) -> None:
        super().__init__(read_only=read_only)
        self.release = release
        self._sample = lru_cache(OPEN_SAMPLES)(release.sample)

    # What zarr asks of a store.

    @override
    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        if key == METADATA:
            _collect_later()
        # Reading and decompressing would hold up whatever else the loop has to do.
        data = await asyncio.to_thread(self._value, key)
        return None if data is None else prototype.buffer.from_bytes(_part(data, byte_range))

    @override
    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    @override
    async def exists(self, key: str) -> bool:
        path, name = _parted(key)
        if name == METADATA:
            return self._hierarchy.has(path)
        place = self._chunk_of(key)
        return place is not None and await asyncio.to_thread(self._has_chunk, *place)

    @override
    async def list(self) -> AsyncIterator[str]:
        async for key in self.list_prefix(""):
            yield key

    @override
    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        for key in self._keys(prefix):
            yield key

    @override
    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        path = prefix.strip("/")
        if path in self._hierarchy.children:
            names = (METADATA, *self._hierarchy.children[path])
        else:
            below = f"{path}/"
            names = tuple(dict.fromkeys(key.removeprefix(below).split("/")[0] for key in self._keys(below)))
        for name in names:
            yield name

    @property
    @override
    def supports_writes(self) -> bool:
        return False

    @property
    @override
    def supports_deletes(self) -> bool:
        return False

    @property
    @override
    def supports_listing(self) -> bool:
        return True

    @property
    @override
    def supports_consolidated_metadata(self) -> bool:
        return True

    @override
    async def set(self, key: str, value: Buffer) -> NoReturn:
        self._refuse(key)

    @override
    async def delete(self, key: str) -> NoReturn:
        self._refuse(key)

    @override
    def with_read_only(self, read_only: bool = False) -> ReleaseStore:
        return ReleaseStore(self.release, read_only=read_only)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReleaseStore) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"ReleaseStore({self.release!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"release": self.release, "read_only": self.read_only}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # no handles, and no rows, travel to a worker

    # What is in it.

    @property
    def _identity(self) -> tuple[str, str]:
        return str(self.release.path), self.release.manifest.digest

    def _refuse(self, key: str) -> NoReturn:
        raise ValueError(f"{self!r} is read-only: {key} cannot be written; build a release instead")

    @cached_property
    def _hierarchy(self) -> Hierarchy:
        entries: dict[str, Entry] = {}
        for config, splits in self.release.splits.items():
            for split in splits:
                entries |= _entries(self.release.rows(config, split, ["scan_id", *_OF_A_SAMPLE, *_OF_A_SCAN]), split)
        manifest = self.release.manifest
        return Hierarchy(entries, {"m3dsynth_digest": manifest.digest, "format_version": manifest.format_version})

    def _value(self, key: str) -> bytes | None:
        path, name = _parted(key)
        if name == METADATA:
            if not path:
                return self._hierarchy.root
            document = self._hierarchy.document(path)
            return None if document is None else document.encode()
        place = self._chunk_of(key)
        return None if place is None else self._chunk(*place)

    def _chunk_of(self, key: str) -> tuple[str, str, Triple] | None:
        """Sample, array and number of the chunk that a key names, if it names one."""
        parts = key.rsplit("/", 5)
        if len(parts) != 6 or parts[2] != "c" or not all(number.isdecimal() for number in parts[3:]):
            return None
        sample_id, array, _, z, y, x = parts
        entry, index = self._hierarchy.entries.get(sample_id), (int(z), int(y), int(x))
        if entry is None or array not in entry.arrays or any(map(int.__ge__, index, _grid(entry.shape))):
            return None
        return sample_id, array, index

    def _chunk(self, sample_id: str, array: str, index: Triple) -> bytes | None:
        sample, box = self._sample(sample_id), _box(index)
        return _ct_chunk(sample, box) if array == CT else _mask_chunk(sample, box)

    def _has_chunk(self, sample_id: str, array: str, index: Triple) -> bool:
        """Whether a chunk is stored: all of the CT, of the mask those that hold any of it. No voxel is read."""
        return array == CT or self._chunk(sample_id, array, index) is not None

    def _keys(self, prefix: str) -> Iterator[str]:
        """All keys that begin with a prefix; nothing of a volume but its index is read."""
        for group in self._hierarchy.children:
            key = f"{group}/{METADATA}" if group else METADATA
            if key.startswith(prefix):
                yield key
        for sample_id, entry in self._hierarchy.entries.items():
            for array in entry.arrays:
                base = f"{sample_id}/{array}/"
                if base.startswith(prefix) or prefix.startswith(base):
                    yield from (key for key in self._array_keys(sample_id, array) if key.startswith(prefix))

    def _array_keys(self, sample_id: str, array: str) -> Iterator[str]:
        yield f"{sample_id}/{array}/{METADATA}"
        grid = _grid(self._hierarchy.entries[sample_id].shape)
        for z, y, x in itertools.product(*map(range, grid)):
            if self._has_chunk(sample_id, array, (z, y, x)):
                yield f"{sample_id}/{array}/c/{z}/{y}/{x}"


def _ct_chunk(sample: Sample, box: Box) -> bytes:
    return np.ascontiguousarray(sample.ct.crop(box.start, box.shape), "<i2").tobytes()


def _mask_chunk(sample: Sample, box: Box) -> bytes | None:
    """None where no voxel is set."""
    edited = sample.mask.edited
    if edited is None or not edited.intersection(box).size:
        return None
    mask = sample.mask.crop(box.start, box.shape)
    return mask.tobytes() if mask.any() else None


def _box(index: Triple) -> Box:
    z, y, x = (number * length for number, length in zip(index, CHUNK, strict=True))
    return Box((z, y, x), CHUNK)


def _grid(shape: Triple) -> Triple:
    z, y, x = (-(-length // chunk) for length, chunk in zip(shape, CHUNK, strict=True))
    return z, y, x


def _entries(rows: pa.Table, split: str) -> Iterator[tuple[str, Entry]]:
    """What the hierarchy says of each row; what its samples have in common is read once for each scan."""
    scan_ids = rows["scan_id"].to_pylist()
    first = {scan_id: number for number, scan_id in reversed(list(enumerate(scan_ids)))}
    scans = dict(zip(first, rows.select(_OF_A_SCAN).take(list(first.values())).to_pylist(), strict=True))
    for scan_id, *values in zip(scan_ids, *(rows[name].to_pylist() for name in _OF_A_SAMPLE), strict=True):
        sample_id, patient, label, manipulation, generator = values
        words = {
            "label": class_name(LABELS, label),
            "manipulation": class_name(MANIPULATIONS, manipulation),
            "generator": generator or SEALED,
        }
        geometry = dict(scans[scan_id])
        z, y, x = geometry.pop("shape_zyx")
        arrays = (CT,) if label is None else ARRAYS
        yield sample_id, Entry((z, y, x), {**words, "patient_id": patient, "split": split, **geometry}, arrays)


def _collect_later() -> None:
    """Put off the garbage collector while the root's metadata is put together, and taken apart by zarr.

    That makes a million small objects of a full release, none of them garbage; to look for some among them again and
    again would take as long as everything else. The loop is busy until all is parsed, and then collection goes on.
    """
    if gc.isenabled():
        gc.disable()
        asyncio.get_running_loop().call_later(COLLECTION_DELAY, gc.enable)


def _parted(key: str) -> tuple[str, str]:
    """The path of a node, and what is asked of it."""
    path, _, name = key.strip("/").rpartition("/")
    return path, name


def _part(data: bytes, wanted: ByteRequest | None) -> bytes:
    match wanted:
        case RangeByteRequest(start, end):
            return data[start:end]
        case OffsetByteRequest(offset):
            return data[offset:]
        case SuffixByteRequest(suffix):
            return data[max(0, len(data) - suffix) :]
    return data
