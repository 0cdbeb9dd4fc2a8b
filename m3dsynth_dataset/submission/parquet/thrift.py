"""Thrift's compact protocol, as far as Parquet needs it, read from bytes that may be anything.

Pure Python, so that no length that a file claims reaches an allocator. A struct becomes a dict by field number.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from m3dsynth_dataset.errors import SubmissionError

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_BITS = {_I16: 16, _I32: 32, _I64: 64}
_DEPTH = 12
_CONTAINER = 15
"""In a list's first byte: the number of elements follows."""

Struct = dict[int, Any]


class CutShortError(SubmissionError):
    """The bytes end before the struct does."""


@dataclass
class Reader:
    """Reads structs one after the other."""

    data: bytes
    budget: int
    """Values that may still be read."""
    at: int = 0
    """Of the next byte."""

    def struct(self, depth: int = 0) -> Struct:
        """The struct that begins here.

        Raises:
            CutShortError: If the bytes end in it.
            SubmissionError: If it is none, or holds too much.
        """
        if depth > _DEPTH:
            raise SubmissionError(f"structs are nested deeper than {_DEPTH}")
        found: Struct = {}
        number = 0
        while byte := self._byte():
            number = number + (byte >> 4) if byte >> 4 else self._integer(_I16)
            if number in found:
                raise SubmissionError(f"field {number} of a struct comes twice")
            kind = byte & 15
            found[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:  # noqa: ANN401 (what a file holds)
        self.budget -= 1
        if self.budget < 0:
            raise SubmissionError("it holds more values than any table of this format")
        if kind in _BITS:
            return self._integer(kind)
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in _READ:
            return _READ[kind](self, depth)
        raise SubmissionError(f"type {kind} is none of Thrift's")

    def _list(self, depth: int) -> list[Any]:
        byte = self._byte()
        count = byte >> 4 if byte >> 4 != _CONTAINER else self._varint()
        self._need(count)  # an element takes a byte at least
        return [self._element(byte & 15, depth + 1) for _ in range(count)]

    def _map(self, depth: int) -> list[tuple[Any, Any]]:
        count = self._varint()
        self._need(count)
        kinds = self._byte() if count else 0
        return [(self._element(kinds >> 4, depth + 1), self._element(kinds & 15, depth + 1)) for _ in range(count)]

    def _element(self, kind: int, depth: int) -> Any:  # noqa: ANN401 (what a file holds)
        if depth > _DEPTH:
            raise SubmissionError(f"lists are nested deeper than {_DEPTH}")
        return self._value(_BYTE if kind in (_TRUE, _FALSE) else kind, depth)

    def _double(self, depth: int) -> float:
        value: float = struct.unpack("<d", self._bytes(8))[0]
        return value

    def _integer(self, kind: int) -> int:
        value = self._varint()
        if value >> _BITS[kind]:
            raise SubmissionError(f"an integer has more than {_BITS[kind]} bits")
        return (value >> 1) ^ -(value & 1)

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise SubmissionError("an integer has more than 64 bits")
        return value | byte << shift

    def _byte(self, depth: int = 0) -> int:
        self._need(1)
        self.at += 1
        return self.data[self.at - 1]

    def _bytes(self, count: int) -> bytes:
        self._need(count)
        self.at += count
        return self.data[self.at - count : self.at]

    def _need(self, count: int) -> None:
        if count > len(self.data) - self.at:
            raise CutShortError("it ends too early")


_READ: dict[int, Callable[[Reader, int], Any]] = {
    _BYTE: Reader._byte,
    _DOUBLE: Reader._double,
    _LIST: Reader._list,
    _SET: Reader._list,
    _MAP: Reader._map,
}
