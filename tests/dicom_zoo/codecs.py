"""Compressed slices for the zoo, by encoders that share no code with the reader that is tested.

The two JPEG encoders are the least that the standard (ITU-T T.81) allows: one Huffman table whose codes are all of the
same length, and for the discrete cosine transform only blocks of one value, so that nothing is lost.
"""

import base64
import struct
from collections.abc import Iterator
from io import BytesIO

import jpeg_ls
import numpy as np
from PIL import Image

CODE_BITS = 5
"""Of every code: 17 categories of differences, and the end of a block."""
PREDICTORS = {
    1: lambda a, b, c: a,
    2: lambda a, b, c: b,
    3: lambda a, b, c: c,
    4: lambda a, b, c: a + b - c,
    5: lambda a, b, c: a + ((b - c) >> 1),
    6: lambda a, b, c: b + ((a - c) >> 1),
    7: lambda a, b, c: (a + b) >> 1,
}
"""Of a pixel from those to its left, above, and above to the left (T.81, table H.1)."""


def lossless_jpeg(pixels: np.ndarray, predictor: int, bits: int = 16) -> bytes:
    """JPEG process 14.

    Args:
        pixels: (y, x), not negative.
        predictor: 1 to 7.
        bits: Of a pixel.
    """
    values = pixels.astype(np.int64)
    predicted = np.empty_like(values)
    left, above, corner = values[1:, :-1], values[:-1, 1:], values[:-1, :-1]
    predicted[1:, 1:] = PREDICTORS[predictor](left, above, corner)
    predicted[0, 1:], predicted[1:, 0], predicted[0, 0] = values[0, :-1], values[:-1, 0], 1 << (bits - 1)
    differences = (values - predicted + (1 << 15)) % (1 << 16) - (1 << 15)
    scan = _packed("".join(_difference(int(each)) for each in differences.ravel()))
    return _jpeg(0xC3, bits, pixels.shape, [_huffman(0)], bytes([predictor, 0, 0]), scan)


def cosine_jpeg(pixels: np.ndarray, bits: int = 12) -> bytes:
    """JPEG processes 1 (8 bits) and 4 (12 bits) of an image whose blocks of 8 x 8 are of one value each."""
    blocks = pixels[::8, ::8].astype(np.int64)
    assert np.array_equal(pixels, np.kron(blocks, np.ones((8, 8), dtype=np.int64)))
    averages = 8 * (blocks - (1 << (bits - 1))).ravel()
    scan = _packed("".join(_difference(int(each)) + _code(0) for each in np.diff(averages, prepend=0)))
    quantisation = _segment(0xDB, bytes([0] + 64 * [1]))
    tables = [quantisation, _huffman(0), _huffman(0x10)]
    return _jpeg(0xC0 if bits == 8 else 0xC1, bits, pixels.shape, tables, bytes([0, 63, 0]), scan)


def jpeg_2000(pixels: np.ndarray, *, rate: float | None = None) -> bytes:
    """JPEG 2000, lossless, or at a rate of compression."""
    buffer = BytesIO()
    how = {"irreversible": False} if rate is None else {"irreversible": True, "quality_layers": [rate]}
    Image.fromarray(pixels.astype(np.uint16)).save(buffer, "JPEG2000", no_jp2=True, **how)
    return buffer.getvalue()


def decoded_jpeg_2000(stream: bytes) -> np.ndarray:
    """What Pillow makes of it."""
    return np.asarray(Image.open(BytesIO(stream))).astype(np.int64)


def jpeg_ls_stream(pixels: np.ndarray, *, near: int = 0) -> bytes:
    """JPEG-LS, off by at most ``near``."""
    return bytes(jpeg_ls.encode_array(np.ascontiguousarray(pixels.astype(np.uint16)), lossy_error=near))


def decoded_jpeg_ls(stream: bytes) -> np.ndarray:
    """What CharLS makes of it."""
    return np.asarray(jpeg_ls.decode(np.frombuffer(stream, np.uint8))).astype(np.int64)


def high_throughput_image() -> np.ndarray:
    """What :data:`HIGH_THROUGHPUT` shows."""
    y, x = np.indices((40, 32))
    return 900 + 20 * y + 3 * x + 100 * (x > 20)


def _jpeg(frame: int, bits: int, shape: tuple[int, ...], tables: list[bytes], selection: bytes, scan: bytes) -> bytes:
    start = struct.pack(">BHHB", bits, *shape, 1) + bytes([1, 0x11, 0])
    return b"".join(
        [b"\xff\xd8", _segment(frame, start), *tables, _segment(0xDA, bytes([1, 1, 0]) + selection), scan, b"\xff\xd9"]
    )


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _huffman(number: int) -> bytes:
    lengths = [0] * 16
    lengths[CODE_BITS - 1] = 17
    return _segment(0xC4, bytes([number, *lengths, *range(17)]))


def _code(category: int) -> str:
    return f"{category:0{CODE_BITS}b}"


def _difference(value: int) -> str:
    category = abs(value).bit_length()
    if category in (0, 16):  # 32,768 has no bits of its own
        return _code(category)
    return _code(category) + f"{value if value > 0 else value + (1 << category) - 1:0{category}b}"


def _packed(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    return b"".join(_stuffed(int(bits[at : at + 8], 2)) for at in range(0, len(bits), 8))


def _stuffed(byte: int) -> bytes:
    return b"\xff\x00" if byte == 0xFF else bytes([byte])


def fragments(stream: bytes, parts: int = 1) -> Iterator[bytes]:
    """A stream cut into parts of even length."""
    stream += b"\0" * (len(stream) % 2)
    size = max(2, -(-len(stream) // parts // 2) * 2)
    yield from (stream[at : at + size] for at in range(0, len(stream), size))


HIGH_THROUGHPUT = base64.b64decode(
    "/0//UQApQAAAAAAgAAAAKAAAAAAAAAAAAAAAIAAAACgAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wAEyCIkJCQkJCQkJCQkJCQ"
    "iIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAPUAAf+TwAAqALX4kfMFC3QAwAATQAASgJKSAQt0APcAx3QAwAAVkAAEoAYGFBQGKP4D"
    "mMK1ALX+M1MAwAAVsAAFUOwNwN72AAuf8oB76AC0tLS06CEBvrYAwAAXRQAAWkDLAsPMZYFhhlkWGGaYZYFhhlkWGGaYz3kl5JeSXklxGrwAWAzDMAzD"
    "/v7ABCB79hCB7LsAwAAuxgABbwBiEUQxiGIQxSCKQRSDKAZRDKIYRDH88P9gp79T36nv1Pfqe/U9+p79T36nv0XAi3sBpjHGGGOMMcYYY/7/emAAB79g"
    "AB79gAB79gAB7LMB/9k="
)
"""High-throughput JPEG 2000, lossless, by OpenJPH: nothing that a test can install everywhere writes it."""
