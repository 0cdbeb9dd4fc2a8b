"""What is odd about a series and yet must not matter: a reader gives the voxels all the same."""

from collections.abc import Callable

import numpy as np
from pydicom import uid
from pydicom.pixels.encoders import RLELosslessEncoder

from dicom_zoo import codecs
from dicom_zoo.specimen import Specimen

Trait = Callable[[Specimen], None]


# Numbers


def signed_16(it: Specimen) -> None:
    for each in it.slices:
        each.stored = each.stored - 1024
        each.stored[:4] = -2000  # padding beyond the field of view
        each.intercept = 0.0


def unsigned_12(it: Specimen) -> None:
    it.bits, it.signed = (16, 12), False


def signed_12(it: Specimen) -> None:
    """Negative numbers whose four highest bits are zero."""
    it.bits = (16, 12)
    for each in it.slices:
        each.stored, each.intercept = each.stored - 2048, 0.0
    it.raw = lambda stored: stored % 4096


def overlay_bits(it: Specimen) -> None:
    """Unused bits that are anything but zero."""
    it.bits, it.signed = (16, 12), False
    it.raw = lambda stored: stored | it.rng.integers(0, 16, stored.shape) << 12


def unsigned_8(it: Specimen) -> None:
    it.bits, it.signed = (8, 8), False
    for each in it.slices:
        each.stored, each.slope = each.stored % 256, 8.0


def signed_32(it: Specimen) -> None:
    it.bits = (32, 32)
    for each in it.slices:
        each.stored = each.stored - 1024


PIXELS = {each.__name__: each for each in (signed_16, unsigned_12, signed_12, overlay_bits, unsigned_8, signed_32)}


# Rescaling


def _rescaled(slope: float, intercept: float) -> Trait:
    def trait(it: Specimen) -> None:
        for each in it.slices:
            each.slope, each.intercept = each.slope * slope, each.intercept + intercept

    return trait


def slopes_of_their_own(it: Specimen) -> None:
    for number, each in enumerate(it.slices):
        each.slope, each.intercept = each.slope * (1 + number / 16), each.intercept - 3.25 * number


def numbers_in_exponents(it: Specimen) -> None:
    for each in it.slices:
        each.header |= {"RescaleSlope": f"{each.slope:e}", "RescaleIntercept": f" {each.intercept:.3f} "}


def near_ties(it: Specimen) -> None:
    """Numbers so close to a half that 32 bits round them to it, and then the wrong way."""
    for each in it.slices:
        each.slope, each.intercept = each.slope, each.intercept + 0.50000001


RESCALE = {
    "slope_0.9999": _rescaled(0.9999, 0),
    "slope_negative": _rescaled(-1, 3000),
    "slope_half": _rescaled(-0.5, 2000.5),
    "intercept_of_halves": _rescaled(1, 0.5),
    "slopes_of_their_own": slopes_of_their_own,
    "numbers_in_exponents": numbers_in_exponents,
    "near_ties": near_ties,
}


# Transfer syntaxes


def _rle(it: Specimen) -> None:
    it.syntax = uid.RLELossless

    def stream(cells: np.ndarray) -> list[bytes]:
        (rows, columns), allocated = cells.shape, it.bits[0]
        return [
            RLELosslessEncoder.encode(
                cells.astype(f"<u{allocated // 8}").tobytes(), rows=rows, columns=columns, number_of_frames=1,
                samples_per_pixel=1, bits_allocated=allocated, bits_stored=allocated, pixel_representation=0,
                photometric_interpretation="MONOCHROME2",
            )
        ]  # fmt: skip

    it.stream = stream


def _compressed(syntax: str, encode: Callable[[np.ndarray], bytes], parts: int = 1) -> Trait:
    def trait(it: Specimen) -> None:
        it.syntax, it.stream = syntax, lambda cells: list(codecs.fragments(encode(cells), parts))

    return trait


def _native(syntax: str) -> Trait:
    def trait(it: Specimen) -> None:
        it.syntax = syntax

    return trait


def _lossless(predictor: int) -> Callable[[np.ndarray], bytes]:
    return lambda cells: codecs.lossless_jpeg(cells, predictor)


