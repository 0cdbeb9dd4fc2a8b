"""Constrained convolution (Bayar & Stamm, TIFS 2018): each kernel learns to predict a pixel from those around it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

SIDE = 5
AROUND = SIDE**2 - 1
"""Pixels around the middle one."""


class BayarConv(nn.Module):
    """Kernels of one channel whose middle is -1 and whose other 24 weights sum to 1: what is left of a prediction.

    The paper divides the 24 weights by their sum after each step. They have either sign, so the sum comes near 0 now
    and then, the weights burst, and NaN follows. Here the learned numbers are free and the kernel is their orthogonal
    projection onto the constraint: their mean is taken from each and 1/24 put in its place. It is linear, divides by
    nothing that is learned, reaches every kernel that the constraint allows, and holds at every moment, also within
    an optimiser's step.

    Args:
        out: Kernels.
    """

    def __init__(self, out: int) -> None:
        super().__init__()
        self.free = nn.Parameter(torch.randn(out, AROUND) / AROUND**0.5)

    @property
    def kernels(self) -> Float[Tensor, "out 1 5 5"]:
        """The kernels that the free numbers stand for."""
        around = self.free - self.free.mean(dim=1, keepdim=True) + 1 / AROUND
        middle = -torch.ones_like(around[:, :1])
        before, after = around.chunk(2, dim=1)
        return torch.cat([before, middle, after], dim=1).view(-1, 1, SIDE, SIDE)

    def forward(self, x: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch out height-4 width-4"]:
        """Only where the kernels lie wholly inside ``x``."""
        return functional.conv2d(x, self.kernels)
