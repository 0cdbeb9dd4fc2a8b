"""The last activation of the generators."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Tanh(nn.Module):
    """tanh(x) = 2 sigmoid(2x) - 1.

    On a CPU, the first call of torch.tanh in a process now and then gives fewer digits on one of its threads, and
    the same seed another cube.
    """

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Values in [-1, 1]."""
        return 2 * torch.sigmoid(2 * x) - 1
