"""Findings: what a build left out, and why."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

HARMLESS = "nothing to do, it is left out"
"""The remedy where none is needed."""
LONGEST_REASON = 500
"""Characters; a damaged header can hold any number of them."""


@dataclass(frozen=True)
class Finding:
    """One line of the build report. What cannot be printed, such as bytes of a file name, stands in it in escapes."""

    path: str
    """The file, folder or site it is about."""
    reason: str
    remedy: str

    def __post_init__(self) -> None:
        for name in ("path", "reason", "remedy"):
            object.__setattr__(self, name, _printable(getattr(self, name)))
        if len(self.reason) > LONGEST_REASON:
            object.__setattr__(self, "reason", f"{self.reason[:LONGEST_REASON]} ...")

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}; {self.remedy}"


def summarised(findings: Sequence[Finding], place: Callable[[Finding], object] = lambda _: None) -> list[Finding]:
    """One line for all findings of a place that have the same reason.

    Args:
        findings: In their order.
        place: Where a finding belongs; everywhere is one place, unless told otherwise.
    """
    alike: dict[tuple[object, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        alike[place(finding), finding.reason, finding.remedy].append(finding)
    return [
        found[0] if len(found) == 1 else replace(found[0], reason=f"{found[0].reason} (and {len(found) - 1} more)")
        for found in alike.values()
    ]


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
