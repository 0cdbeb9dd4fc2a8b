"""The picture in the card: what a release holds, in six panels. The same release has the same picture, to the byte."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from builder.lungs import Shadow, lung_shadow
from m3dsynth_dataset.configs import in_order
from m3dsynth_dataset.row_file import read_rows
from m3dsynth_dataset.schema import MANIPULATIONS, Split, data_file

STATISTICS = "statistics.png"
ACCENT, DARK, GREY, LIGHT = "#c2410c", "#374151", "#9ca3af", "#e5e7eb"
OF_SPLITS = {Split.TRAIN: DARK, Split.VALIDATION: GREY, Split.TEST: ACCENT}
OF_MANIPULATIONS = dict(zip(MANIPULATIONS[1:], (ACCENT, DARK), strict=True))
SIZE_INCHES, DOTS_PER_INCH = (10.0, 10.6), 120
FEW_SITES = 8
"""Bars of fewer would be too broad."""
MARGIN_MM = 20
"""Around the lungs and the sites."""
SHADOWS = 6
"""Scans whose lungs lie behind the sites."""
ACROSS = "from the middle of the scan (mm), right to left"
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": DARK,
    "text.color": DARK,
    "xtick.color": DARK,
    "ytick.color": DARK,
    "legend.frameon": False,
}
_COLUMNS = ["scan_id", "site_id", "generator", "manipulation", "volume", "centre_zyx", "shape_zyx", "spacing_mm",
            "direction", "nodule_diameter_mm"]  # fmt: skip

Row = dict[str, Any]


@dataclass(frozen=True)
class Holdings:
    """What the picture is of."""

    counts: Mapping[tuple[str, str], int]
    """Rows of every config and split."""
    scans: Mapping[str, Row]
    """A row of each scan, by its id."""
    sites: tuple[Row, ...]
    """A row of each edited place, whichever generators edited it."""
    shadows: tuple[Shadow, ...]
    """Lungs of a few scans."""

    @classmethod
    def of(cls, release: Path, counts: Mapping[tuple[str, str], int]) -> "Holdings":
        """Read them from a release whose rows and volumes are written.

        Args:
            release: Its folder.
            counts: Rows of every config and split.
        """
        scans: dict[str, Row] = {}
        sites: dict[tuple[str, str], Row] = {}
        for row in _rows(release, counts):
            scans.setdefault(row["scan_id"], row)
            if row["site_id"] is not None:
                sites.setdefault((row["scan_id"], row["site_id"]), row)
        ordered = dict(sorted(scans.items()))
        return cls(counts, ordered, tuple(sites.values()), tuple(_shadows(release, list(ordered.values()))))


def draw_statistics(release: Path, counts: Mapping[tuple[str, str], int]) -> None:
    """Write the picture into a release whose rows and volumes are written.

    Args:
        release: Its folder.
        counts: Rows of every config and split.
    """
    found = Holdings.of(release, counts)
    with style.context(["default", STYLE]):  # whatever the user's own settings are
        figure = _drawn(found)
        # No name and version of the program that drew it: the bytes are to be the same.
        figure.savefig(release / STATISTICS, dpi=DOTS_PER_INCH, format="png", metadata={"Software": None})


def _rows(release: Path, counts: Mapping[tuple[str, str], int]) -> Iterator[Row]:
    for config, split in sorted(counts):
        yield from read_rows(release / data_file(config, split), _COLUMNS).to_pylist()


def _shadows(release: Path, scans: list[Row]) -> Iterator[Shadow]:
    """Of scans that are spread evenly over the names."""
    chosen = sorted({round(place) for place in np.linspace(0, len(scans) - 1, min(SHADOWS, len(scans)))})
    for row in (scans[place] for place in chosen):
        if (release / row["volume"]).is_dir():
            yield lung_shadow(release / row["volume"], row["spacing_mm"], row["direction"])


def _drawn(found: Holdings) -> Figure:
    figure = Figure(figsize=SIZE_INCHES, facecolor="white")
    grid = figure.add_gridspec(
        3, 2, left=0.16, right=0.97, top=0.955, bottom=0.045, hspace=0.36, wspace=0.24, height_ratios=(1, 0.8, 1.5)
    )
    panels = (_counts, _per_scan, _diameters, _spacings, _coronal, _axial)
    for place, panel in enumerate(panels):
        panel(figure.add_subplot(grid[place]), found)
    return figure


def _counts(axes: Axes, found: Holdings) -> None:
    configs = in_order({config for config, _ in found.counts})[::-1]
    done = np.zeros(len(configs))
    for split, colour in OF_SPLITS.items():
        lengths = np.array([found.counts.get((config, split), 0) for config in configs])
        if lengths.any():
            axes.barh(configs, lengths, left=done, height=0.68, color=colour, label=str(split))
        done += lengths
    for place, total in enumerate(done):
        axes.text(total + done.max() * 0.015, place, f"{int(total):,}", va="center", fontsize=8)
    axes.set(title="Samples by config and split", xlim=(0, done.max() * 1.14))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.28), ncols=3, fontsize=8, handlelength=1)


def _per_scan(axes: Axes, found: Holdings) -> None:
    edits = Counter(row["scan_id"] for row in found.sites)
    scans = Counter(edits[scan_id] for scan_id in found.scans)
    places = range(max(scans, default=0) + 1)
    axes.bar(places, [scans[place] for place in places], width=0.72, color=DARK)
    axes.set_xlim(-0.6, max(FEW_SITES, places[-1]) + 0.6)
    axes.set(title="Edited sites in a scan", xlabel="sites", ylabel="scans")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(8, integer=True))


def _diameters(axes: Axes, found: Holdings) -> None:
    of_kinds = {kind: _known(found.sites, kind) for kind in OF_MANIPULATIONS}
    axes.set(title="Nodules at the sites", xlabel="diameter (mm)", ylabel="sites")
    longest = max((max(values, default=0.0) for values in of_kinds.values()), default=0.0)
    if not longest:
        return _nothing(axes)
    bins = [float(place) for place in range(int(longest) + 2)]
    for kind, values in of_kinds.items():
        if values:
            axes.hist(values, bins, color=OF_MANIPULATIONS[kind], alpha=0.85, label=kind, rwidth=0.86)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.legend(fontsize=8, handlelength=1)
    return None


def _known(sites: tuple[Row, ...], manipulation: str) -> list[float]:
    return [
        row["nodule_diameter_mm"]
        for row in sites
        if row["nodule_diameter_mm"] is not None and MANIPULATIONS[row["manipulation"]] == manipulation
    ]


def _spacings(axes: Axes, found: Holdings) -> None:
    spacings = np.array([row["spacing_mm"] for row in found.scans.values()])
    axes.scatter(spacings[:, 2], spacings[:, 0], s=20, color=DARK, alpha=0.55, linewidth=0)
    axes.set(title="Spacing of the scans", xlabel="in the slice (mm)", ylabel="between slices (mm)")
    axes.set_ylim(0, max(3.2, spacings[:, 0].max() * 1.12))
    axes.margins(x=0.12)
    axes.grid(color=LIGHT, linewidth=0.7)
    axes.set_axisbelow(True)


def _coronal(axes: Axes, found: Holdings) -> None:
    """From the front, as a radiologist looks at it: the patient's left is on the right."""
    for shadow in found.shadows:
        _shade(axes, shadow.coronal, shadow.x_mm, (shadow.depth_mm, 0.0), len(found.shadows))
    _sites(axes, found, lambda x, y, z: (x, z))
    depths = [row["shape_zyx"][0] * row["spacing_mm"][0] for row in found.scans.values()]
    _frame(axes, found, (max(depths), 0.0))
    axes.set(title="Sites from the front (coronal)", xlabel=ACROSS, ylabel="below the first slice (mm)")


