"""The footer of a Parquet file: what it says of the table, held against the format before anybody believes it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission.limits import (
    MAX_FOOTER_BYTES,
    MAX_FOOTER_VALUES,
    MAX_ROW_GROUPS,
    MAX_ROWS,
    MAX_TABLE_BYTES,
)
from m3dsynth_dataset.submission.parquet.columns import Column, columns_of
from m3dsynth_dataset.submission.parquet.thrift import Reader, Struct

MAGIC = b"PAR1"
_TAIL = 8
_VALUES_OF_A_TRIPLE = 3


@runtime_checkable
class Seekable(Protocol):
    """A file, or what reads like one."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a byte, and say which it is."""
        ...

    def read(self, size: int = -1, /) -> bytes:
        """The bytes that follow."""
        ...


@dataclass(frozen=True)
class Chunk:
    """A column's part of a row group."""

    name: str
    """What errors call it."""
    start: int
    """Of its first page in the file."""
    stop: int
    rows: int
    values: int
    codec: int


def read_footer(file: Seekable) -> list[Chunk]:
    """The chunks of a table, in the order of the file.

    Args:
        file: Of the table.

    Raises:
        SubmissionError: If it is no table of predictions, or claims more than any would hold.
    """
    size = file.seek(0, 2)
    meta, start = _metadata(file, size)
    columns = columns_of(_structs(meta, 2, "schema"))
    if 8 in meta:
        raise SubmissionError("it is encrypted; hand in a plain file")
    groups = _structs(meta, 4, "row groups")
    rows = _integer(meta, 3, "number of rows", MAX_ROWS)
    if len(groups) > MAX_ROW_GROUPS:
        raise SubmissionError(f"it has {len(groups)} row groups, more than {MAX_ROW_GROUPS}; write larger ones")
    if sum(_integer(group, 3, "number of rows of a row group", MAX_ROWS) for group in groups) != rows:
        raise SubmissionError(f"the rows of its row groups are not {rows} in all, as its footer says")
    if not rows:  # then there is nothing to read, and writers differ in what they say of it
        return []
    chunks = [chunk for number, group in enumerate(groups) for chunk in _chunks(group, number, columns)]
    chunks.sort(key=lambda chunk: chunk.start)
    _check_places(chunks, start)
    return chunks


def _metadata(file: Seekable, size: int) -> tuple[Struct, int]:
    """The footer's struct, and where in the file it begins."""
    file.seek(0)
    head = file.read(len(MAGIC))
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    if size < len(MAGIC) + _TAIL or head != MAGIC or tail[4:] != MAGIC:
        raise SubmissionError("it is no Parquet file, or only a part of one; copy or write it again")
    length = int.from_bytes(tail[:4], "little")
    if length > min(MAX_FOOTER_BYTES, size - len(MAGIC) - _TAIL):
        raise SubmissionError(f"its footer of {length} bytes is larger than the file, or than {MAX_FOOTER_BYTES} bytes")
    start = size - _TAIL - length
    file.seek(start)
    reader = Reader(file.read(length), MAX_FOOTER_VALUES)
    return reader.struct(), start


def _chunks(group: Struct, number: int, columns: Sequence[Column]) -> Iterator[Chunk]:
    chunks = _structs(group, 1, "column chunks")
    if len(chunks) != len(columns):
        raise SubmissionError(f"row group {number} has {len(chunks)} column chunks for {len(columns)} columns")
    rows = _integer(group, 3, "number of rows of a row group", MAX_ROWS)
    for column, chunk in zip(columns, chunks, strict=True):
        yield _chunk(chunk, rows, column, f"{column.name} in row group {number}")


def _chunk(chunk: Struct, rows: int, column: Column, name: str) -> Chunk:
    if 1 in chunk:
        raise SubmissionError(f"{name} is said to lie in another file, and no path from a file is followed")
    meta = chunk.get(3)
    if not isinstance(meta, dict) or {8, 9} & chunk.keys():
        raise SubmissionError(f"{name} is encrypted or has no metadata")
    if meta.get(1) != column.physical or meta.get(3) != list(column.path):
        raise SubmissionError(f"{name} is not of the type or the place that the schema gives it")
    values = _integer(meta, 5, f"number of values of {name}", rows * (_VALUES_OF_A_TRIPLE if column.is_triple else 1))
    if values < rows or (values > rows and not column.is_triple):
        raise SubmissionError(f"{name} has {values} values for {rows} rows")
    _integer(meta, 6, f"unpacked size of {name}", MAX_TABLE_BYTES)
    length = _integer(meta, 7, f"size of {name}", MAX_TABLE_BYTES)
    start = _integer(meta, 9, f"offset of {name}", MAX_TABLE_BYTES)
    if meta.get(11):  # the dictionary comes first, if there is one; 0 is some writers' word for none
        start = min(start, _integer(meta, 11, f"offset of {name}", MAX_TABLE_BYTES))
    return Chunk(name, start, start + length, rows, values, _integer(meta, 4, f"codec of {name}", 255))


def _check_places(chunks: Sequence[Chunk], end: int) -> None:
    """Chunks that share bytes would be a way to a table much larger than its file."""
    before = len(MAGIC)
    for chunk in chunks:
        if chunk.start < before or chunk.stop > end:
            raise SubmissionError(f"{chunk.name} lies outside the file's data, or over another column's")
        before = chunk.stop


def _structs(struct: Struct, field: int, name: str) -> list[Struct]:
    value = struct.get(field)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise SubmissionError(f"its footer has no {name}")
    return value


def _integer(struct: Struct, field: int, name: str, most: int) -> int:
    value: Any = struct.get(field)
    if type(value) is not int or not 0 <= value <= most:
        raise SubmissionError(f"the {name} must be 0 to {most}, got {value if type(value) is int else 'none'}")
    return value
