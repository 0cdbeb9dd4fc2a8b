"""Strips: an edit's axial slice before, after, and what differs, for a picture."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int16

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.sample import Sample

SIDE_MM = 44.0


@dataclass(frozen=True, eq=False)
class Strip:
    """The slice through the middle of an edit, about 44 mm wide."""

    sample_id: str
    patient: str
    before: Int16[np.ndarray, "h w"]
    """HU."""
    after: Int16[np.ndarray, "h w"]
    aspect: float
    """Of a pixel: height to width."""


def strip(sample: Sample, window: Box) -> Strip:
    """Cut the strip of a sample; beyond the scan is air.

    Args:
        sample: With an edit.
        window: Around it.
    """
    _, y_mm, x_mm = sample.geometry.spacing_mm
    z, y, x = (first + length // 2 for first, length in zip(window.start, window.shape, strict=True))
    height, width = round(SIDE_MM / y_mm), round(SIDE_MM / x_mm)
    start, shape = (z, y - height // 2, x - width // 2), (1, height, width)
    before, after = (volume.crop(start, shape)[0] for volume in (sample.pristine, sample.ct))
    return Strip(sample.id, str(sample.row["patient_id"]), before, after, y_mm / x_mm)
