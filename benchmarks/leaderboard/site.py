"""The leaderboard's folder: everything is written beside and put in place at once."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.leaderboard.board import Board
from benchmarks.leaderboard.eval_results import eval_results
from benchmarks.leaderboard.markdown import markdown
from benchmarks.leaderboard.page import page
from benchmarks.leaderboard.spreadsheet import spreadsheet
from m3dsynth_dataset.staging import staged

PAGE, MARKDOWN, CSV = "index.html", "leaderboard.md", "leaderboard.csv"
RESULTS, EVAL_RESULTS = "results", "eval_results"
_OURS = {PAGE, MARKDOWN, CSV, RESULTS, EVAL_RESULTS}


def write_site(found: Sequence[Board], out: Path, dataset: str | None = None) -> Path:
    """Write the page, the same figures as Markdown and CSV, and every result.

    The same results give the same bytes.

    Args:
        found: Boards.
        out: Folder, new, empty, or of an earlier leaderboard, whose place it takes.
        dataset: The release on the Hub, ORG/NAME; with it, results are written as the Hub has them, too.

    Returns:
        The page.

    Raises:
        BenchmarkError: If the folder holds something else, or the data set has no name of the Hub.
    """
    _check(out)
    if dataset is not None and re.fullmatch(r"[\w.-]+/[\w.-]+", dataset, re.ASCII) is None:
        raise BenchmarkError(f"a data set on the Hub is named ORG/NAME, got {dataset!r}")
    with staged(out) as place:
        for name, text in _files(found, dataset):
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    return out / PAGE


def _files(found: Sequence[Board], dataset: str | None) -> Iterator[tuple[str, str]]:
    entries = {board.place(entry): entry for board in found for entry in board.entries}
    exported = {place: eval_results(entry, dataset) for place, entry in entries.items()} if dataset else {}
    for_hub = {place: text for place, text in exported.items() if text is not None}
    yield PAGE, page(found, for_hub.keys())
    yield MARKDOWN, markdown(found)
    yield CSV, spreadsheet(found)
    for place, entry in entries.items():
        yield f"{RESULTS}/{place}.json", json.dumps(entry.document, indent=1, sort_keys=True) + "\n"
    for place, text in for_hub.items():
        yield f"{EVAL_RESULTS}/{place}.yaml", text


def _check(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise BenchmarkError(f"{out} is a file; name a folder for the page")
    others = sorted({path.name for path in out.iterdir()} - _OURS) if out.is_dir() else []
    if others:
        raise BenchmarkError(f"{out} holds {others[0]}, which is no part of a leaderboard; name a new or empty folder")
