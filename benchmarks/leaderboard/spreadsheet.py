"""The boards as CSV: one line for every figure."""

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal

from benchmarks.leaderboard import reference
from benchmarks.leaderboard.board import Board
from benchmarks.leaderboard.entry import Entry
from benchmarks.leaderboard.measure import CONTROL, MEASURES
from m3dsynth_dataset.metrics import Interval

COLUMNS = ("source", "board", "rank", "entry", "submission_sha256", "protocol", "split", "release", "release_digest",
           "phantom", "labels_sha256", "scorer", "calibrated_on", "trained_on", "external_data", "false_alarms",
           "measure", "group", "value", "low", "high")  # fmt: skip
"""``rank`` is by the line's own measure and group. Figures are shares from 0 to 1; ``false_alarms`` is that of the
split's pristine scans at the threshold of Pd@1%."""


def spreadsheet(found: Sequence[Board]) -> str:
    """Every figure of every board, and of the published tables."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for board in found:
        writer.writerows(_of_board(board))
    writer.writerows(_published("paper, Table 3", reference.table_3()))
    writer.writerows(_published("paper, Table 2", reference.table_2()))
    return file.getvalue()


def _of_board(board: Board) -> Iterator[dict[str, object]]:
    columns = [(measure, group) for measure in MEASURES for group in board.groups] + [(CONTROL, CONTROL)]
    ranks = {column: board.ranks(*column) for column in columns}
    for entry in board.entries:
        for measure, group in columns:
            figure = entry.figure(measure, group)
            if figure is not None:
                rank = ranks[measure, group][entry.submission]
                yield _account(board, entry) | {"rank": rank} | _figure(measure, group, figure)


def _account(board: Board, entry: Entry) -> dict[str, object]:
    terms = board.terms
    return {
        "source": "result",
        "board": board.key,
        "entry": _text(entry.account.name),
        "submission_sha256": entry.submission,
        "protocol": terms.protocol,
        "split": terms.split,
        "release": _text(entry.release_name),
        "release_digest": terms.digest,
        "phantom": str(entry.is_phantom).lower(),
        "labels_sha256": terms.labels or "",
        "scorer": terms.scorer,
        "calibrated_on": terms.calibrated_on,
        "trained_on": _text(entry.account.trained_on),
        "external_data": _text(entry.account.external_data),
        "false_alarms": entry.false_alarms,
    }


def _figure(measure: str, group: str, figure: Interval) -> dict[str, object]:
    return {"measure": measure, "group": group, "value": figure.value, "low": figure.low, "high": figure.high}


def _published(source: str, rows: Sequence[reference.Published]) -> Iterator[dict[str, object]]:
    for row in rows:
        for (measure, test), printed in row.figures.items():
            yield {"source": source, "entry": row.name, "trained_on": row.trained_on, "measure": measure,
                   "group": test, "value": Decimal(printed).scaleb(-2)}  # fmt: skip


def _text(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@" and text else text
