"""A line of ``build/perf.json``, and what is printed of it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """One line of ``build/perf.json``."""

    name: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    target: float | None
    """Of the ratio, at least."""
    against: str


def table(measurements: Sequence[Measurement]) -> str:
    """The measurements as lines of text."""
    return "\n".join(
        f"{each.name}: {each.ours:.2f} {each.unit}, against {each.theirs:.0f} {each.unit} ({each.against}): "
        f"ratio {each.ratio:.0f}" + ("" if each.target is None else f", target {each.target:g}")
        for each in measurements
    )
