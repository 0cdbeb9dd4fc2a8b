"""Reading a volume straight from its shard: no machinery between a box of voxels and the bytes that hold it.

A shard (zarr v3, sharding_indexed) is a file of compressed chunks in any order, and at its end a table of where each
lies. Every chunk and the table carry a checksum, so a damaged file gives an error and never a wrong voxel.
"""

from __future__ import annotations

import itertools
import os
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt64
from numcodecs import blosc

from m3dsynth_dataset.blosc_items import decode_items
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.layout import METADATA, SHARD, Layout, layout_of
from m3dsynth_dataset.shard_file import CHECKSUM, LocalShard, Piece, ShardPlace, is_sound
from m3dsynth_dataset.types import Triple

ABSENT = 2**64 - 1
"""Offset and length of a chunk that is not stored: all of it has the fill value."""
BLOSC_HEADER = 16
OPEN_SHARDS = 128
"""In a process; the one that was not read for the longest is closed first, and opened again when it is needed."""


@runtime_checkable
class VoxelSource(Protocol):
    """Where voxels come from."""

    @property
    def shape(self) -> Triple:
        """Voxels along z, y, x."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a voxel."""

    def read(self, box: Box) -> np.ndarray:
        """The voxels of a box that lies inside; the array is the caller's own."""


