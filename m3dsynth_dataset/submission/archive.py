"""Zip files of a submission: what a member would unpack to is known, and bounded, before it is unpacked."""

import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import BinaryIO

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission.limits import MAX_ARCHIVE_MEMBERS, MAX_FILE_BYTES
from m3dsynth_dataset.submission.prediction import METADATA, PREDICTIONS
from m3dsynth_dataset.submission.source import LIMITS, Source, open_plain

_BLOCK = 1 << 20
_ENDING, _ENDING_64 = b"PK\x05\x06", b"PK\x06\x07"
_ENDING_BYTES, _ENDING_64_BYTES, _COMMENT_BYTES = 22, 20, 1 << 16
_MAX_DIRECTORY_BYTES = MAX_ARCHIVE_MEMBERS * 1024
_RATIO = 1032
"""Nothing that deflate made unpacks to more times its bytes."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, LookupError, RuntimeError, ValueError)
"""All that zipfile raises on zips that are none."""
_LEFT_BY_MACOS = ("__MACOSX", ".DS_Store")


@dataclass(frozen=True)
class Archive(Source):
    """A zip with the two files at its top, or in one folder."""

    path: Path
    members: dict[str, str]
    """Their names in the zip."""

    @classmethod
    def of(cls, path: Path, file: BinaryIO) -> "Archive":
        """The zip at a path.

        Raises:
            SubmissionError: If it holds anything but the two files, or more than they may have.
        """
        with _opened(file) as archive:
            infos = [info for info in archive.infolist() if not _is_left_by_macos(info)]
        for info in infos:
            _check_kind(info)
        found = {PurePosixPath(info.filename).name: info for info in infos if not info.filename.endswith("/")}
        _check_names(infos, found)
        for name, info in found.items():
            _check_size(info, LIMITS[name])
        return cls(path, {name: info.filename for name, info in found.items()})

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """One of the files, unpacked into a file without a name."""
        with open_plain(self.path, MAX_FILE_BYTES) as file, TemporaryFile() as unpacked:
            with _opened(file) as archive:
                _unpack(archive, archive.getinfo(self.members[name]), unpacked, LIMITS[name])
            unpacked.seek(0)
            yield unpacked


def is_archive(file: BinaryIO) -> bool:
    """Whether a file begins as a zip does."""
    file.seek(0)
    return file.read(4) in (b"PK\x03\x04", _ENDING)


@contextmanager
def _opened(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """The zip in a file."""
    try:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            yield archive
    except SubmissionError:
        raise
    except _BROKEN as error:
        raise SubmissionError(f"the zip cannot be read ({error}); zip the folder again") from error


def _check_directory(file: BinaryIO) -> None:
    """Bound the list of members, which zipfile reads whole, by what the file's end says of it."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _ENDING_BYTES - _ENDING_64_BYTES - _COMMENT_BYTES))
    tail = file.read()
    at = tail.rfind(_ENDING)
    if at < 0 or len(tail) - at < _ENDING_BYTES:
        raise SubmissionError("it is cut short")
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    if length > _MAX_DIRECTORY_BYTES or tail[max(0, at - _ENDING_64_BYTES) : at].startswith(_ENDING_64):
        raise SubmissionError(f"it lists more than {MAX_ARCHIVE_MEMBERS} files, or is one of over 4 GiB")


def _is_left_by_macos(info: zipfile.ZipInfo) -> bool:
    return any(part in _LEFT_BY_MACOS for part in PurePosixPath(info.filename).parts)


def _check_kind(info: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise SubmissionError(f"{info.filename!r} in the zip must be a plain file; zip the file, not a link to it")
    if info.flag_bits & 1:
        raise SubmissionError(f"{info.filename!r} in the zip is encrypted; zip it without a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SubmissionError(
            f"{info.filename!r} in the zip must be stored or deflated, got method {info.compress_type}"
        )


def _check_names(infos: Sequence[zipfile.ZipInfo], found: dict[str, zipfile.ZipInfo]) -> None:
    files = [PurePosixPath(info.filename) for info in infos if not info.filename.endswith("/")]
    folders = {file.parent for file in files}
    if len(files) != len(found) or set(found) != set(LIMITS) or len(folders) != 1 or len(files[0].parts) > 2:
        names = ", ".join(repr(info.filename)[:100] for info in infos[:10])
        raise SubmissionError(f"a zip holds {PREDICTIONS} and {METADATA} and nothing else, got {names or 'nothing'}")


def _check_size(info: zipfile.ZipInfo, most: int) -> None:
    if info.file_size > most:
        raise SubmissionError(f"{info.filename!r} must have at most {most} bytes unpacked, got {info.file_size}")
    if info.file_size > max(info.compress_size, 1) * _RATIO:
        raise SubmissionError(f"{info.filename!r} claims to unpack to {info.file_size} bytes, more than it can")


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, unpacked: BinaryIO, most: int) -> None:
    with archive.open(info) as member:
        while block := member.read(_BLOCK):
            most -= len(block)
            if most < 0:
                raise SubmissionError(f"{info.filename!r} unpacks to more than it says")
            unpacked.write(block)
