"""Verdicts: what a check of the audit found."""

from dataclasses import dataclass
from enum import StrEnum

from m3dsynth_dataset.verification.finding import brief

SHOWN = 5
"""Names that a verdict lists; it counts the others."""


class Verdict(StrEnum):
    """Of one check."""

    PASS = "pass"
    LEAK = "leak"
    NOT_MEASURABLE = "not measurable"


@dataclass(frozen=True)
class Check:
    """A way in which a detector could be right without seeing a forgery, and whether it is open."""

    name: str
    rule: str
    """What holds in a release that does not leak."""
    verdict: Verdict
    value: float | None
    """The number that decides; None where it cannot be measured."""
    found: str
    """The number in words, and how much it can say."""
    remedy: str = ""
    """What to do about a leak."""


def counted(name: str, rule: str, wrong: list[str], checked: str, remedy: str) -> Check:
    """A check that counts what must not be.

    Args:
        name: Of the check.
        rule: What holds otherwise.
        wrong: Names of what breaks it.
        checked: What was looked at, such as ``140 edits``.
        remedy: What to do.
    """
    if not wrong:
        return Check(name, rule, Verdict.PASS, 0.0, f"0 of {checked}")
    shown = ", ".join(map(_plain, wrong[:SHOWN])) + (f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else "")
    return Check(name, rule, Verdict.LEAK, float(len(wrong)), f"{len(wrong)} of {checked}: {shown}", remedy)


def unmeasured(name: str, rule: str, why: str) -> Check:
    """A check that this release gives no means for."""
    return Check(name, rule, Verdict.NOT_MEASURABLE, None, why)


def _plain(name: str) -> str:
    """Names come from files that may hold anything."""
    return name if name.isprintable() else brief(name)
