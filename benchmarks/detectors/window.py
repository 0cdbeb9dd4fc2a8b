"""From Hounsfield units to what networks for pictures expect."""

from jaxtyping import Float
from torch import Tensor

LOW_HU, HIGH_HU = -1200.0, 600.0
"""Air to soft tissue and a little bone: everything that a lung, and what was put into it, can hold."""


def windowed(hu: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Hounsfield units in 0 to 1; what lies beyond the window is cut off."""
    return ((hu - LOW_HU) / (HIGH_HU - LOW_HU)).clamp(0, 1)
