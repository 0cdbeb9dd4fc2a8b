"""Reading a volume straight from its shard: no machinery between a box of voxels and the bytes that hold it.

A shard (zarr v3, sharding_indexed) is a file of compressed chunks in any order, and at its end a table of where each
lies. Every chunk and the table carry a checksum, so a damaged file gives an error and never a wrong voxel.
"""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import google_crc32c
import numpy as np
from jaxtyping import UInt64
from numcodecs import blosc

from m3dsynth_dataset.blosc_items import decode_items
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.types import Triple

ABSENT = np.uint64(2**64 - 1)
"""Offset and length of a chunk that is not stored: all of it has the fill value."""
CHECKSUM = 4
"""Bytes of a crc32c."""
BLOSC_HEADER = 16


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


@dataclass(frozen=True)
class Layout:
    """How a volume's bytes are arranged."""

    shape: Triple
    chunk: Triple
    dtype: np.dtype[Any]
    fill: int

    @property
    def grid(self) -> Triple:
        """Chunks along each axis."""
        z, y, x = (-(-length // chunk) for length, chunk in zip(self.shape, self.chunk, strict=True))
        return z, y, x

    @property
    def chunk_bytes(self) -> int:
        """Of a chunk once it is decompressed."""
        return int(np.prod(self.chunk)) * self.dtype.itemsize

    @classmethod
    def of(cls, metadata: Any) -> Layout | None:  # noqa: ANN401 (parsed JSON)
        """The layout that an array's metadata describes; None if it is not the one that this file reads."""
        try:
            (sharding,) = metadata["codecs"]
            inner = sharding["configuration"]
            z, y, x = metadata["shape"]
            layout = cls(
                (z, y, x), tuple(inner["chunk_shape"]), np.dtype(metadata["data_type"]), metadata["fill_value"]
            )
            shard = tuple(count * chunk for count, chunk in zip(layout.grid, layout.chunk, strict=True))
            known = (
                sharding["name"] == "sharding_indexed"
                and [codec["name"] for codec in inner["codecs"]] == ["bytes", "blosc", "crc32c"]
                and inner["codecs"][0].get("configuration", {"endian": "little"}) == {"endian": "little"}
                and [codec["name"] for codec in inner["index_codecs"]] == ["bytes", "crc32c"]
                and inner.get("index_location", "end") == "end"
                and tuple(metadata["chunk_grid"]["configuration"]["chunk_shape"]) == shard
                and metadata["chunk_key_encoding"]["name"] == "default"
                and not metadata.get("storage_transformers")
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        return layout if known else None


class ShardVolume:
    """A volume read from its one shard.

    The file is opened when it is first read from, once per process: it survives fork, and pickles as its path.

    Args:
        path: Folder of the zarr array.
        layout: What its metadata says.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self._handle: Handle | None = None

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
        for (z, z_here, z_there), (y, y_here, y_there), (x, x_here, x_there) in itertools.product(*self._pieces(box)):
            planes = self._planes((z * rows + y) * columns + x, z_there.start, z_there.stop)
            voxels[z_here, y_here, x_here] = planes[:, y_there, x_there]
        return voxels

    def _pieces(self, box: Box) -> list[list[tuple[int, slice, slice]]]:
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

    def _planes(self, place: int, first: int, stop: int) -> np.ndarray:
        """Some planes of a chunk."""
        depth, height, width = self.layout.chunk
        count, plane = stop - first, height * width
        data = self._open().chunk(place)
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
            raise DamagedReleaseError(f"{self.path}: chunk {place} cannot be decompressed ({error})") from error
        return whole[first:stop]

    def _open(self) -> Handle:
        if self._handle is None or self._handle.process != os.getpid():
            self._handle = Handle(self.path / "c" / "0" / "0" / "0", self.layout)
        return self._handle

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "layout": self.layout, "_handle": None}

    def __repr__(self) -> str:
        return f"ShardVolume({str(self.path)!r}, shape={self.shape})"


class Handle:
    """An open shard and its index, in one process.

    Raises:
        DamagedReleaseError: If the file is missing, too short for its index, or the index is not what was written.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.process = os.getpid()
        self._path, self._bytes = path, layout.chunk_bytes
        try:
            self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError as error:
            raise DamagedReleaseError(f"{path}: the volume's shard cannot be opened ({error.strerror})") from error
        self._size = os.fstat(self._file).st_size
        self._index = self._read_index(int(np.prod(layout.grid)))

    def chunk(self, place: int) -> bytes | None:
        """A chunk, still compressed; None if it is not stored."""
        offset, length = self._index[place]
        if offset == ABSENT and length == ABSENT:
            return None
        start, count = int(offset), int(length)
        if count < BLOSC_HEADER + CHECKSUM or start + count > self._size:
            raise DamagedReleaseError(f"{self._path}: chunk {place} lies beyond the end of the file; it was cut short")
        data = self._read(start, count, f"chunk {place}")
        size, stored = int.from_bytes(data[4:8], "little"), int.from_bytes(data[12:16], "little")
        if (size, stored) != (self._bytes, count - CHECKSUM):
            raise DamagedReleaseError(f"{self._path}: chunk {place} holds {size} bytes, not {self._bytes}")
        return data

    def _read_index(self, chunks: int) -> UInt64[np.ndarray, "chunks 2"]:
        length = chunks * 16 + CHECKSUM
        if self._size < length:
            raise DamagedReleaseError(f"{self._path}: {self._size} bytes, shorter than its index; it was cut short")
        data = self._read(self._size - length, length, "the index")
        return np.frombuffer(data, "<u8").reshape(chunks, 2)

    def _read(self, start: int, count: int, what: str) -> bytes:
        """Bytes without the checksum behind them, which is read by itself: to cut it off would copy the bytes."""
        data = os.pread(self._file, count - CHECKSUM, start)
        checksum = os.pread(self._file, CHECKSUM, start + count - CHECKSUM)
        if google_crc32c.value(data) != int.from_bytes(checksum, "little"):
            raise DamagedReleaseError(f"{self._path}: {what} is not what was written (its checksum differs)")
        return data

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)


def open_shard(path: Path) -> ShardVolume | None:
    """A volume whose bytes are arranged as this project writes them; None for any other zarr array.

    Raises:
        DamagedReleaseError: If there is no metadata that can be read.
    """
    try:
        metadata = json.loads((path / "zarr.json").read_bytes())
    except (OSError, ValueError) as error:
        raise DamagedReleaseError(f"{path}: no volume there (zarr.json cannot be read: {error})") from error
    if not isinstance(metadata, dict):
        raise DamagedReleaseError(f"{path}: no volume there (zarr.json must be an object, got {metadata!r})")
    layout = Layout.of(metadata)
    return None if layout is None else ShardVolume(path, layout)
