"""Values of a result file that know where they stand, so that what is wrong with one can be said by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from benchmarks.errors import BenchmarkError

REMEDY = "score the submission again with `m3dsynth score SUBMISSION --release RELEASE --json FILE`"


@dataclass(frozen=True)
class Part:
    """A value of a result that has the right shape: its keys are there, and of the right types.

    Every method that reads raises BenchmarkError with the file, the key, the rule and what to do.
    """

    file: str
    key: str
    """Where it stands, such as ``groups[0].f1.low``; empty for the whole."""
    value: Any

    def __getitem__(self, key: str) -> Part:
        """The value of a key."""
        return Part(self.file, f"{self.key}.{key}" if self.key else key, self.value[key])

    def items(self) -> Iterator[Part]:
        """The items of a list."""
        return (Part(self.file, f"{self.key}[{number}]", item) for number, item in enumerate(self.value))

    def text(self, pattern: str, rule: str) -> str:
        """Text that matches as a whole.

        Args:
            pattern: Regular expression.
            rule: What it asks for, in words.
        """
        if re.fullmatch(pattern, self.value) is None:
            self.refuse(rule)
        return str(self.value)

    def share(self) -> float:
        """A number from 0 to 1."""
        if not 0 <= self.value <= 1:
            self.refuse("a number from 0 to 1")
        return float(self.value)

    def count(self) -> int:
        """A whole number, 0 or more."""
        if self.value < 0:
            self.refuse("0 or more")
        return int(self.value)

    def refuse(self, rule: str) -> NoReturn:
        """Say what the value must be."""
        text = repr(self.value)
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise BenchmarkError(f"{self.file}: {self.key} must be {rule}, got {shown}; {REMEDY}")
