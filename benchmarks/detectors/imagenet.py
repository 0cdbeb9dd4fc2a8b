"""Pictures as networks expect them that have begun with ImageNet."""

import torch
from jaxtyping import Float
from torch import Tensor

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of red, green and blue in ImageNet, for pictures in 0 to 1."""


def as_imagenet(grey: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 3 height width"]:
    """A grey picture in 0 to 1, three times, with the mean and deviation of each colour taken out."""
    mean, std = (
        torch.tensor(colours, dtype=grey.dtype, device=grey.device).view(1, 3, 1, 1) for colours in (MEAN, STD)
    )
    return (grey - mean) / std
