"""The paper's Figure 3: how malignant the sites look, before, and after each generator."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.deception.figures import THRESHOLD
from benchmarks.deception.scores import Change
from m3dsynth_dataset.schema import CONTROL

BINS = np.linspace(0, 1, 11).tolist()
COLOURS = {"injection": "tab:blue", "removal": "tab:orange"}


def histograms(changes: Sequence[Change]) -> Figure:
    """A panel for the pristine scans, and one for each generator, the control last.

    Args:
        changes: Of at least one generator.
    """
    generators = sorted({change.generator for change in changes}, key=lambda name: (name == CONTROL, name))
    figure = Figure(figsize=(3.2 * (len(generators) + 1), 3.2), layout="constrained")
    first, *others = figure.subplots(1, len(generators) + 1, sharey=True, squeeze=False)[0]
    before = {(change.scan_id, change.manipulation, change.site_id): change for change in changes}
    _panel(first, "pristine", [(change.manipulation, change.before) for change in before.values()])
    first.set_ylabel("share of sites")
    for axes, generator in zip(others, generators, strict=True):
        title = f"{generator} (control)" if generator == CONTROL else generator
        _panel(axes, title, [(each.manipulation, each.after) for each in changes if each.generator == generator])
    first.legend(fontsize="small")
    return figure


def png(changes: Sequence[Change]) -> bytes:
    """The same as a file."""
    file = BytesIO()
    histograms(changes).savefig(file, dpi=120, format="png")
    return file.getvalue()


def _panel(axes: Axes, title: str, scores: Sequence[tuple[str, float]]) -> None:
    for manipulation, colour in COLOURS.items():
        here = [score for kind, score in scores if kind == manipulation]
        if here:
            share = np.full(len(here), 1 / len(here))
            axes.hist(here, BINS, weights=share, color=colour, alpha=0.6, label=f"sites of {manipulation}s")
    axes.axvline(THRESHOLD, color="gray", linewidth=0.8, linestyle=":")
    axes.set(title=title, xlabel="probability of malignancy", xlim=(0, 1), ylim=(0, 1))
