"""The matrix as people look at it: Markdown in the paper's layout, CSV, JSON, and a picture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from math import isnan
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.matrix import MEASURES, Matrix, Row
from benchmarks.published import DETECTION, LOCALISATION, PROBE
from m3dsynth_dataset.metrics import Interval
from m3dsynth_dataset.staging import staged

PUBLISHED = {
    "f1": (LOCALISATION, 0), "iou": (LOCALISATION, 1), "accuracy": (DETECTION, 0), "pd": (DETECTION, 1),
}  # fmt: skip
"""Where Table 3 has a measure."""
OF_MAPS = ("f1", "iou")


def write_matrix(found: Matrix, out: Path) -> Path:
    """Write it as JSON, Markdown, CSV, and a picture.

    Returns:
        The Markdown file.
    """
    texts = {
        "matrix.json": json.dumps(asdict(found), indent=1) + "\n",
        "matrix.md": markdown(found),
        "matrix.csv": _csv(found),
    }
    for name, text in texts.items():
        with staged(out / name) as place:
            place.write_text(text, encoding="utf-8")
    with staged(out / "matrix.png") as place:
        _drawn(found).savefig(place, dpi=120, format="png")
    return out / "matrix.md"


def markdown(found: Matrix) -> str:
    """The matrix in the paper's layout, in per cent with 95 % intervals, the published figures beside."""
    told = f"Release {found.release_digest[:16]}, preset {found.preset}, {found.protocol}"
    lines = [f"{told}; rows: trained on, columns: tested on.", ""]
    for measure, title in _measures(found).items():
        lines += [f"## {title}", "", _row_of("detector", "trained on", *found.columns, "published", "control")]
        lines.append(_row_of(*["---"] * (len(found.columns) + 4)))
        for row in found.rows:
            cells = [_cell(row, column, measure) for column in found.columns]
            published = " / ".join(_published(row, measure, column) for column in found.columns)
            control = _percent(row.card.control) if measure == "pd" and row.card.control else ""
            lines.append(_row_of(row.detector, row.train_on, *cells, published, control))
        lines.append("")
    warnings = sorted({warning for row in found.rows for warning in row.card.warnings})
    notes = [
        "The threshold of Pd@1% is set on validation; the published figures set it on the test's own pristine scans.",
        "Control: share of its samples above that threshold. A detector that fires there has learned the pipeline.",
        *(f"{warning}." for warning in warnings),
    ]
    return "\n".join([*lines, *(f"- {note}" for note in notes)]) + "\n"


def _row_of(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _measures(found: Matrix) -> dict[str, str]:
    """Those that any of the detectors has."""
    maps = any(row.localises for row in found.rows)
    return {name: title for name, title in MEASURES.items() if maps or name not in OF_MAPS}


def _figure(row: Row, column: str, measure: str) -> Interval | None:
    figures = row.figures(column)
    if figures is None or (measure in OF_MAPS and not row.localises):
        return None
    found: Interval = getattr(figures, measure)
    return found


def _value(row: Row, column: str, measure: str) -> float:
    interval = _figure(row, column, measure)
    return float("nan") if interval is None else interval.value


def _cell(row: Row, column: str, measure: str) -> str:
    found = _figure(row, column, measure)
    return "-" if found is None else _percent(found)


def _percent(interval: Interval) -> str:
    return f"{100 * interval.value:.1f} ({100 * interval.low:.0f}-{100 * interval.high:.0f})"


def _published(row: Row, measure: str, column: str) -> str:
    if row.detector == "synthetic-probe":
        known = PROBE.get((row.train_on, column)) if measure == "accuracy" else None
        return "-" if known is None else f"{known:.1f}"
    table, place = PUBLISHED.get(measure, ({}, 0))
    cell = table.get(row.detector, {}).get((row.train_on, column))
    return "-" if cell is None else f"{cell[place]:.1f}"


def _csv(found: Matrix) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["detector", "train_on", "test_on", "measure", "value", "low", "high", "published_per_cent"])
    for row, column, measure, interval in _cells(found):
        published = _published(row, measure, column)
        writer.writerow([row.detector, row.train_on, column, measure, interval.value, interval.low, interval.high,
                         "" if published == "-" else published])  # fmt: skip
    return file.getvalue()


def _cells(found: Matrix) -> Iterator[tuple[Row, str, str, Interval]]:
    for row in found.rows:
        for column in found.columns:
            for measure in MEASURES:
                interval = _figure(row, column, measure)
                if interval is not None:
                    yield row, column, measure, interval


def _drawn(found: Matrix) -> Figure:
    measures = _measures(found)
    figure = Figure(figsize=(4 * len(measures), 1.5 + 0.45 * len(found.rows)), layout="constrained")
    labels = [f"{row.detector}, {row.train_on}" for row in found.rows]
    for number, (axes, (measure, title)) in enumerate(
        zip(figure.subplots(1, len(measures), squeeze=False)[0], measures.items(), strict=True)
    ):
        values = [
            [
                interval.value if (interval := _figure(row, column, measure)) else float("nan")
                for column in found.columns
            ]
            for row in found.rows
        ]
        axes.imshow(values, vmin=0, vmax=1, cmap="viridis", aspect="auto")
        for y, line in enumerate(values):
            for x, value in enumerate(line):
                axes.text(
                    x,
                    y,
                    "" if isnan(value) else f"{100 * value:.0f}",
                    ha="center",
                    va="center",
                    color="w" if value < 0.6 else "k",
                )
        axes.set_xticks(range(len(found.columns)), found.columns, rotation=30)
        axes.set_yticks(range(len(labels)), labels if number == 0 else [""] * len(labels))
        axes.set(title=title, xlabel="tested on")
    return figure
