"""A picture of cubes side by side: their central slices in the lung window."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Int16
from matplotlib.figure import Figure

from generation.filling import fill, masked
from generation.inpainter import Inpainter
from generation.mask import SIDE
from m3dsynth_dataset.staging import staged

WINDOW_HU = (-1350, 150)
"""The lung window: level -600, width 1500."""
COLUMNS = 8
INCHES = 1.2


def show(
    inpainter: Inpainter, cubes: Int16[np.ndarray, "n 32 32 32"], seeds: list[int], path: Path, *, title: str
) -> None:
    """Draw cubes (at most COLUMNS, evenly chosen) as they are, as the inpainter sees them, and as it fills them."""
    chosen = np.linspace(0, len(cubes) - 1, min(COLUMNS, len(cubes))).round().astype(int)
    cubes, seeds = cubes[chosen], [seeds[index] for index in chosen]
    rows = {"input": cubes, "masked": masked(inpainter, cubes), "filled": fill(inpainter, cubes, seeds)}
    draw(rows, path, title=title)


def draw(rows: Mapping[str, Int16[np.ndarray, "n 32 32 32"]], path: Path, *, title: str) -> None:
    """Write a PNG with one row of central axial slices per entry.

    Args:
        rows: Cubes in HU by the name of their row, the same number in each.
        path: File to write.
        title: Line above the picture.
    """
    count = max(len(cubes) for cubes in rows.values())
    figure = Figure(figsize=((count + 0.5) * INCHES, len(rows) * INCHES + 0.3), layout="constrained")
    figure.suptitle(title, fontsize=9)
    axes = figure.subplots(len(rows), count, squeeze=False)
    for line, (name, cubes) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name)
        for place, cube in zip(line, cubes, strict=True):
            place.imshow(cube[SIDE // 2], cmap="gray", vmin=WINDOW_HU[0], vmax=WINDOW_HU[1])
            place.set(xticks=[], yticks=[])
    with staged(path) as beside:
        figure.savefig(beside, format="png", dpi=150)
