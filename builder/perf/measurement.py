"""A line of ``build/perf.json``, the list that `make perf` writes."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from m3dsynth_dataset.staging import staged


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


def merge(path: Path, measurements: Sequence[Measurement]) -> None:
    """Put measurements into a list in JSON, in place of those of the same name."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    names = {each.name for each in measurements}
    rows = [row for row in kept if row["name"] not in names] + [asdict(each) for each in measurements]
    with staged(path) as place:
        place.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def table(measurements: Sequence[Measurement]) -> str:
    """The measurements as lines of text."""
    return "\n".join(
        f"{each.name}: {each.ours:.2f} {each.unit}, against {each.theirs:.0f} {each.unit} ({each.against}): "
        f"ratio {each.ratio:.0f}" + ("" if each.target is None else f", target {each.target:g}")
        for each in measurements
    )
