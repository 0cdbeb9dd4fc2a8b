"""CSV tables read line by line: what a line holds, or what is wrong with it, by table and line number."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from builder.errors import BuilderError
from builder.finding import Finding

IGNORED = "the row is left out; compare the table with the published one"
FIRST_COUNTS = "the first one counts; compare the table with the published one"

Line = Mapping[str, str]
"""The values of a line, by column."""
Entry = TypeVar("Entry")
Key = TypeVar("Key")


class LineError(ValueError):
    """A line that cannot be used: the reason."""


@dataclass
class TableReader:
    """Reads tables, and keeps what was wrong with them."""

    folder: Path
    columns: Mapping[str, tuple[str, ...]]
    """Those that are read of each table."""
    findings: list[Finding] = field(default_factory=list)

    def entries(self, name: str, parse: Callable[[Line], Entry]) -> Iterator[tuple[str, Entry]]:
        """What a table holds, with the place of each line."""
        for number, line in _lines(self.folder / name, self.columns[name]):
            place = f"{name}, line {number}"
            try:
                yield place, parse(line)
            except LineError as error:
                self.report(place, str(error))

    def unique(self, name: str, parse: Callable[[Line], tuple[Key, Entry]]) -> dict[Key, tuple[str, Entry]]:
        """What a table holds by key, with the place of each line; of several lines with a key the first counts."""
        found: dict[Key, tuple[str, Entry]] = {}
        for place, (key, entry) in self.entries(name, parse):
            first, kept = found.setdefault(key, (place, entry))
            if first != place:
                what = "the same again" if kept == entry else "with other values"
                self.report(place, f"doubled row: {_shown(key)} stands in {first}, {what}", FIRST_COUNTS)
        return found

    def report(self, place: str, reason: str, remedy: str = IGNORED) -> None:
        """Keep a finding."""
        self.findings.append(Finding(place, reason, remedy))


def one_of(names: Mapping[str, Entry], line: Line, column: str) -> Entry:
    """What a name stands for that must be one of a few."""
    if (value := line[column]) not in names:
        raise LineError(f"unknown {column} {value!r}: must be one of {', '.join(names)}")
    return names[value]


def text_of(line: Line, column: str) -> str:
    """A text that must not be empty."""
    if not (value := line[column]):
        raise LineError(f"no {column}")
    return value


def whole_number(line: Line, column: str) -> int:
    """A whole number, as such or as a float."""
    value = number(line, column)
    if not value.is_integer():
        raise LineError(f"{column} must be a whole number, got {line[column]!r}")
    return int(value)


def number(line: Line, column: str) -> float:
    """A number."""
    try:
        return float(line[column])
    except ValueError:
        raise LineError(f"{column} must be a number, got {line[column]!r}") from None


def _lines(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, Line]]:
    """The lines of a table by column name, counted as an editor counts them."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            if absent := [name for name in columns if name not in (reader.fieldnames or ())]:
                raise BuilderError(
                    f"{path}: the table lacks {', '.join(absent)}; it must have the columns {', '.join(columns)}"
                )
            for line in reader:
                yield reader.line_num, {name: line[name].strip() for name in columns}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BuilderError(f"{path}: cannot be read as a CSV file ({error}); fetch it again") from error


def _shown(key: object) -> str:
    return " of ".join(map(str, key)) if isinstance(key, tuple) else str(key)
