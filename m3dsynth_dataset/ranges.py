"""Reading pieces of a file on the Hub: few journeys, bounded memory."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from m3dsynth_dataset.hub import Snapshot
from m3dsynth_dataset.shard_file import CHECKSUM, Piece, is_sound

GAP = 256 * 1024
"""Bytes between two pieces that are read with them rather than with another request."""
LARGEST = 8 * 1024 * 1024
"""Bytes of a request, unless a single piece is larger."""
AT_ONCE = 16 * 1024 * 1024
"""Bytes of pieces that are fetched together."""
REQUESTS = 4
"""At the same time."""
KEPT = 64 * 1024 * 1024
"""Bytes of pieces that a process keeps in memory, of all files."""


class RangeFile:
    """A file on the Hub, of which pieces are read.

    Args:
        snapshot: The release.
        path: Of the file in it.
        size: Bytes.
    """

    def __init__(self, snapshot: Snapshot, path: str, size: int) -> None:
        self.size = size
        self._snapshot, self._path = snapshot, path

    def read(self, pieces: Iterable[Piece]) -> Iterator[tuple[bytes, bytes]]:
        """Pieces of the file, in their order; those that lie close together come with one request."""
        for batch in _batches(pieces):
            found = self._fetch(batch)
            for piece in batch:
                data = found[piece]
                yield data[:-CHECKSUM], data[-CHECKSUM:]

    def _fetch(self, batch: Sequence[Piece]) -> dict[Piece, bytes]:
        memory = _memory(os.getpid())
        keys = {piece: (self._snapshot, self._path, piece) for piece in batch}
        found = {piece: data for piece in batch if (data := memory.get(keys[piece])) is not None}
        spans = merged(piece for piece in batch if piece not in found)
        for span, data in zip(spans, self._read(spans), strict=True):
            for piece in span.pieces:
                found[piece] = data[piece.start - span.start : piece.stop - span.start]
                if is_sound(found[piece][:-CHECKSUM], found[piece][-CHECKSUM:]):
                    memory.put(keys[piece], found[piece])
        return found

    def _read(self, spans: Sequence[Span]) -> list[bytes]:
        starts, stops = [span.start for span in spans], [span.stop for span in spans]
        if len(spans) < 2:
            return [self._snapshot.read(self._path, span.start, span.stop) for span in spans]
        # Threads that end with the request: none is there to be lost in a fork.
        with ThreadPoolExecutor(REQUESTS) as threads:
            return list(threads.map(self._snapshot.read, repeat(self._path), starts, stops))


class Span(NamedTuple):
    """What one request asks for."""

    start: int
    stop: int
    pieces: list[Piece]


def merged(pieces: Iterable[Piece]) -> list[Span]:
    """The requests that get some pieces, in the order of the file."""
    spans: list[Span] = []
    for piece in sorted(pieces):
        last = spans[-1] if spans else None
        if last and piece.start - last.stop <= GAP and piece.stop - last.start <= LARGEST:
            spans[-1] = Span(last.start, max(last.stop, piece.stop), [*last.pieces, piece])
        else:
            spans.append(Span(piece.start, piece.stop, [piece]))
    return spans


def _batches(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    size = 0
    for piece in pieces:
        if batch and size + piece.length > AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(piece)
        size += piece.length
    if batch:
        yield batch


Key = tuple[Snapshot, str, Piece]


class Memory:
    """The pieces that were read last, up to a number of bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._pieces: OrderedDict[Key, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> bytes | None:
        """A piece, if it is kept."""
        with self._lock:
            if key in self._pieces:
                self._pieces.move_to_end(key)
            return self._pieces.get(key)

    def put(self, key: Key, data: bytes) -> None:
        """Keep a piece; those that were not asked for the longest go."""
        with self._lock:
            self._size += len(data) - len(self._pieces.pop(key, b""))
            self._pieces[key] = data
            while self._size > self._most:
                self._size -= len(self._pieces.popitem(last=False)[1])

    def __len__(self) -> int:
        return self._size


@lru_cache(maxsize=1)
def _memory(process: int) -> Memory:
    """Of this process: one that was forked has its own, and a lock that nobody holds."""
    return Memory(KEPT)
