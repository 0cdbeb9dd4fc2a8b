"""Pictures of edits: before, after, difference and mask, in three planes."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from builder.errors import BuilderError
from m3dsynth_dataset.configs import is_control
from m3dsynth_dataset.release import Release
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import PRISTINE
from m3dsynth_dataset.staging import staged

LUNG_WINDOW_HU = (-1350, 150)
"""Level -600, width 1500."""
DIFFERENCE_HU = 400
AROUND_MM = 48.0
"""Half the width of what is shown around a site."""
PLANES = ("axial", "coronal", "sagittal")
COLUMNS = ("whole slice", "before", "after", "difference", "mask")


def pick_samples(release: Release) -> list[Sample]:
    """The first edit of every generator and manipulation; of the control where there is no generator."""
    edits = [config for config in release.configs if config != PRISTINE]
    made = [config for config in edits if not is_control(config)]
    return [_first(release, config) for config in made or edits]


def _first(release: Release, config: str) -> Sample:
    rows = release.rows(config, release.splits[config][-1], ["sample_id"])
    return release.sample(rows["sample_id"][0].as_py())


def draw_edits(samples: Sequence[Sample], out: Path) -> None:
    """Draw samples under each other.

    Args:
        samples: Each with an edit.
        out: PNG file to write.

    Raises:
        BuilderError: If a sample has no edit.
    """
    if pristine := [sample.id for sample in samples if sample.label == PRISTINE]:
        raise BuilderError(f"a picture needs a sample with an edit, got {', '.join(pristine)}")
    rows = len(PLANES) * len(samples)
    figure = Figure(figsize=(2.6 * len(COLUMNS), 2.6 * rows), layout="constrained")
    axes = np.asarray(figure.subplots(rows, len(COLUMNS), squeeze=False))
    for number, sample in enumerate(samples):
        for axis, plane in enumerate(PLANES):
            _draw_plane(list(axes[number * len(PLANES) + axis]), sample, axis, plane)
    with staged(out) as place, mpl.rc_context({"font.size": 8}):
        figure.savefig(place, dpi=110, format="png")


def _draw_plane(axes: Sequence[Axes], sample: Sample, axis: int, plane: str) -> None:
    centre = sample.row["centre_zyx"]
    index = tuple(
        min(max(centre[axis], 0), sample.ct.shape[axis] - 1) if each == axis else slice(None) for each in range(3)
    )
    before, after, mask = sample.pristine[index], sample.ct[index], sample.mask[index]
    in_plane = [each for each in range(3) if each != axis]
    steps = [sample.geometry.spacing_mm[each] for each in in_plane]
    middle = [centre[each] for each in in_plane]
    window = _window(before.shape, middle, steps)
    aspect = steps[0] / steps[1]
    pictures = (
        (before, "gray", LUNG_WINDOW_HU),
        (before[window], "gray", LUNG_WINDOW_HU),
        (after[window], "gray", LUNG_WINDOW_HU),
        (after[window].astype(int) - before[window], "RdBu_r", (-DIFFERENCE_HU, DIFFERENCE_HU)),
        (mask[window], "gray", (0, 1)),
    )
    for ax, title, (pixels, colours, (low, high)) in zip(axes, COLUMNS, pictures, strict=True):
        ax.imshow(pixels, cmap=colours, vmin=low, vmax=high, aspect=aspect, interpolation="nearest")
        ax.set_title(f"{sample.id}, {plane}: {title}" if title == COLUMNS[0] else title, fontsize=7)
        ax.set_axis_off()
    y, x = window
    axes[0].add_patch(_frame(y, x))


def _frame(y: slice, x: slice) -> Rectangle:
    return Rectangle((x.start, y.start), x.stop - x.start, y.stop - y.start, fill=False, edgecolor="tab:orange")


def _window(shape: tuple[int, ...], middle: Sequence[int], steps: Sequence[float]) -> tuple[slice, slice]:
    y, x = (
        slice(max(0, centre - round(AROUND_MM / step)), min(length, centre + round(AROUND_MM / step) + 1))
        for length, centre, step in zip(shape, middle, steps, strict=True)
    )
    return y, x
