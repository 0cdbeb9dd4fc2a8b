"""Boards: results that can be compared, and the order among them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import zip_longest

from benchmarks.errors import BenchmarkError
from benchmarks.leaderboard.entry import Entry, Terms
from benchmarks.leaderboard.measure import CONTROL, RANKED_BY
from m3dsynth_dataset.scoring.scorecard import OVERALL

PROTOCOLS = {"volume": "Whole scans", "slab": "Slabs of 32 slices, as published"}


@dataclass(frozen=True)
class Board:
    """Results of the same terms. Nothing is ever ranked across boards."""

    terms: Terms
    entries: tuple[Entry, ...]
    """The best first, by RANKED_BY overall."""

    @property
    def key(self) -> str:
        """A name for addresses and folders."""
        everything = "\n".join(f"{name}={value}" for name, value in sorted(asdict(self.terms).items()))
        return f"{self.terms.protocol}-{self.terms.split}-{sha256(everything.encode()).hexdigest()[:12]}"

    @property
    def groups(self) -> list[str]:
        """Overall, then generator by generator and manipulation."""
        return [each.name for each in self.entries[0].groups]

    @property
    def is_phantom(self) -> bool:
        """Whether the scans are phantoms."""
        return any(entry.is_phantom for entry in self.entries)

    @property
    def release_name(self) -> str:
        """Of the release."""
        return self.entries[0].release_name

    @property
    def title(self) -> str:
        """The terms in a line."""
        terms = self.terms
        sealed = f", sealed labels {terms.labels[:8]}" if terms.labels else ""
        optimistic = "" if terms.calibrated_on == "validation" else ", threshold set on the test itself"
        phantom = ", phantoms" if self.is_phantom else ""
        return (
            f"{terms.protocol}, {terms.split}, {self.release_name} {terms.digest[:8]}, "
            f"scorer {terms.scorer}{sealed}{optimistic}{phantom}"
        )

    def place(self, entry: Entry) -> str:
        """Where files of an entry lie, without what they end in."""
        return f"{self.key}/{entry.submission[:32]}"

    def ranks(self, measure: str = RANKED_BY, group: str = OVERALL) -> dict[str, int]:
        """The place of each submission by a measure; equal figures share one, those without a figure have none.

        Args:
            measure: A key of TITLES.
            group: One of the board's.

        Returns:
            By the submission's checksum.
        """
        figures = {entry.submission: entry.figure(measure, group) for entry in self.entries}
        sign = 1 if measure == CONTROL else -1
        values = {submission: sign * found.value for submission, found in figures.items() if found is not None}
        return {submission: 1 + sum(other < value for other in values.values()) for submission, value in values.items()}


def boards(entries: Iterable[Entry]) -> list[Board]:
    """Entries by the terms of their results: whole scans first, real ones first, the newest scorer first.

    Raises:
        BenchmarkError: If a submission stands on a board twice, or two that claim the same terms count other samples.
    """
    found: dict[Terms, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.terms].append(entry)
    return sorted((_board(terms, members) for terms, members in found.items()), key=_order)


def _board(terms: Terms, entries: Sequence[Entry]) -> Board:
    seen: dict[str, Entry] = {}
    for entry in entries:
        _check(entry, entries[0])
        if entry.submission in seen:
            raise BenchmarkError(
                f"{entry.file} and {seen[entry.submission].file} hold the same predictions "
                f"({entry.submission[:16]}); remove one"
            )
        seen[entry.submission] = entry
    return Board(terms, tuple(sorted(entries, key=_merit)))


def _check(entry: Entry, other: Entry) -> None:
    mine, theirs = _counts(entry), _counts(other)
    if mine != theirs:
        raise BenchmarkError(
            f"{entry.file} and {other.file} name the same release, split and scorer, but were scored on other samples: "
            f"{_difference(mine, theirs)}; score both submissions again on the same release"
        )


def _counts(entry: Entry) -> list[str]:
    return [f"{each.name} with {each.tampered} tampered and {each.pristine} pristine" for each in entry.groups]


def _difference(mine: Sequence[str], theirs: Sequence[str]) -> str:
    return next(f"{one or 'nothing'} and {two or 'nothing'}" for one, two in zip_longest(mine, theirs) if one != two)


def _merit(entry: Entry) -> tuple[float, str, str]:
    found = entry.figure(RANKED_BY, OVERALL)
    return (1.0 if found is None else -found.value, entry.account.name, entry.submission)


def _order(board: Board) -> tuple[bool, bool, list[int], bool, int, str]:
    terms = board.terms
    version = [-int(number) for number in re.findall(r"\d+", terms.scorer)]
    own = terms.calibrated_on != "validation"
    return (terms.protocol != "volume", board.is_phantom, version, own, -len(board.entries), board.key)
