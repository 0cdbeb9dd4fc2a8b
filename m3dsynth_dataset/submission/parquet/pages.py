"""The pages of a Parquet file: every header is read, and what it promises is bounded, before any page is unpacked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission.limits import MAX_PAGE_BYTES, MAX_PAGES, MAX_TABLE_BYTES
from m3dsynth_dataset.submission.parquet.footer import Chunk, Seekable
from m3dsynth_dataset.submission.parquet.thrift import CutShortError, Reader, Struct

_CODECS = {0: "none", 1: "snappy", 2: "gzip", 6: "zstd", 7: "lz4"}
_ENCODINGS = {0: "PLAIN", 2: "PLAIN_DICTIONARY", 8: "RLE_DICTIONARY"}
"""The others are rare, and some unpack to far more than their bytes."""
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_HEADERS = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
"""The field of a page's header that holds what goes for its type."""
_WINDOWS = (1 << 10, 1 << 16, 1 << 20)
"""Bytes that are read of a header, more only if it goes on."""
_HEADER_VALUES = 100


@dataclass(frozen=True)
class Page:
    """What a page's header says."""

    kind: int
    unpacked: int
    """Bytes, once decompressed."""
    stop: int
    """Where in the file the page ends."""
    values: int
    encoding: int


def check_pages(file: Seekable, chunks: Sequence[Chunk]) -> None:
    """Hold every page's header against the footer and the limits.

    Args:
        file: Of the table.
        chunks: Of its footer.

    Raises:
        SubmissionError: At the first that is not sound.
    """
    pages = unpacked = 0
    for chunk in chunks:
        if chunk.codec not in _CODECS:
            raise SubmissionError(f"{chunk.name} is in codec {chunk.codec}; use {', '.join(_CODECS.values())}")
        values = 0
        for page in _pages(file, chunk):
            values += page.values if page.kind != _DICTIONARY else 0
            pages, unpacked = pages + 1, unpacked + page.unpacked
            if pages > MAX_PAGES or unpacked > MAX_TABLE_BYTES:
                raise SubmissionError(f"its pages are more than {MAX_PAGES}, or {MAX_TABLE_BYTES} bytes when unpacked")
        if values != chunk.values:
            raise SubmissionError(f"the pages of {chunk.name} hold {values} values, and its footer says {chunk.values}")


def _pages(file: Seekable, chunk: Chunk) -> Iterator[Page]:
    at = chunk.start
    while at < chunk.stop:
        page = _page(file, at, chunk)
        if page.kind == _DICTIONARY and at != chunk.start:
            raise SubmissionError(f"{chunk.name} has a dictionary that is not its first page")
        yield page
        at = page.stop


def _page(file: Seekable, at: int, chunk: Chunk) -> Page:
    header, stop = _header(file, at, chunk)
    kind, unpacked, packed = (header.get(field) for field in (1, 2, 3))
    if type(kind) is not int or kind not in _HEADERS:
        raise SubmissionError(f"{chunk.name} has a page that holds no values")
    if type(unpacked) is not int or not 0 <= unpacked <= MAX_PAGE_BYTES:
        raise SubmissionError(
            f"{chunk.name} has a page that unpacks to {unpacked} bytes, more than {MAX_PAGE_BYTES}; write row "
            "groups of 64 rows, as SubmissionWriter does"
        )
    if type(packed) is not int or not 0 <= packed <= chunk.stop - stop:
        raise SubmissionError(f"{chunk.name} has a page that reaches beyond its column")
    if chunk.codec == 0 and packed != unpacked:
        raise SubmissionError(f"{chunk.name} has a page of {packed} bytes that unpacks to {unpacked} without a codec")
    values, encoding = _contents(header.get(_HEADERS[kind]), kind, chunk)
    return Page(kind, unpacked, stop + packed, values, encoding)


def _contents(header: object, kind: int, chunk: Chunk) -> tuple[int, int]:
    """The number of values of a page, and their encoding."""
    if not isinstance(header, dict):
        raise SubmissionError(f"{chunk.name} has a page that does not say what it holds")
    values, encoding = header.get(1), header.get(4 if kind == _DATA_V2 else 2)
    if type(values) is not int or not 0 <= values <= chunk.values:
        raise SubmissionError(f"{chunk.name} has a page of {values} values, and its footer says {chunk.values} in all")
    if type(encoding) is not int or encoding not in _ENCODINGS:
        raise SubmissionError(f"{chunk.name} is in encoding {encoding}; use {' or '.join(_ENCODINGS.values())}")
    return values, encoding


def _header(file: Seekable, at: int, chunk: Chunk) -> tuple[Struct, int]:
    """A page's header, and where in the file it ends."""
    for window in _WINDOWS:
        file.seek(at)
        reader = Reader(file.read(min(window, chunk.stop - at)), _HEADER_VALUES)
        try:
            return reader.struct(), at + reader.at
        except CutShortError:
            continue
    raise SubmissionError(f"{chunk.name} has a page whose header is cut short")
