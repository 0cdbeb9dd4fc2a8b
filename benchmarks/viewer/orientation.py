"""How a scan is turned towards the reader, by radiological convention.

Axial slices are seen from the feet, so the patient's left is on the right; the head is at the top of coronal and
sagittal pictures, and the front at the left of sagittal ones. So along every axis a picture ends with F, P or L.
"""

from dataclasses import dataclass

import numpy as np

from m3dsynth_dataset.volume import Geometry

_TOWARDS = (("R", "L"), ("A", "P"), ("F", "H"))
"""Where the patient's x, y and z (LPS) come from, and where they grow to."""
_LAST = "FPL"


@dataclass(frozen=True)
class Orientation:
    """Of the axes z, y, x of a scan."""

    flipped: tuple[bool, bool, bool]
    """Whether an axis is shown from its last voxel to its first."""
    letters: tuple[str, str, str]
    """Where a picture begins and ends along each axis: ``HF``, ``AP``, ``RL`` for axes along the patient's."""

    @classmethod
    def of(cls, geometry: Geometry) -> "Orientation":
        """How a scan is shown. Oblique axes take the letters of the patient's axes nearest to them."""
        matrix = np.reshape(geometry.direction, (3, 3))
        ends = [_ends(matrix[:, column]) for column in (2, 1, 0)]
        z, y, x = (after not in _LAST for _, after in ends)
        letters = ["".join(end[::-1] if flip else end) for end, flip in zip(ends, (z, y, x), strict=True)]
        return cls((z, y, x), (letters[0], letters[1], letters[2]))


def _ends(direction: np.ndarray) -> tuple[str, str]:
    """The letters at the first and at the last voxel of an axis."""
    axis = int(np.argmax(np.abs(direction)))
    comes, grows = _TOWARDS[axis]
    return (comes, grows) if direction[axis] > 0 else (grows, comes)