ANY, WIDE, PLAIN = frozenset(PIXELS), frozenset(PIXELS) - {"unsigned_8", "signed_32"}, frozenset({"unsigned_12"})
SYNTAXES: dict[str, tuple[Trait, frozenset[str]]] = {
    "explicit": (_native(uid.ExplicitVRLittleEndian), ANY),
    "implicit": (_native(uid.ImplicitVRLittleEndian), ANY),
    "deflated": (_native(uid.DeflatedExplicitVRLittleEndian), ANY),
    "big_endian": (_native(uid.ExplicitVRBigEndian), WIDE),
    "rle": (_rle, ANY - {"signed_32"}),
    **{
        f"jpeg_lossless_{predictor}": (_compressed(uid.JPEGLossless, _lossless(predictor)), WIDE)
        for predictor in range(2, 8)
    },
    "jpeg_lossless_sv1": (_compressed(uid.JPEGLosslessSV1, _lossless(1)), WIDE),
    "jpeg_lossless_12": (_compressed(uid.JPEGLosslessSV1, lambda it: codecs.lossless_jpeg(it, 1, 12)), PLAIN),
    "jpeg_lossless_in_fragments": (_compressed(uid.JPEGLosslessSV1, _lossless(1), 4), WIDE),
    "jpeg_ls": (_compressed(uid.JPEGLSLossless, codecs.jpeg_ls_stream), WIDE),
    "jpeg_2000": (_compressed(uid.JPEG2000Lossless, codecs.jpeg_2000), PLAIN),
    "jpeg_2000_any": (_compressed(uid.JPEG2000, codecs.jpeg_2000), PLAIN),
}
"""Those that give back what was put in, and the numbers that they can hold."""


def several_syntaxes(it: Specimen) -> None:
    unsigned_12(it)
    for each, (trait, _) in zip(it.slices, list(SYNTAXES.values()) * 2, strict=False):
        trait(it)
        each.syntax, each.stream = it.syntax, it.stream
    it.syntax, it.stream = uid.ExplicitVRLittleEndian, None


def _lossy(it: Specimen, syntax: str, encode: Callable[[np.ndarray], bytes], decode: Callable) -> None:
    """Its truth is what another decoder gives."""
    unsigned_12(it)
    it.syntax = syntax
    for each in it.slices:
        stream = encode(each.stored)
        each.stream = lambda cells, stream=stream: list(codecs.fragments(stream))
        each.stored = decode(stream)
    assert all(each.stored.min() >= 0 and each.stored.max() < 4096 for each in it.slices)
    it.everywhere(LossyImageCompression="01")


def jpeg_ls_near(it: Specimen) -> None:
    def encode(cells: np.ndarray) -> bytes:
        return codecs.jpeg_ls_stream(cells.clip(8, 4087), near=3)

    _lossy(it, uid.JPEGLSNearLossless, encode, codecs.decoded_jpeg_ls)


def jpeg_2000_lossy(it: Specimen) -> None:
    _smooth(it)
    _lossy(it, uid.JPEG2000, lambda it: codecs.jpeg_2000(it, rate=5), codecs.decoded_jpeg_2000)


def _smooth(it: Specimen) -> None:
    y, x = np.indices(it.slices[0].stored.shape)
    for number, each in enumerate(it.slices):
        each.stored = 1500 + 30 * number + 20 * y + 10 * x + each.stored % 16


def jpeg_12(it: Specimen) -> None:
    unsigned_12(it)
    _blocks(it, 4096)
    _compressed(uid.JPEGExtended12Bit, codecs.cosine_jpeg)(it)


def jpeg_8(it: Specimen) -> None:
    unsigned_8(it)
    _blocks(it, 256)
    _compressed(uid.JPEGBaseline8Bit, lambda cells: codecs.cosine_jpeg(cells, 8))(it)


def _blocks(it: Specimen, values: int) -> None:
    for each in it.slices:
        each.stored = np.kron(it.rng.integers(0, values, (5, 4)), np.ones((8, 8), dtype=np.int64))


def _high_throughput(syntax: str) -> Trait:
    def trait(it: Specimen) -> None:
        unsigned_12(it)
        for number, each in enumerate(it.slices):
            each.stored, each.intercept = codecs.high_throughput_image(), -1024.0 + 10 * number
        _compressed(syntax, lambda cells: codecs.HIGH_THROUGHPUT)(it)

    return trait


def signed_12_turned_over(it: Specimen) -> None:
    """GDCM finds no type for the result."""
    signed_12(it)
    _rescaled(-1, 3000)(it)


def signed_12_raised(it: Specimen) -> None:
    signed_12(it)
    _rescaled(1, 6000)(it)


WITH_PIXELS: dict[str, Trait] = {
    "several_syntaxes": several_syntaxes,
    "jpeg_ls_near": jpeg_ls_near,
    "jpeg_2000_lossy": jpeg_2000_lossy,
    "jpeg_12": jpeg_12,
    "jpeg_8": jpeg_8,
    "htj2k": _high_throughput(uid.HTJ2K),
    "htj2k_lossless": _high_throughput(uid.HTJ2KLossless),
    "htj2k_rpcl": _high_throughput(uid.HTJ2KLosslessRPCL),
    "signed_12_turned_over": signed_12_turned_over,
    "signed_12_raised": signed_12_raised,
}
"""Those that bring their own numbers."""
LOSSY = frozenset({"jpeg_ls_near", "jpeg_2000_lossy", "jpeg_12", "jpeg_8"})
