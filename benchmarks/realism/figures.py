"""The pictures of the page: curves of each manipulation, ranges of each config, and edits before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmarks.realism.assessment import Assessment
from benchmarks.realism.correlation import AXES, LAGS
from benchmarks.realism.spectrum import FREQUENCIES
from benchmarks.realism.strip import Strip
from m3dsynth_dataset.metrics import Interval

CONTROL, TISSUE, LINE = "#7a838a", "#16191c", "#e3e6e8"
LUNG_HU = (-1350.0, 150.0)
DIFFERENCE_HU = 300.0
DPI = 110
MANIPULATIONS = ("injection", "removal")


def png(figure: Figure) -> bytes:
    """A figure's file: the same figure gives the same bytes."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue()


def spectra(rows: Sequence[Assessment]) -> Figure:
    """Power against that of the surroundings by frequency, a panel for each manipulation."""
    figure = Figure(figsize=(10, 3.7), layout="constrained")
    panels = list(_panels(rows))
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for place, (name, members, colours) in zip(axes, panels, strict=True):
        place.axhline(0, color=LINE, linewidth=1)
        for row in members:
            place.plot(FREQUENCIES[1:], row.ratio_db[1:], color=colours[row.config], label=row.generator, linewidth=1.6)
        _tissue(place, FREQUENCIES[1:], [(row, row.ratio_tissue_db[1:]) for row in members])
        _finish(place, name, "cycles per mm")
    axes[0].set_ylabel("power to surroundings (dB)")
    return figure


def correlations(rows: Sequence[Assessment]) -> Figure:
    """Autocorrelation by lag, a row for each manipulation, a column for each axis."""
    panels = list(_panels(rows))
    figure = Figure(figsize=(10, 2.9 * len(panels)), layout="constrained")
    grid = figure.subplots(len(panels), len(AXES), sharex=True, sharey=True, squeeze=False)
    for line, (name, members, colours) in zip(grid, panels, strict=True):
        for axis, place in enumerate(line):
            place.axhline(0, color=LINE, linewidth=1)
            for row in members:
                place.plot(
                    LAGS,
                    row.correlations[axis],
                    color=colours[row.config],
                    label=row.generator,
                    marker=".",
                    linewidth=1.6,
                )
            _tissue(place, LAGS, [(row, row.correlations_tissue[axis]) for row in members], marker=".")
            _finish(place, f"{name}, along {AXES[axis]}", "voxels apart", legend=axis == 0)
            place.xaxis.set_major_locator(MaxNLocator(integer=True))
        line[0].set_ylabel("autocorrelation")
    return figure


def values(rows: Sequence[Assessment]) -> Figure:
    """HU of edits and of tissue: 5 to 95 %, 25 to 75 %, and the median."""
    figure, place = _list(rows, 0.5)
    for number, row in enumerate(rows):
        _box(place, number - 0.15, row.quantiles_hu, _colour(rows, row))
        _box(place, number + 0.2, row.quantiles_tissue_hu, TISSUE)
        label = f" {row.tissue}"
        place.annotate(label, (row.quantiles_tissue_hu[-1], number + 0.2), fontsize=7, va="center", color=CONTROL)
    place.set_xlabel("HU in the mask: 5 to 95 %, 25 to 75 % (thick), median; tissue in black")
    return figure


def seams(rows: Sequence[Assessment]) -> Figure:
    """Jumps across the border of the mask, to those before."""
    return _ranges(rows, [row.seam_ratio for row in rows], 1.0, "jump at the seam, ratio to the same faces before")


def told_apart(rows: Sequence[Assessment]) -> Figure:
    """AUC of the two-sample classifier."""
    figure = _ranges(rows, [row.auc for row in rows], 0.5, "AUC: edge-free cubes of edits against tissue")
    figure.axes[0].set_xlim(min(0.35, *figure.axes[0].get_xlim()), 1.02)
    return figure


