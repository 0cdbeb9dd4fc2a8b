"""Streams and files that are damaged, or not what they are called: a reader must refuse them, and say why."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom import uid

from dicom_zoo import codecs
from dicom_zoo.flaws import flaw
from dicom_zoo.harmless import SYNTAXES, unsigned_12
from dicom_zoo.specimen import Specimen

# Streams


def _streams(it: Specimen, encode: Callable[[np.ndarray], bytes], syntax: str) -> None:
    unsigned_12(it)
    it.syntax, it.stream = syntax, lambda cells: list(codecs.fragments(encode(cells)))


def _label(name: str, encode: Callable[[np.ndarray], bytes], label: str, reason: str) -> None:
    @flaw(reason, name)
    def change(it: Specimen) -> None:
        _streams(it, encode, label)


def _lossless(cells: np.ndarray) -> bytes:
    return codecs.lossless_jpeg(cells, 1)


_CUT, _WRONG = "cannot be decoded", "cannot be decoded|compressed stream is"
_label("jpeg_2000_called_jpeg", codecs.jpeg_2000, uid.JPEGLosslessSV1, _WRONG)
_label("jpeg_2000_called_rle", codecs.jpeg_2000, uid.RLELossless, _WRONG)
_label("jpeg_called_jpeg_2000", _lossless, uid.JPEG2000Lossless, _WRONG)
_label("noise_called_jpeg", lambda cells: cells.astype("<u2").tobytes(), uid.JPEGBaseline8Bit, _WRONG)
_label("video", codecs.jpeg_2000, "1.2.840.10008.1.2.4.100", "transfer syntax 1.2.840.10008.1.2.4.100")
for _name, _encode, _syntax in (
    ("jpeg_2000", codecs.jpeg_2000, uid.JPEG2000Lossless),
    ("jpeg", _lossless, uid.JPEGLosslessSV1),
    ("jpeg_ls", codecs.jpeg_ls_stream, uid.JPEGLSLossless),
):
    _label(f"{_name}_cut", lambda cells, encode=_encode: encode(cells)[: -len(encode(cells)) // 2], _syntax, _CUT)


@flaw("cannot be decoded for certain")
def jpeg_cut_and_ended(it: Specimen) -> None:
    """GDCM fills up the rest, and libjpeg complains on standard error alone."""
    _streams(it, lambda cells: _lossless(cells)[: -len(_lossless(cells)) // 4] + b"\xff\xd9", uid.JPEGLosslessSV1)


@flaw("compressed stream is 40 x 32")
def jpeg_of_another_size(it: Specimen) -> None:
    _streams(it, _lossless, uid.JPEGLosslessSV1)
    it.everywhere(Rows=64)


@flaw("compressed stream is 40 x 32")
def jpeg_2000_of_a_giant(it: Specimen) -> None:
    _streams(it, codecs.jpeg_2000, uid.JPEG2000Lossless)
    it.everywhere(Rows=65535, Columns=65535)


@flaw("transfer syntax 1.2.840.113619.5.2 ")
def private_syntax(it: Specimen) -> None:
    it.after.append(lambda it: _replace(it.middle.path, b"1.2.840.10008.1.2.1\0", b"1.2.840.113619.5.2\0\0"))


@flaw("its pixels are not compressed, but")
def not_compressed_after_all(it: Specimen) -> None:
    it.after.append(lambda it: _replace(it.middle.path, b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))


@flaw("its pixels are compressed, but")
def compressed_after_all(it: Specimen) -> None:
    SYNTAXES["rle"][0](it)
    it.after.append(lambda it: _replace(it.middle.path, b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.1\0"))


def _replace(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


# Files


def _damage(reason: str, name: str, change: Callable[[bytes], bytes], *, last: bool = True) -> None:
    """Of the last slice: without it, the others would pass for a shorter scan."""

    def befall(it: Specimen) -> None:
        path = (it.last if last else it.middle).path
        path.write_bytes(change(path.read_bytes()))

    flaw(reason, name)(lambda it: it.after.append(befall))


_damage("truncated", "cut_by_two_bytes", lambda content: content[:-2])
_damage("truncated", "cut_by_half", lambda content: content[: len(content) - 1400])
_damage("it ends within its header|truncated", "cut_before_its_pixels", lambda content: content[: -40 * 32 * 2 - 12])
_ENDS = "it ends within its header|damaged|may have lost|truncated"
for _bytes in (140, 300, 480, 490, 497, 500, 505, 550, 700):
    _damage(
        "it ends within its header|damaged|may have lost|truncated",
        f"cut_after_{_bytes}",
        lambda it, size=_bytes: it[:size],
    )
_damage("an empty file|may have lost", "empty", lambda content: b"")
_damage("named like a DICOM file, but is none|may have lost", "text", lambda content: b"404 Not Found\n" * 40)
_damage("named like a DICOM file, but is none|may have lost", "zeros", lambda content: b"\0" * len(content))
_damage("without preamble", "no_preamble", lambda content: content[132:])


@flaw("damaged|may have lost")
def deflated_and_cut(it: Specimen) -> None:
    it.syntax = uid.DeflatedExplicitVRLittleEndian
    it.after.append(lambda it: it.last.path.write_bytes(it.last.path.read_bytes()[:-300]))


@flaw("has no end|cannot be decoded")
def compressed_and_cut(it: Specimen) -> None:
    _streams(it, codecs.jpeg_ls_stream, uid.JPEGLSLossless)
    it.after.append(lambda it: it.last.path.write_bytes(it.last.path.read_bytes()[:-300]))


def _link(name: str, target: str, reason: str) -> None:
    def befall(it: Specimen) -> None:
        it.last.path.unlink()
        it.last.path.symlink_to(target or it.last.path.name)

    flaw(f"{reason}|may have lost", name)(lambda it: it.after.append(befall))


_link("broken_link", "gone.dcm", r"cannot be read \(No such file")
_link("link_to_itself", "", r"cannot be read \(Too many levels")
_link("unreadable", "/proc/self/mem", r"cannot be read \(Input/output error")
