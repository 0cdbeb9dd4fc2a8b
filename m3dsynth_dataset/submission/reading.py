"""Submissions as they were handed in, by people who are not known: read without trusting a byte of them.

What a file claims (sizes, counts, columns, where its pages lie) is read by plain Python and held against limits first;
then another process, which has little memory and time, unpacks the table; what comes of it is looked at row by row.
Nothing is unpickled or executed, no path in a file is followed, and no map is unpacked before its size is known.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR
from typing import Any, BinaryIO

from m3dsynth_dataset.errors import SubmissionError, SubmissionNotFoundError
from m3dsynth_dataset.submission.archive import Archive, is_archive
from m3dsynth_dataset.submission.limits import MAX_FILE_BYTES
from m3dsynth_dataset.submission.metadata import metadata_problems, parse_metadata
from m3dsynth_dataset.submission.parquet.footer import read_footer
from m3dsynth_dataset.submission.parquet.pages import check_pages
from m3dsynth_dataset.submission.parquet.rows import unpack
from m3dsynth_dataset.submission.prediction import METADATA, PREDICTIONS, Prediction
from m3dsynth_dataset.submission.row import Row, undecodable
from m3dsynth_dataset.submission.source import Folder, Source, open_plain
from m3dsynth_dataset.types import Triple


@dataclass(frozen=True)
class Submission:
    """What was handed in: its metadata, and its rows as they are asked for."""

    path: Path
    metadata: dict[str, Any]
    """Of ``metadata.json``; it fits the JSON Schema, and may hold more."""
    digest: str
    """sha256 of ``predictions.parquet``."""
    source: Source = field(repr=False, compare=False)

    def rows(self) -> Iterator[Row]:
        """The rows as they were handed in, none of them looked at yet, maps still packed.

        Raises:
            SubmissionError: If the file cannot be read, or has changed since.
        """
        with named(self.path), self.source.opened(PREDICTIONS) as file:
            has_rows = check_table(file)
            if digest_of(file) != self.digest:
                raise SubmissionError(f"{PREDICTIONS}: it has changed since it was opened; score it again")
            file.seek(0)
            if has_rows:
                yield from unpack(file)

    def predictions(self, scans: Mapping[str, Triple] | None = None) -> Iterator[Prediction]:
        """The predictions in the order of the file, each read and its map unpacked when it is asked for.

        Args:
            scans: Shape of the scan of every sample that may be in it. When given, samples that are none of them, and
                maps outside of their scans, are errors before any map is unpacked.

        Raises:
            SubmissionError: At the first row that is not what the format says, or comes twice.
        """
        seen: set[str] = set()
        for row in self.rows():
            with named(self.path):
                yield _prediction(row, seen, scans)


def _prediction(row: Row, seen: set[str], scans: Mapping[str, Triple] | None) -> Prediction:
    if scans is not None and row.sample_id and row.sample_id not in scans:
        raise SubmissionError(f"{row.place[:200]}: is no sample of what is scored; leave it out")
    for problem in row.problems(scans[row.sample_id] if scans is not None and row.sample_id else None):
        raise SubmissionError(str(problem))
    if row.sample_id in seen:
        raise SubmissionError(f"{row.place}: comes twice; hand in one row a sample")
    seen.add(row.sample_id or "")
    try:
        return row.prediction()
    except (ValueError, OSError, MemoryError) as error:
        raise SubmissionError(str(undecodable(row, error))) from error


def read_submission(path: str | Path) -> Submission:
    """Open a submission.

    Args:
        path: A folder with ``predictions.parquet`` and ``metadata.json``, or a zip of it. Other archives are refused.

    Raises:
        SubmissionNotFoundError: If nothing lies there.
        SubmissionError: If it is no submission; nothing else is ever raised for what the files hold.
    """
    path = Path(path)
    with named(path):
        source = open_source(path)
        metadata = read_metadata(source)
        for problem in metadata_problems(metadata):
            raise SubmissionError(str(problem))
        with source.opened(PREDICTIONS) as file:
            check_table(file)
            return Submission(path, metadata, digest_of(file), source)


def open_source(path: Path) -> Source:
    """What lies at a path.

    Raises:
        SubmissionNotFoundError: If nothing does.
        SubmissionError: If it is neither a folder nor a zip.
    """
    try:
        kind = os.lstat(path).st_mode
    except (OSError, ValueError) as error:  # a name with a zero byte, too
        raise SubmissionNotFoundError(
            "no submission there; make one with SubmissionWriter, or `python -m benchmarks predict`"
        ) from error
    if S_ISDIR(kind):
        return Folder(path)
    with open_plain(path, MAX_FILE_BYTES) as file:
        if not is_archive(file):
            raise SubmissionError(
                f"a submission is a folder with {PREDICTIONS} and {METADATA}, or a zip; this is neither"
            )
        return Archive.of(path, file)


def read_metadata(source: Source) -> dict[str, Any]:
    """The object of ``metadata.json``.

    Raises:
        SubmissionError: If it is no JSON object.
    """
    with source.opened(METADATA) as file:
        return parse_metadata(file.read())


def check_table(file: BinaryIO) -> bool:
    """Hold what the table's file claims against the format and the limits, and unpack nothing.

    Returns:
        Whether it has rows.

    Raises:
        SubmissionError: If it is no table of predictions.
    """
    with named(PREDICTIONS):
        chunks = read_footer(file)
        check_pages(file, chunks)
        return bool(chunks)


def digest_of(file: BinaryIO) -> str:
    """Checksum of a whole file."""
    file.seek(0)
    found = sha256()
    while block := file.read(1 << 20):
        found.update(block)
    return found.hexdigest()


@contextmanager
def named(place: str | Path) -> Iterator[None]:
    """Put a place's name before what is wrong with it; a failing disk is wrong with it, too."""
    try:
        yield
    except SubmissionError as error:
        if str(error).startswith(str(place)):
            raise
        raise type(error)(f"{place}: {error}") from error
    except OSError as error:
        raise SubmissionError(f"{place}: cannot be read ({error.strerror or error})") from error
