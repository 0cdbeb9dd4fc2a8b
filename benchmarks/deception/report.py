"""What was found, as files and for a terminal.

<folder>/
  deception.json   every number, and the scores of every site
  deception.md     the tables, and what they mean
  deception.csv    the same numbers, one to a line
  sites.csv        the scores of every site
  deception.png    the histograms
  index.html       all of it to look at, in one file
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from math import isnan
from pathlib import Path
from typing import Any

from benchmarks.deception.figures import GROUPS, Figures, percent
from benchmarks.deception.histograms import png
from benchmarks.deception.page import render
from benchmarks.deception.scores import Change
from benchmarks.deception.trial import Deception
from m3dsynth_dataset.staging import staged

HEAD = [
    "generator", "injections", "removals", "AUC before", "AUC after", "injected: benign to malignant",
    "removed: malignant to benign", "roles",
]  # fmt: skip


def write_deception(found: Deception, out: Path) -> Path:
    """Write all of it.

    Returns:
        The page.
    """
    picture = png(found.changes)
    texts = {
        "deception.json": json.dumps(_plain(asdict(found)), indent=1, allow_nan=False) + "\n",
        "deception.md": markdown(found),
        "deception.csv": _figures_csv(found.figures),
        "sites.csv": _sites_csv(found.changes),
        "index.html": render(found, picture),
    }
    for name, text in texts.items():
        with staged(out / name) as place:
            place.write_text(text, encoding="utf-8")
    with staged(out / "deception.png") as place:
        place.write_bytes(picture)
    return out / "index.html"


def markdown(found: Deception) -> str:
    """Tables in per cent with 95 % intervals by patient; AUC as a number."""
    lines = [_safe(found.about), ""]
    for group, title in GROUPS.items():
        lines += [f"## {title}", "", _row(HEAD), _row(["---"] * len(HEAD))]
        lines += [_row(_cells(each)) for each in found.figures if each.group == group]
        lines.append("")
    return "\n".join([*lines, *(f"- {note}" for note in found.notes)]) + "\n"


def text(found: Deception) -> str:
    """For a terminal: the tables alone."""
    lines = [found.about]
    for group, title in GROUPS.items():
        lines += ["", title, _line(["", "AUC before", "AUC after", "injected flips", "removed flips", "roles"])]
        lines += [
            _line([each.generator, *(percent(part) for part in each.parts), each.roles])
            for each in found.figures
            if each.group == group
        ]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    first, *middle, last = cells
    return f"  {first:<12}{''.join(f'{cell:<17}' for cell in middle)}{last}"


def _cells(each: Figures) -> list[str]:
    shares = [percent(part) for part in each.parts]
    return [each.generator, str(each.injections), str(each.removals), *shares, each.roles]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_safe, cells))} |"


def _safe(text: str) -> str:
    """What stands in a release may hold marks of Markdown or HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")


def _figures_csv(figures: Sequence[Figures]) -> str:
    rows = [
        [each.generator, each.group, measure, part.value, part.low, part.high]
        for each in figures
        for measure in ("before", "after", "injected", "removed")
        if not isnan((part := getattr(each, measure)).value)
    ]
    return _csv(["generator", "sites", "measure", "value", "low", "high"], rows)


def _sites_csv(changes: Sequence[Change]) -> str:
    names = [field.name for field in fields(Change)]
    return _csv(names, [[getattr(change, name) for name in names] for change in changes])


def _csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return file.getvalue()


def _plain(value: Any) -> Any:  # noqa: ANN401 (JSON)
    """With null for what is not a number, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and isnan(value) else value
