"""The file that holds a volume's chunks: where it is, and reading pieces of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import google_crc32c

from m3dsynth_dataset.errors import DamagedReleaseError

CHECKSUM = 4
"""Bytes of a crc32c, which stands behind every piece."""


class Piece(NamedTuple):
    """A part of a file."""

    start: int
    """Byte."""
    length: int
    """Bytes, with those of the checksum."""

    @property
    def stop(self) -> int:
        """Byte after the last."""
        return self.start + self.length


@runtime_checkable
class ShardFile(Protocol):
    """An open file, in one process."""

    size: int
    """Bytes."""

    def read(self, pieces: Iterable[Piece]) -> Iterator[tuple[bytes, bytes]]:
        """Pieces of the file, in their order: the bytes, and by themselves those of the checksum behind them."""


@runtime_checkable
class ShardPlace(Protocol):
    """Where a shard is. It can be pickled, and nothing is opened before it is asked for."""

    @property
    def name(self) -> str:
        """What an error calls it."""

    def open(self) -> ShardFile:
        """Open it.

        Raises:
            DamagedReleaseError: If it is not there, or is of another size than it must be.
        """


@dataclass(frozen=True)
class LocalShard:
    """A shard on this machine."""

    path: Path
    size: int | None = None
    """Bytes that it must have, if that is known."""
    remedy: str = ""
    """What to do when it is damaged."""

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def open(self) -> OpenFile:
        """Open it."""
        try:
            file = OpenFile(self.path)
        except OSError as error:
            raise DamagedReleaseError(f"{self.path}: the volume's shard cannot be opened ({error.strerror})") from error
        check_size(self.name, file.size, self.size, self.remedy)
        return file


class OpenFile:
    """A file on this machine. Reading leaves no mark in it, so processes and threads may share it."""

    _close = staticmethod(os.close)  # still known when the interpreter ends

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        self.size = os.fstat(self._file).st_size

    def read(self, pieces: Iterable[Piece]) -> Iterator[tuple[bytes, bytes]]:
        """Pieces of the file. The checksum is read by itself: to cut it off would copy the bytes."""
        for start, length in pieces:
            count = length - CHECKSUM
            yield os.pread(self._file, count, start), os.pread(self._file, CHECKSUM, start + count)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._close(self._file)


def is_sound(data: bytes, checksum: bytes) -> bool:
    """Whether bytes are what the checksum behind them was made of."""
    return bool(google_crc32c.value(data) == int.from_bytes(checksum, "little"))


def check_size(name: str, found: int, expected: int | None, remedy: str = "") -> None:
    """Refuse a shard of another size than the manifest says.

    Raises:
        DamagedReleaseError: If it has.
    """
    if expected is not None and found != expected:
        fault = "it was cut short" if found < expected else "it is another file"
        raise DamagedReleaseError(
            f"{name}: {found} bytes, but the release's manifest says {expected}; {fault}" + (remedy and f"; {remedy}")
        )