def strips(shown: Sequence[Strip]) -> Figure:
    """Edits, a column each: before, after, and the difference."""
    width = max(4, len(shown))
    figure = Figure(figsize=(1.9 * width, 5.9), layout="constrained")
    grid = figure.subplots(3, width, squeeze=False)
    for place in grid.flat:
        place.set_axis_off()
    for column, each in enumerate(shown):
        difference = each.after.astype(np.int32) - each.before
        grid[0, column].set_title(each.sample_id, fontsize=7, parse_math=False)
        for line, voxels in enumerate((each.before, each.after)):
            grid[line, column].imshow(voxels, cmap="gray", vmin=LUNG_HU[0], vmax=LUNG_HU[1], aspect=each.aspect)
        grid[2, column].imshow(difference, cmap="RdBu_r", vmin=-DIFFERENCE_HU, vmax=DIFFERENCE_HU, aspect=each.aspect)
    for line, name in enumerate(("before", "after", f"difference\n±{DIFFERENCE_HU:.0f} HU")):
        grid[line, 0].text(
            -0.08, 0.5, name, rotation=90, ha="right", va="center", fontsize=8, transform=grid[line, 0].transAxes
        )
    return figure


def _panels(rows: Sequence[Assessment]) -> Iterator[tuple[str, list[Assessment], dict[str, str]]]:
    for name in MANIPULATIONS:
        if members := [row for row in rows if row.manipulation == name]:
            yield name, members, {row.config: _colour(rows, row) for row in members}


def _colour(rows: Sequence[Assessment], row: Assessment) -> str:
    """A generator's, the same in all pictures."""
    names = sorted({each.generator for each in rows if not each.is_control})
    return CONTROL if row.is_control else to_hex(colormaps["tab10"](names.index(row.generator) % 10))


def _tissue(
    place: Axes, points: Sequence[float], curves: Sequence[tuple[Assessment, np.ndarray]], marker: str = ""
) -> None:
    """What the edits are held against, each kind of it once."""
    styles = dict(zip(dict.fromkeys(row.tissue for row, _ in curves), ("--", ":"), strict=False))
    for row, curve in curves:
        if style := styles.pop(row.tissue, None):
            place.plot(points, curve, style, color=TISSUE, label=row.tissue, marker=marker, linewidth=1.3)


def _finish(place: Axes, title: str, label: str, *, legend: bool = True) -> None:
    place.set_title(title, fontsize=9)
    place.set_xlabel(label)
    place.spines[["top", "right"]].set_visible(False)
    if legend:
        place.legend(fontsize=7, frameon=False)


def _list(rows: Sequence[Assessment], height: float) -> tuple[Figure, Axes]:
    """A panel with a line for each config."""
    figure = Figure(figsize=(10, 0.9 + height * len(rows)), layout="constrained")
    place = figure.subplots()
    place.set_yticks(range(len(rows)), [row.config for row in rows], parse_math=False)
    place.set_ylim(len(rows) - 0.4, -0.6)
    place.spines[["top", "right", "left"]].set_visible(False)
    place.tick_params(axis="y", length=0)
    return figure, place


def _ranges(rows: Sequence[Assessment], found: Sequence[Interval], chance: float, label: str) -> Figure:
    figure, place = _list(rows, 0.32)
    place.axvline(chance, color=TISSUE, linewidth=1, linestyle="--")
    for number, (row, each) in enumerate(zip(rows, found, strict=True)):
        colour = _colour(rows, row)
        place.plot([each.low, each.high], [number, number], color=colour, linewidth=2, solid_capstyle="butt")
        place.plot([each.value], [number], "o", color=colour, markersize=5)
    place.set_xlabel(label)
    return figure


def _box(place: Axes, height: float, quantiles: np.ndarray, colour: str) -> None:
    place.plot(quantiles[[0, -1]], [height] * 2, color=colour, linewidth=1)
    place.plot(quantiles[[1, -2]], [height] * 2, color=colour, linewidth=5, solid_capstyle="butt", alpha=0.8)
    place.plot(quantiles[[2]], [height], "o", color="white", markeredgecolor=colour, markersize=4)
