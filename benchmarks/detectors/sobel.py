"""Attention to where features change: the Sobel operator as a layer (MVSS-Net, Chen et al., ICCV 2021)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

ALONG_X = [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]
FLAT = 1e-8
"""Added to a squared magnitude: the gradient of its root has no bound at 0."""


class SobelGate(nn.Module):
    """Multiplies features by the sigmoid of the magnitude of their gradient.

    The gradient is that of all channels together, normalised along each axis. It is that of their mean: the filter is
    linear, and the normalisation takes out how many channels there are. The picture goes on beyond its border as it
    ends there, so that its frame is no edge.
    """

    kernels: Tensor

    def __init__(self) -> None:
        super().__init__()
        along_x = torch.tensor(ALONG_X)
        self.register_buffer("kernels", torch.stack([along_x, along_x.T]).unsqueeze(1), persistent=False)
        self.normalise = nn.BatchNorm2d(2)

    def gradient(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch 2 height width"]:
        """Along x and along y, before normalisation."""
        mean = x.mean(dim=1, keepdim=True, dtype=torch.float32)
        return functional.conv2d(functional.pad(mean, (1, 1, 1, 1), mode="replicate"), self.kernels)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        """The features, from half of each to all of it."""
        squares: Tensor = self.normalise(self.gradient(x)).square()
        return x * (squares.sum(dim=1, keepdim=True) + FLAT).sqrt().sigmoid()
