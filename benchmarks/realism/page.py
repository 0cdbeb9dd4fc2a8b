"""The page, rendered: one file, pictures and style inside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup
from matplotlib.figure import Figure

from benchmarks.html_page import inline_png, templates_in
from benchmarks.realism import figures
from benchmarks.realism.measure import MEASURES
from benchmarks.realism.report import Report

TEMPLATES = Path(__file__).with_name("templates")


def render(report: Report) -> str:
    """The page of a report."""
    return (
        templates_in(TEMPLATES)
        .get_template("page.html")
        .render(
            report=report,
            measures=MEASURES,
            curves=list(_curves(report)),
            strips=[(name, _inline(figures.strips(shown))) for name, shown in report.strips.items()],
            style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        )
    )


def _curves(report: Report) -> Iterator[tuple[str, str, str]]:
    """Title, what to see, and picture."""
    rows = report.rows
    yield (
        "Noise power spectrum",
        "Power inside, against the surroundings in the same slices, by spatial frequency. Edits like tissue lie on the "
        "black line of what they are held against; below it they are too smooth, above it too noisy, and a peak is a "
        "lattice.",
        _inline(figures.spectra(rows)),
    )
    yield (
        "Autocorrelation",
        "How much the noise of a voxel knows of that one, two and three voxels further, the mean of 5 x 5 voxels taken "
        "off. Edits like tissue lie on the black line; above it the noise is blurred, and a zigzag is a lattice.",
        _inline(figures.correlations(rows)),
    )
    yield (
        "Seam",
        "The mean jump across the border of the mask, with intervals over patients. Above 1 there is an edge to see.",
        _inline(figures.seams(rows)),
    )
    yield (
        "HU",
        "Where the voxels of edits lie, and those of the tissue that they are held against.",
        _inline(figures.values(rows)),
    )
    yield (
        "Told apart",
        "A linear classifier on traits of cubes without an edge, judged on patients that it has not learned from. On "
        "the dashed line edits cannot be told from tissue.",
        _inline(figures.told_apart(rows)),
    )


def _inline(figure: Figure) -> str:
    return inline_png(figures.png(figure))