class ShardVolume:
    """A volume read from its one shard.

    The shard is opened when it is first read from, once per process: it survives fork, and pickles as its place.

    Args:
        place: Of the shard.
        layout: What its metadata says.
    """

    def __init__(self, place: ShardPlace, layout: Layout) -> None:
        self.place = place
        self.layout = layout
        self._shard: Shard | None = None

    @property
    def shape(self) -> Triple:
        """Voxels along z, y, x."""
        return self.layout.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a voxel."""
        return self.layout.dtype

    def read(self, box: Box) -> np.ndarray:
        """The voxels of a box that lies inside.

        Raises:
            DamagedReleaseError: If the shard is missing, cut short, or not what was written.
        """
        voxels = np.empty(box.shape, self.dtype)
        if not voxels.size:
            return voxels
        _, rows, columns = self.layout.grid
        parts = list(itertools.product(*self._parts(box)))
        places = [(z * rows + y) * columns + x for (z, _, _), (y, _, _), (x, _, _) in parts]
        chunks = zip(parts, places, self._open().chunks(places), strict=True)
        for ((_, z_here, z_there), (_, y_here, y_there), (_, x_here, x_there)), place, data in chunks:
            planes = self._planes(place, data, z_there.start, z_there.stop)
            voxels[z_here, y_here, x_here] = planes[:, y_there, x_there]
        return voxels

    def encoded_chunk(self, place: int) -> bytes | None:
        """A chunk as it is stored, compressed, without its checksum, which has been looked at; None if it is absent.

        Args:
            place: Its number, counted along x first, then y, then z.

        Raises:
            DamagedReleaseError: If the shard is missing, cut short, or not what was written.
        """
        (data,) = self._open().chunks([place])
        return data

    def close(self) -> None:
        """Close the shard; it is opened again when it is read from."""
        self._shard = None

    def _parts(self, box: Box) -> list[list[tuple[int, slice, slice]]]:
        """Along each axis, the chunks that a box touches: their number, and the voxels in the box and in the chunk."""
        return [
            [
                (
                    number,
                    slice(max(number * chunk - first, 0), min((number + 1) * chunk, stop) - first),
                    slice(max(first - number * chunk, 0), min(stop - number * chunk, chunk)),
                )
                for number in range(first // chunk, -(-stop // chunk))
            ]
            for first, stop, chunk in zip(box.start, box.stop, self.layout.chunk, strict=True)
        ]

    def _planes(self, place: int, data: bytes | None, first: int, stop: int) -> np.ndarray:
        """Some planes of a chunk."""
        depth, height, width = self.layout.chunk
        count, plane = stop - first, height * width
        if data is None:
            return np.full((count, height, width), self.layout.fill, self.dtype)
        # Decompressing part of a chunk pays when at least half of its blocks, of four planes, can be left out.
        if count <= depth // 2:
            planes = decode_items(data, first * plane, count * plane, self.dtype)
            if planes is not None:
                return planes.reshape(count, height, width)
        whole = np.empty(self.layout.chunk, self.dtype)
        try:
            blosc.decompress(data, whole)
        except (RuntimeError, ValueError) as error:
            raise DamagedReleaseError(f"{self.place.name}: chunk {place} cannot be decompressed ({error})") from error
        return whole[first:stop]

    def _open(self) -> Shard:
        shard = self._shard
        if shard is None or shard.process != os.getpid():
            shard = self._shard = Shard(self.place, self.layout)
        _OPENED.read(self)
        return shard

    def __getstate__(self) -> dict[str, Any]:
        return {"place": self.place, "layout": self.layout, "_shard": None}

    def __repr__(self) -> str:
        return f"ShardVolume({self.place.name!r}, shape={self.shape})"


class Shard:
    """An open shard and its index, in one process.

    Raises:
        DamagedReleaseError: If the file is missing, too short for its index, or the index is not what was written.
    """

    def __init__(self, place: ShardPlace, layout: Layout) -> None:
        self.process = os.getpid()
        self._name, self._bytes = place.name, layout.chunk_bytes
        self._file = place.open()
        self._index = self._read_index(int(np.prod(layout.grid)))

    def chunks(self, places: Sequence[int]) -> Iterator[bytes | None]:
        """Chunks, still compressed, in their order; None for one that is not stored."""
        entries = self._index[list(places)].tolist()
        pieces = [self._piece(place, start, length) for place, (start, length) in zip(places, entries, strict=True)]
        stored = self._file.read([piece for piece in pieces if piece is not None])
        for place, piece in zip(places, pieces, strict=True):
            yield None if piece is None else self._chunk(place, *next(stored))

    def _piece(self, place: int, start: int, length: int) -> Piece | None:
        if start == ABSENT and length == ABSENT:
            return None
        if length < BLOSC_HEADER + CHECKSUM or start + length > self._file.size:
            raise DamagedReleaseError(f"{self._name}: chunk {place} lies beyond the end of the file; it was cut short")
        return Piece(start, length)

    def _chunk(self, place: int, data: bytes, checksum: bytes) -> bytes:
        self._check(data, checksum, f"chunk {place}")
        size, stored = int.from_bytes(data[4:8], "little"), int.from_bytes(data[12:16], "little")
        if (size, stored) != (self._bytes, len(data)):
            raise DamagedReleaseError(f"{self._name}: chunk {place} holds {size} bytes, not {self._bytes}")
        return data

    def _read_index(self, chunks: int) -> UInt64[np.ndarray, "chunks 2"]:
        length = chunks * 16 + CHECKSUM
        if self._file.size < length:
            raise DamagedReleaseError(
                f"{self._name}: {self._file.size} bytes, shorter than its index; it was cut short"
            )
        ((data, checksum),) = self._file.read([Piece(self._file.size - length, length)])
        self._check(data, checksum, "the index")
        return np.frombuffer(data, "<u8").reshape(chunks, 2)

    def _check(self, data: bytes, checksum: bytes, what: str) -> None:
        if not is_sound(data, checksum):
            raise DamagedReleaseError(f"{self._name}: {what} is not what was written (its checksum differs)")


class RecentlyRead:
    """The volumes of this process whose shards are open, those that were read last at the end.

    Args:
        most: How many stay open.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._volumes: OrderedDict[int, weakref.ref[ShardVolume]] = OrderedDict()

    def read(self, volume: ShardVolume) -> None:
        """A volume is being read from."""
        self._volumes.pop(id(volume), None)
        self._volumes[id(volume)] = weakref.ref(volume)
        while len(self._volumes) > self._most:
            _, reference = self._volumes.popitem(last=False)
            if (longest := reference()) is not None:
                longest.close()


_OPENED = RecentlyRead(OPEN_SHARDS)


def open_shard(path: Path) -> ShardVolume | None:
    """A volume whose bytes are arranged as this project writes them; None for any other zarr array.

    Raises:
        DamagedReleaseError: If there is no metadata that can be read.
    """
    layout = layout_of(str(path), read_metadata(path))
    return None if layout is None else ShardVolume(LocalShard(path / SHARD), layout)


def read_metadata(path: Path) -> bytes:
    """The content of a volume's ``zarr.json``.

    Raises:
        DamagedReleaseError: If it cannot be read.
    """
    try:
        return (path / METADATA).read_bytes()
    except OSError as error:
        raise DamagedReleaseError(f"{path}: no volume there (zarr.json cannot be read: {error})") from error
