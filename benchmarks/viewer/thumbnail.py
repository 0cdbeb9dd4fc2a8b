"""Pictures for the index: the axial slice at a site before and after, in a lung window."""

from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from benchmarks.viewer.place import Place
from m3dsynth_dataset.export.notice import notice
from m3dsynth_dataset.lazy import EditedVolume
from m3dsynth_dataset.sample import Sample

PIXELS = 160
"""Of a side."""
GAP = 4
SIDE_MM = 44.0
LUNG_WINDOW_HU = (-1350.0, 150.0)
"""Level -600, width 1500."""


def write_thumbnail(path: Path, sample: Sample, place: Place, flipped: tuple[bool, bool, bool]) -> None:
    """Write a PNG of two squares: before and after, or for a pristine scan the whole slice and its middle.

    Args:
        path: File to write.
        sample: What is shown.
        place: Where.
        flipped: See :class:`benchmarks.viewer.orientation.Orientation`.
    """
    squares = [_square(volume, place, SIDE_MM) for volume in (sample.pristine, sample.ct)]
    if sample.label == "pristine":
        squares[0] = _square(sample.ct, place, _width_mm(sample), centre=False)
    left, right = (_turned(square, flipped) for square in squares)
    pixels = np.hstack([left, np.zeros((PIXELS, GAP), np.uint8), right])
    information = PngInfo()
    information.add_text("Description", notice(sample))
    Image.fromarray(pixels).save(path, format="PNG", optimize=True, pnginfo=information)


def _width_mm(sample: Sample) -> float:
    _, height, width = sample.ct.shape
    _, y_mm, x_mm = sample.geometry.spacing_mm
    return max(height * y_mm, width * x_mm)


def _square(volume: EditedVolume, place: Place, side_mm: float, *, centre: bool = True) -> np.ndarray:
    """A square of the axial slice around the place, or around the slice's middle, as grey levels."""
    _, y_mm, x_mm = place.sample.geometry.spacing_mm
    z, *site = place.centre
    middle = [each + 0.5 for each in site] if centre else [length / 2 for length in volume.shape[1:]]
    half = side_mm / 2 / y_mm, side_mm / 2 / x_mm
    start = [int(np.floor(each - reach)) for each, reach in zip(middle, half, strict=True)]
    shape = [int(np.ceil(2 * reach)) + 1 for reach in half]
    voxels = volume.crop((z, start[0], start[1]), (1, shape[0], shape[1]))[0]
    top, left = (each - reach - first for each, reach, first in zip(middle, half, start, strict=True))
    box = (left, top, left + 2 * half[1], top + 2 * half[0])
    picture = Image.fromarray(voxels.astype(np.float32)).resize((PIXELS, PIXELS), Image.Resampling.BICUBIC, box)
    return _grey(np.asarray(picture))


def _grey(hounsfield: np.ndarray) -> np.ndarray:
    low, high = LUNG_WINDOW_HU
    return np.rint(np.clip((hounsfield - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def _turned(square: np.ndarray, flipped: tuple[bool, bool, bool]) -> np.ndarray:
    _, y, x = flipped
    return square[:: -1 if y else 1, :: -1 if x else 1]
