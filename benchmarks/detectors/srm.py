"""Three fixed filters of the steganalysis rich model (Fridrich & Kodovsky, TIFS 2012)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

ALONG_X = [
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
    [0, 1, -2, 1, 0],
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
]
SQUARE_3 = [
    [0, 0, 0, 0, 0],
    [0, -1, 2, -1, 0],
    [0, 2, -4, 2, 0],
    [0, -1, 2, -1, 0],
    [0, 0, 0, 0, 0],
]
SQUARE_5 = [
    [-1, 2, -2, 2, -1],
    [2, -6, 8, -6, 2],
    [-2, 8, -12, 8, -2],
    [2, -6, 8, -6, 2],
    [-1, 2, -2, 2, -1],
]


class SRM(nn.Module):
    """What a pixel's neighbours do not predict of it. Each kernel has -1 in the middle; nothing is learned.

    Photographs get nine maps, three for each colour; grey has three. A constant picture leaves nothing.
    """

    kernels: Tensor

    def __init__(self) -> None:
        super().__init__()
        kernels = torch.tensor([SQUARE_3, SQUARE_5, ALONG_X], dtype=torch.float32).unsqueeze(1)
        self.register_buffer("kernels", kernels / kernels[:, :, 2:3, 2:3].abs(), persistent=False)

    def forward(self, x: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 3 height-4 width-4"]:
        """Only where the kernels lie wholly inside ``x``."""
        return functional.conv2d(x, self.kernels)