def _axial(axes: Axes, found: Holdings) -> None:
    """From the feet, as a slice is shown: the patient's left is on the right, the back below."""
    for shadow in found.shadows:
        _shade(axes, shadow.axial, shadow.x_mm, shadow.y_mm[::-1], len(found.shadows))
    _sites(axes, found, lambda x, y, z: (x, y))
    half = _half(found, [np.asarray(shadow.axial.any(axis=1)) for shadow in found.shadows], 1)
    _frame(axes, found, (half, -half))
    axes.set(title="Sites from below (axial)", xlabel=ACROSS, ylabel="front to back (mm)")
    if found.sites:
        axes.legend(loc="lower center", ncols=2, fontsize=8, handletextpad=0.2)


def _half(found: Holdings, lungs: list[np.ndarray], axis: int) -> float:
    """How far from the middle lungs and sites go, x (0) or y (1), but not beyond the largest scan."""
    widest = max(row["shape_zyx"][2 - axis] * row["spacing_mm"][2 - axis] for row in found.scans.values()) / 2
    furthest = [abs(_from_middle(row)[axis]) for row in found.sites]
    for shadow, line in zip(found.shadows, lungs, strict=True):
        edges = np.linspace(*(shadow.x_mm if axis == 0 else shadow.y_mm), len(line))
        furthest += np.abs(edges[line]).tolist()
    return float(min(widest, max(furthest, default=widest) + MARGIN_MM))


def _frame(axes: Axes, found: Holdings, vertical: tuple[float, float]) -> None:
    half = _half(found, [np.asarray(shadow.coronal.any(axis=0)) for shadow in found.shadows], 0)
    axes.set(xlim=(-half, half), ylim=vertical, aspect="equal", anchor="N")
    axes.grid(color=LIGHT, linewidth=0.7)
    axes.set_axisbelow(True)


def _shade(axes: Axes, lungs: np.ndarray, x_mm: tuple[float, float], vertical: tuple[float, float], count: int) -> None:
    shade = np.zeros((*lungs.shape, 4))
    shade[..., :3] = mpl.colors.to_rgb(GREY)
    shade[..., 3] = lungs * 0.75 / count
    axes.imshow(shade, extent=(*x_mm, *vertical), interpolation="bilinear", zorder=1)


def _sites(axes: Axes, found: Holdings, project: Any) -> None:  # noqa: ANN401 (two of x, y, z)
    for kind, colour in OF_MANIPULATIONS.items():
        places = [project(*_from_middle(row)) for row in found.sites if MANIPULATIONS[row["manipulation"]] == kind]
        if places:
            across, down = zip(*places, strict=True)
            inside = colour if kind == "injection" else "none"
            axes.scatter(across, down, s=26, c=inside, edgecolor=colour, linewidth=1.1, label=kind, zorder=3)


def _from_middle(row: Row) -> tuple[float, float, float]:
    """A site: mm to the patient's left and back from the scan's middle, and mm below its first slice."""
    z, y, x = np.multiply(row["centre_zyx"], row["spacing_mm"])
    _, height, width = np.multiply(np.subtract(row["shape_zyx"], 1), row["spacing_mm"])
    left, back = np.sign(row["direction"][0]) or 1, np.sign(row["direction"][4]) or 1
    return float(left * (x - width / 2)), float(back * (y - height / 2)), float(z)


def _nothing(axes: Axes) -> None:
    axes.text(0.5, 0.5, "none known", ha="center", va="center", transform=axes.transAxes, color=GREY)
    axes.set(xticks=[], yticks=[])
