"""The pixel data element of a file: whether it holds just what the header says, before anything is decoded.

GDCM fills up what a cut file lacks, reads compressed bytes as grey values where the transfer syntax says so, and
follows a compressed stream where its size is not the header's, all without a word.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom import uid

from builder.errors import SeriesError

LOSSY = frozenset({uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLSNearLossless})
"""Transfer syntaxes that always lose something; JPEG2000 and HTJ2K may."""
READ = LOSSY | {
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.RLELossless,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.JPEG2000Lossless,
    uid.JPEG2000,
    uid.HTJ2KLossless,
    uid.HTJ2KLosslessRPCL,
    uid.HTJ2K,
}
"""Those of which tests show that GDCM reads them to the voxel."""
UNDEFINED = 0xFFFFFFFF
LONG_VR = (b"OB", b"OW", b"UN", b"OF", b"OD", b"OL", b"OV")
HEAD = 65_536
"""Of a compressed stream: its size stands in there."""
RLE_GAIN = 64
"""Two bytes of RLE say 128 at most."""
FETCH, CONVERT = "fetch the file again", "convert the series with a DICOM toolkit"


def check_pixels(path: Path, dataset: pydicom.Dataset, file: BinaryIO) -> None:
    """See that a file holds the pixels that its header claims.

    Args:
        path: The file.
        dataset: Its header.
        file: Open where the header ends.

    Raises:
        SeriesError: If it does not.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax not in READ:
        raise SeriesError(path, f"its transfer syntax {syntax} ({syntax.name}) is not read here", CONVERT)
    _check_bits(path, dataset, syntax)
    if syntax.is_deflated:
        _check_deflated(path, dataset)
        return
    rest = path.stat().st_size - file.tell()
    length, size = _element(path, file, syntax)
    if (length == UNDEFINED) != syntax.is_encapsulated:
        state = "compressed" if length == UNDEFINED else "not compressed"
        raise SeriesError(path, f"its pixels are {state}, but its transfer syntax is {syntax.name}", CONVERT)
    if length == UNDEFINED:
        _check_stream(path, dataset, file, syntax)
    else:
        _check_length(path, dataset, min(length, rest - size), length)


def _check_bits(path: Path, dataset: pydicom.Dataset, syntax: uid.UID) -> None:
    allocated, stored, high = (int(dataset[name].value) for name in ("BitsAllocated", "BitsStored", "HighBit"))
    # GDCM takes the lowest bits whatever HighBit says; and of big endian numbers, 8 and 32 bits wide, it swaps words.
    widths = (8, 16) if syntax.is_encapsulated else (8, 16, 32) if syntax.is_little_endian else (16,)
    ok = allocated in widths and 0 < stored <= allocated and high == stored - 1
    if not ok or int(dataset.PixelRepresentation) not in (0, 1):
        where = "" if syntax.is_little_endian else " in big endian"
        reason = f"its pixels are {stored} of {allocated} bits, the highest bit {high}{where}: not read here"
        raise SeriesError(path, reason, CONVERT)
    if min(int(dataset.Rows), int(dataset.Columns)) < 1:
        raise SeriesError(path, f"it has {dataset.Rows} rows and {dataset.Columns} columns", FETCH)


def _element(path: Path, file: BinaryIO, syntax: uid.UID) -> tuple[int, int]:
    """What the element gives as its length, and how many bytes it takes to say so."""
    order = "<" if syntax.is_little_endian else ">"
    start = file.read(8)
    if len(start) < 8 or struct.unpack(order + "HH", start[:4]) != (0x7FE0, 0x0010):
        raise SeriesError(path, "it has no pixels", FETCH)
    if syntax.is_implicit_VR:
        return struct.unpack("<I", start[4:])[0], 8
    if start[4:6] not in LONG_VR:
        raise SeriesError(path, f"its pixels have the value representation {start[4:6]!r}", CONVERT)
    (length,) = struct.unpack(order + "I", file.read(4))
    return length, 12


def _needed(dataset: pydicom.Dataset) -> int:
    return int(dataset.Rows) * int(dataset.Columns) * int(dataset.BitsAllocated) // 8


def _check_length(path: Path, dataset: pydicom.Dataset, there: int, claimed: int) -> None:
    needed = _needed(dataset)
    if there < needed:
        raise SeriesError(path, f"truncated: {there:,} bytes after the header, {needed:,} needed", FETCH)
    if claimed > needed + needed % 2:
        size = f"{dataset.Rows} x {dataset.Columns}"
        raise SeriesError(path, f"its pixels are {claimed:,} bytes, but {size} of them take {needed:,}", FETCH)


def _check_deflated(path: Path, dataset: pydicom.Dataset) -> None:
    whole = pydicom.dcmread(path, specific_tags=["PixelData"])
    if "PixelData" not in whole:
        raise SeriesError(path, "it has no pixels", FETCH)
    length = len(whole.PixelData)
    _check_length(path, dataset, length, length)


def _check_stream(path: Path, dataset: pydicom.Dataset, file: BinaryIO, syntax: uid.UID) -> None:
    head, length = _fragments(path, file)
    if syntax == uid.RLELossless:
        fits = _needed(dataset) <= RLE_GAIN * length
        size = "too few bytes for that"
    else:
        found = _size_of(head)
        fits = found == (int(dataset.Rows), int(dataset.Columns))
        size = "damaged" if found is None else f"{found[0]} x {found[1]}"
    if not fits:
        reason = f"its header says {dataset.Rows} x {dataset.Columns} pixels, but its compressed stream is {size}"
        raise SeriesError(path, reason, FETCH)


def _fragments(path: Path, file: BinaryIO) -> tuple[bytes, int]:
    """The first bytes of an encapsulated stream, and how long it is."""
    head, length = b"", 0
    _, size = _item(path, file)  # the table of offsets
    file.seek(size, os.SEEK_CUR)
    while True:
        is_last, size = _item(path, file)
        if is_last:
            return head, length
        start = file.tell()
        head += file.read(min(size, max(0, HEAD - len(head))))
        length += size
        file.seek(start + size)


def _item(path: Path, file: BinaryIO) -> tuple[bool, int]:
    item = file.read(8)
    if len(item) < 8:
        raise SeriesError(path, "truncated: its compressed stream has no end", FETCH)
    group, element, size = struct.unpack("<HHI", item)
    if (group, element) not in ((0xFFFE, 0xE000), (0xFFFE, 0xE0DD)) or size == UNDEFINED:
        raise SeriesError(path, "the fragments of its compressed stream are damaged", FETCH)
    return element == 0xE0DD, size


def _size_of(stream: bytes) -> tuple[int, int] | None:
    """Rows and columns of a stream of JPEG, JPEG-LS or JPEG 2000, if it begins like one."""
    start = stream.find(b"\xff\x4f\xff\x51")
    if start >= 0 and not stream.startswith(b"\xff\xd8"):
        return _size_of_jpeg_2000(stream[start + 4 : start + 40])
    at = 2
    while stream.startswith(b"\xff\xd8") and at + 9 <= len(stream) and stream[at] == 0xFF:
        marker, length = stream[at + 1], struct.unpack(">H", stream[at + 2 : at + 4])[0]
        if (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)) or marker == 0xF7:
            rows, columns = struct.unpack(">HH", stream[at + 5 : at + 9])
            return rows, columns
        at += 1 if marker == 0xFF else 2 + length
    return None


def _size_of_jpeg_2000(segment: bytes) -> tuple[int, int] | None:
    if len(segment) < 20:
        return None
    right, bottom, left, top = struct.unpack(">IIII", segment[4:20])
    return bottom - top, right - left
