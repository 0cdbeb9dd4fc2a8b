"""A border that repeats the picture backwards, its outermost pixels included."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor


def mirrored(
    x: Float[Tensor, "batch channels height width"], margin: int
) -> Float[Tensor, "batch channels height+2*{margin} width+2*{margin}"]:
    """``x`` with ``margin`` more pixels on each side: c b a | a b c d | d c b.

    Also of pictures that are smaller than the margin, which PyTorch's own padding refuses. A margin of 1 is its
    ``replicate``; its ``reflect`` leaves the outermost pixels out.
    """
    height, width = x.shape[-2:]
    return x.index_select(-2, _there_and_back(height, margin, x)).index_select(-1, _there_and_back(width, margin, x))


def _there_and_back(side: int, margin: int, x: Tensor) -> Int64[Tensor, " {side}+2*{margin}"]:
    """Where each pixel of the larger side comes from."""
    place = torch.arange(-margin, side + margin, device=x.device) % (2 * side)
    return torch.minimum(place, 2 * side - 1 - place)
