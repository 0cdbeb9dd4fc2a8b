"""Noiseprint++: an extractor of noise residuals (TruFor: Guillaro et al., CVPR 2023)."""

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor, nn


class Noiseprint(nn.Module):
    """DnCNN (Zhang et al., IEEE TIP 2017) whose answer is the residual itself, not the picture without it.

    With 17 layers of 64 features it has 0.557 M parameters, as published. It sees 3 channels, all alike for CT.

    The first filters begin blind to brightness, and repeat the border of the picture where DnCNN has zeros: otherwise
    tissue, which is many times stronger than noise, is what the extractor first learns about.

    Args:
        layers: 3x3 convolutions; all but the first and the last are normalised.
        features: Channels between them.
    """

    def __init__(self, layers: int = 17, features: int = 64) -> None:
        super().__init__()
        first = nn.Conv2d(3, features, 3, padding=1, padding_mode="replicate")
        self.layers = nn.Sequential(first, nn.ReLU(inplace=True), *_layers(layers - 1, features))
        self.apply(_initialise)
        first.weight.data -= first.weight.data.mean(dim=(1, 2, 3), keepdim=True)

    def forward(self, picture: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 1 height width"]:
        """The residual, in units of its own, from a picture in 0 to 1."""
        residual: Tensor = self.layers(picture)
        return residual


def _layers(layers: int, features: int) -> Iterator[nn.Module]:
    """All but the first."""
    for _ in range(layers - 1):
        yield nn.Conv2d(features, features, 3, padding=1, bias=False)
        yield from (nn.BatchNorm2d(features), nn.ReLU(inplace=True))
    yield nn.Conv2d(features, 1, 3, padding=1)


def _initialise(module: nn.Module) -> None:
    """He's weights, as DnCNN has them."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
