"""The surroundings of an edit: windows of the same shape beside it, in the same slices, in like tissue."""

from itertools import product

import numpy as np
from jaxtyping import Bool, Int16

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.lazy import EditedVolume
from m3dsynth_dataset.types import Triple

NEIGHBOURS = 5
"""Windows that are kept of the 16 around an edit, at one and at two widths."""
RIM = 2
"""Voxels, in plane, of the rim by which tissue is compared: what is edited lies deeper, in the main."""
PERCENTILES = (25, 50, 75)

Window = Int16[np.ndarray, "d h w"]


def surroundings(
    pristine: EditedVolume, window: Box, mask: Bool[np.ndarray, "d h w"]
) -> tuple[Window, list[tuple[Triple, Window]]]:
    """The window before the edit, and up to five beside it, the most alike first.

    Alike are windows whose voxels outside and on the rim of the mask have like quartiles of HU. The scan is read once.

    Args:
        pristine: The scan.
        window: Around an edit; inside the scan.
        mask: Of the window.

    Returns:
        HU of the window; by how many voxels each other one is shifted, and its HU.
    """
    whole = Box((0, 0, 0), pristine.shape)
    places = [place for place in (_shifted(window, step) for step in _steps(window)) if place in whole]
    hull = Box.between(
        [min(place.start[axis] for place in (window, *places)) for axis in range(3)],
        [max(place.stop[axis] for place in (window, *places)) for axis in range(3)],
    )
    voxels = pristine.read(hull)
    before, *others = (voxels[place.relative_to(hull).slices()] for place in (window, *places))
    rim = _rim(mask)
    unlike = [float(np.abs(_quartiles(other, rim) - _quartiles(before, rim)).max()) for other in others]
    order = np.argsort(unlike, kind="stable")[:NEIGHBOURS]
    return before, [(_difference(places[number], window), others[number]) for number in order]


def _steps(window: Box) -> list[Triple]:
    """To the eight windows beside it in plane, and to those as far again."""
    _, height, width = window.shape
    sides = [side for side in product((-1, 0, 1), repeat=2) if any(side)]
    return [(0, far * y * height, far * x * width) for far in (1, 2) for y, x in sides]


def _rim(mask: Bool[np.ndarray, "d h w"]) -> Bool[np.ndarray, "d h w"]:
    """All but the middle of the window in plane."""
    rim = np.ones(mask.shape, dtype=bool)
    rim[:, 1 + RIM : -1 - RIM, 1 + RIM : -1 - RIM] = False
    return np.asarray(rim | ~mask)


def _quartiles(voxels: Window, where: Bool[np.ndarray, "d h w"]) -> np.ndarray:
    return np.asarray(np.percentile(voxels[where], PERCENTILES))


def _shifted(box: Box, step: Triple) -> Box:
    z, y, x = (first + by for first, by in zip(box.start, step, strict=True))
    return Box((z, y, x), box.shape)


def _difference(place: Box, window: Box) -> Triple:
    return place.relative_to(window).start
