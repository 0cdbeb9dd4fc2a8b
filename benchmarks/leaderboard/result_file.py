"""Result files: finding and reading them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.leaderboard.document import REMEDY, Part
from benchmarks.leaderboard.entry import Entry, entry_of
from m3dsynth_dataset.errors import ResultError
from m3dsynth_dataset.scoring.result import read_result
from m3dsynth_dataset.submission.prediction import METADATA


def read_entries(paths: Sequence[Path]) -> list[Entry]:
    """Every result in files and folders.

    Of a folder all ``*.json`` count, but for the ``metadata.json`` of submissions and what is hidden; links are not
    followed.

    Args:
        paths: Files, or folders.

    Raises:
        BenchmarkError: If there is none, or one is not a result.
    """
    files = sorted({file for path in paths for file in _files(path)})
    if not files:
        raise BenchmarkError(f"no results in {', '.join(map(str, paths)) or 'nothing'}; {REMEDY}")
    return list(map(read_entry, files))


def read_entry(file: Path) -> Entry:
    """One result.

    Raises:
        BenchmarkError: If it is not one, by file and key.
    """
    try:
        document = read_result(file)
    except ResultError as error:
        raise BenchmarkError(f"{error}; {REMEDY}") from error
    return entry_of(Part(str(file), "", document))


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise BenchmarkError(f"{path} does not exist; name files of results, or folders that hold them")
    return _within(path)


def _within(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.is_symlink():
            continue
        if path.is_dir():
            yield from _within(path)
        elif path.suffix == ".json" and path.name != METADATA:
            yield path
