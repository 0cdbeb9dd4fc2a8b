"""The files of a submission, opened only if they are what they seem: no link, no pipe, no device, and not too large."""

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission.limits import MAX_FILE_BYTES, MAX_METADATA_BYTES
from m3dsynth_dataset.submission.prediction import METADATA, PREDICTIONS

LIMITS = {METADATA: MAX_METADATA_BYTES, PREDICTIONS: MAX_FILE_BYTES}


class Source(ABC):
    """The two files of a submission."""

    @abstractmethod
    def opened(self, name: str) -> AbstractContextManager[BinaryIO]:
        """One of them: a real file, at its start, that nobody else reads.

        Raises:
            SubmissionError: If it is not there, is no plain file, or too large.
        """


@dataclass(frozen=True)
class Folder(Source):
    """A folder; whatever else lies in it is not looked at."""

    path: Path

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """One of the files."""
        with open_plain(self.path / name, LIMITS[name]) as file:
            yield file


@contextmanager
def open_plain(path: Path, most: int) -> Iterator[BinaryIO]:
    """A file that is no link and no device, opened without waiting for anything.

    Args:
        path: Which.
        most: Bytes that it may have.

    Raises:
        SubmissionError: If it is anything else.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        kind = path.lstat().st_mode
        if not stat.S_ISREG(kind):
            raise SubmissionError(f"{path}: must be a plain file, got {_named(kind)}; hand in the file itself")
        file = os.fdopen(os.open(path, flags), "rb")
    except OSError as error:
        raise SubmissionError(f"{path}: cannot be read ({error.strerror or error})") from error
    with file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionError(
                f"{path}: must be a plain file, got {_named(status.st_mode)}; hand in the file itself"
            )
        if status.st_size > most:
            raise SubmissionError(f"{path}: must have at most {most} bytes, got {status.st_size}")
        yield file


def _named(mode: int) -> str:
    kinds = {stat.S_ISLNK: "a symbolic link", stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a pipe"}
    return next((name for test, name in kinds.items() if test(mode)), "a device")
