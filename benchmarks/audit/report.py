"""The report of an audit: for a person, as Markdown, as JSON."""

import json
import math
import textwrap
from dataclasses import asdict, dataclass

from benchmarks.audit.verdict import Check, Verdict

WIDTH = 110


@dataclass(frozen=True)
class Report:
    """What an audit found."""

    release: str
    digest: str
    samples: int
    volumes: int
    checks: tuple[Check, ...]

    @property
    def leaks(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return self._of(Verdict.LEAK)

    @property
    def verdict(self) -> str:
        """In a line."""
        counts = ", ".join(f"{len(self._of(verdict))} {verdict}" for verdict in Verdict)
        leaks = "leaks: " + ", ".join(check.name for check in self.leaks) if self.leaks else "no leak found"
        return f"{leaks} ({counts})"

    def text(self) -> str:
        """For a terminal: what fails with its remedy, what cannot be measured with why."""
        head = f"{self.release}: {self.samples} samples of {self.volumes} volumes, digest {self.digest[:16]}"
        return "\n".join([head, "", *(line for check in self.checks for line in _lines(check)), "", self.verdict])

    def markdown(self) -> str:
        """A table of all checks."""
        rows = [_cells(check.verdict, check.name, _number(check), check.found, check.rule) for check in self.checks]
        remedies = [f"- **{_safe(check.name)}**: {_safe(check.remedy)}." for check in self.leaks]
        return "\n".join(
            [
                f"# Audit of {_safe(self.release)}",
                "",
                f"{self.samples} samples of {self.volumes} volumes, digest `{self.digest[:16]}`: {self.verdict}.",
                "",
                _cells("verdict", "check", "value", "found", "rule"),
                _cells("---", "---", "---:", "---", "---"),
                *rows,
                *(["", "## What to do", "", *remedies] if remedies else []),
                "",
            ]
        )

    def json(self) -> str:
        """All of it; a value that cannot be measured is null."""
        about = asdict(self) | {"leaks": [check.name for check in self.leaks]}
        return json.dumps(about, indent=1, allow_nan=False) + "\n"

    def _of(self, verdict: Verdict) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.verdict is verdict)


def _lines(check: Check) -> list[str]:
    mark = {Verdict.PASS: "pass", Verdict.LEAK: "LEAK", Verdict.NOT_MEASURABLE: "  - "}[check.verdict]
    lines = [f"{mark}  {check.name}: {check.found}"]
    if check.verdict is Verdict.LEAK:
        lines += [f"      rule: {check.rule}", f"      do: {check.remedy}"]
    return [
        part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent=" " * 6, break_long_words=False)
    ]


def _number(check: Check) -> str:
    if check.value is None or math.isnan(check.value):
        return "-"
    return f"{check.value:g}" if check.value == int(check.value) else f"{check.value:.3f}"


def _cells(*cells: str) -> str:
    return f"| {' | '.join(map(_safe, cells))} |"


def _safe(text: str) -> str:
    """What stands in a release may hold marks of Markdown or HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
