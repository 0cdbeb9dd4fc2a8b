"""The boards as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from benchmarks.leaderboard import reference
from benchmarks.leaderboard.account import link
from benchmarks.leaderboard.board import Board
from benchmarks.leaderboard.entry import Entry
from benchmarks.leaderboard.measure import MEASURES, TITLES, per_cent, range_text
from benchmarks.published import GENERATORS, IMAGE_SETS
from m3dsynth_dataset.metrics import Interval
from m3dsynth_dataset.scoring.scorecard import OVERALL

NOTES = (
    "In per cent, with 95 % intervals over patients. Figures of different boards cannot be compared. Ranks go by F1 "
    "over all tampered samples; where intervals overlap, the order may be chance. Pristine false alarms: share of the "
    "split's pristine scans above the threshold of Pd@1%."
)
REALISED = "Pristine false alarms"


def markdown(found: Sequence[Board]) -> str:
    """Every board, with every measure and group, and the published tables."""
    lines = ["# M3Dsynth leaderboard", "", NOTES, ""]
    for board in found:
        lines += _board(board)
    return "\n".join([*lines, *_published()]) + "\n"


def _board(board: Board) -> Iterator[str]:
    terms = board.terms
    yield from (f"## {plain(board.title)}", "", f"Release digest {terms.digest}, scorer {terms.scorer}.", "")
    ranks = board.ranks()
    yield from _head("Rank", "Entry", "Trained on", "External data", *TITLES.values(), REALISED)
    for entry in board.entries:
        cells = [_cell(entry.figure(measure, OVERALL)) for measure in TITLES]
        rank = str(ranks.get(entry.submission, "-"))
        account, alarms = entry.account, per_cent(entry.false_alarms)
        yield _row(rank, _name(entry), plain(account.trained_on), plain(account.external_data), *cells, alarms)
    yield ""
    for measure, title in MEASURES.items():
        yield from (f"### {title}", "")
        yield from _head("Entry", *board.groups, "Worst")
        for entry in board.entries:
            worst = entry.worst(measure)
            shown = f"{_cell(worst[1])} {worst[0]}" if worst else "-"
            yield _row(_name(entry), *(_cell(entry.figure(measure, group)) for group in board.groups), shown)
        yield ""


def _published() -> Iterator[str]:
    yield from (
        "## As published",
        "",
        f"Zingarini et al., ICASSP 2024, {reference.PAPER}. Rows: trained on. Columns: tested on. Without a rank: "
        "other data and scorer, and the threshold of Pd@1% was set on the test's own pristine scans.",
        "",
    )
    for number, rows, tests, measures in (
        (3, reference.table_3(), GENERATORS, list(reference.MEASURES)),
        (2, reference.table_2(), IMAGE_SETS, ["accuracy"]),
    ):
        for measure in measures:
            title = MEASURES[measure] if number == 3 else "Accuracy at a known place"
            yield from (f"### Table {number}: {title}", "")
            yield from _head("Detector", "Trained on", *(reference.SETS[test] for test in tests))
            for row in rows:
                if cells := [row.figures[measure, test] for test in tests if (measure, test) in row.figures]:
                    yield _row(row.name, reference.SETS[row.trained_on], *cells)
            yield ""


def _head(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield _row(*["---"] * len(cells))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(found: Interval | None) -> str:
    return "-" if found is None else f"{per_cent(found.value)} ({range_text(found)})"


def _name(entry: Entry) -> str:
    account = entry.account
    name = plain(account.name or entry.submission[:12])
    source = account.source
    return f"[{name}](<{source}>)" if source and link(source) and not re.search(r"[<>|\\]", source) else name


def plain(text: str) -> str:
    """Text that Markdown shows as it is: nothing in it is markup."""
    return re.sub(r"([\\`*_{}\[\]()#!|~<>&:@])", r"\\\1", text)
