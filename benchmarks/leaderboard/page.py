"""The page: one file with its style and script inside, and every figure in its HTML.

The script only hides, orders and numbers what is there. What strangers handed in reaches the page through a template
that escapes it, and a content security policy lets nothing run or load but the page's own style and script.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from markupsafe import Markup

from benchmarks.html_page import templates_in
from benchmarks.leaderboard import reference
from benchmarks.leaderboard.board import PROTOCOLS, Board
from benchmarks.leaderboard.entry import Entry
from benchmarks.leaderboard.measure import (
    CONTROL,
    MEASURES,
    RANKED_BY,
    TITLES,
    fires_on_control,
    per_cent,
    range_text,
)
from benchmarks.published import GENERATORS, IMAGE_SETS
from m3dsynth_dataset.metrics import Interval
from m3dsynth_dataset.schema import MANIPULATIONS
from m3dsynth_dataset.scoring.contest import RATE
from m3dsynth_dataset.scoring.scorecard import OVERALL

TEMPLATES = Path(__file__).parent / "templates"
WORST = "worst"


@dataclass(frozen=True)
class Column:
    """A column of figures."""

    measure: str
    group: str
    """Of a board; of the published tables, what was tested on."""
    over: str
    """What stands over the measure's name."""
    title: str
    generator: str = ""
    manipulation: str = ""
    is_hidden: bool = False
    """Until it is chosen."""

    @property
    def key(self) -> str:
        """For the page's address."""
        return f"{self.measure}/{self.group}"


@dataclass(frozen=True)
class Cell:
    """A figure with its interval."""

    column: Column
    figure: Interval
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """In per cent."""
        return per_cent(self.figure.value)

    @property
    def range(self) -> str:
        """In per cent."""
        return range_text(self.figure)


def page(found: Sequence[Board], eval_results: Collection[str] = ()) -> str:
    """The text of the page.

    Args:
        found: Boards; the first is the one that the page opens with.
        eval_results: Results that lie beside the page in the Hub's form, too, by their places.
    """
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return (
        templates_in(TEMPLATES)
        .get_template("page.html")
        .render(
            policy=_policy(style, script),
            style=Markup(style),
            script=Markup(script),
            boards=[(board, _columns(board)) for board in found],
            eval_results=eval_results,
            cell=_cell,
            fires_on_control=fires_on_control,
            per_cent=per_cent,
            protocols=PROTOCOLS,
            titles=TITLES,
            control=CONTROL,
            ranked_by=f"{RANKED_BY}/{OVERALL}",
            rate=f"{RATE:.0%}".replace("%", " %"),
            generators=_generators(found),
            manipulations=MANIPULATIONS[1:],
            paper=reference.PAPER,
            sets=reference.SETS,
            table_3=(
                reference.table_3(),
                _published_columns({name: MEASURES[name] for name in reference.MEASURES}, GENERATORS),
            ),
            table_2=(reference.table_2(), _published_columns({"accuracy": "Accuracy"}, IMAGE_SETS)),
        )
    )


def _policy(style: str, script: str) -> str:
    style_hash, script_hash = (b64encode(sha256(text.encode()).digest()).decode() for text in (style, script))
    return (
        f"default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _columns(board: Board) -> list[Column]:
    figures = [
        Column(measure, group, _over(group), title, *_parts(group), is_hidden=group != OVERALL)
        for measure, title in MEASURES.items()
        for group in (OVERALL, WORST, *board.groups[1:])
    ]
    return [*figures, Column(CONTROL, CONTROL, "identity edits", TITLES[CONTROL])]


def _over(group: str) -> str:
    if group == OVERALL:
        return "all samples"
    return "worst group" if group == WORST else " ".join(_parts(group))


def _parts(group: str) -> tuple[str, str]:
    """Generator and manipulation of a group; empty for those of all."""
    generator, _, manipulation = group.rpartition("-")
    return (generator, manipulation) if generator else ("", "")


def _generators(found: Iterable[Board]) -> list[str]:
    """Of all boards and the paper."""
    own = {_parts(group)[0] for board in found for group in board.groups}
    return sorted({*own, *GENERATORS} - {""})


def _cell(entry: Entry, column: Column) -> Cell | None:
    notes = () if column.measure != "pd" or entry.false_alarms <= RATE else (_alarms(entry),)
    if column.group == WORST:
        worst = entry.worst(column.measure)
        return None if worst is None else Cell(column, worst[1], (_over(worst[0]), *notes))
    figure = entry.figure(column.measure, column.group)
    return None if figure is None else Cell(column, figure, notes)


def _alarms(entry: Entry) -> str:
    return f"at {per_cent(entry.false_alarms)} % false alarms"


def _published_columns(measures: Mapping[str, str], tests: Iterable[str]) -> list[Column]:
    return [
        Column(measure, test, f"on {reference.SETS[test]}", title, test)
        for test in tests
        for measure, title in measures.items()
    ]
