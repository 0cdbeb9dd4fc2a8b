"""The body of ResNet-50 (He et al., CVPR 2016), with its strides and dilations free to choose."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

EXPANSION = 4
"""Channels of a bottleneck's output, in its own."""


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution, added to what came in.

    The stride is in the 3x3 convolution, as today's ImageNet weights have it; the paper has it in the first 1x1.
    """

    def __init__(self, channels: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        out = width * EXPANSION
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch out h w"]:
        """Height and width over the stride, rounded up."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        added: Tensor = self.relu(self.bn3(self.conv3(y)) + self.downsample(x))
        return added


class ResNet50(nn.Module):
    """All of ResNet-50 before its pooling: 23.5 M parameters.

    Its tensors bear the names that ImageNet weights for PyTorch have (``conv1``, ``layer1.0.bn1``), so that such
    weights can be loaded by whoever has them.

    Args:
        channels: Of what comes in.
        width: Channels of the first convolution; the stages have 4, 8, 16 and 32 times as many.
        blocks: Bottlenecks of each stage.
        stem_stride: Of the first convolution.
        pool_stride: Of the pooling after it.
        dilations: Of each bottleneck of the last stage, which then keeps the size of the stage before; None for a
            plain last stage, which halves it.
    """

    def __init__(
        self,
        channels: int = 3,
        *,
        width: int = 64,
        blocks: tuple[int, int, int, int] = (3, 4, 6, 3),
        stem_stride: int = 2,
        pool_stride: int = 2,
        dilations: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if dilations is not None and len(dilations) != blocks[3]:
            raise ValueError(f"dilations must be one for each block of the last stage, {blocks[3]}, got {dilations}")
        self.conv1 = nn.Conv2d(channels, width, 7, stem_stride, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, pool_stride, padding=1)
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.widths = tuple(stage * EXPANSION for stage in widths)
        """Channels of each stage's output."""
        self.layer1 = _stage(width, widths[0], 1, [1] * blocks[0])
        self.layer2 = _stage(self.widths[0], widths[1], 2, [1] * blocks[1])
        self.layer3 = _stage(self.widths[1], widths[2], 2, [1] * blocks[2])
        self.layer4 = _stage(self.widths[2], widths[3], 2 if dilations is None else 1, dilations or [1] * blocks[3])
        self.apply(_initialise)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> list[Float[Tensor, "batch _ _ _"]]:
        """The outputs of the four stages, the finest first.

        Their sides are those of ``x`` over ``stem_stride * pool_stride``, 2, 4 and 8 times that (the last 4 times with
        dilations), rounded up.
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        stages = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            stages.append(x)
        return stages


def _stage(channels: int, width: int, stride: int, dilations: Sequence[int]) -> nn.Sequential:
    """One bottleneck for each dilation; the first strides."""
    first, *others = dilations
    rest = (Bottleneck(width * EXPANSION, width, 1, dilation) for dilation in others)
    return nn.Sequential(Bottleneck(channels, width, stride, first), *rest)


def _initialise(module: nn.Module) -> None:
    """He's normal weights, by what goes out; batch normalisation starts as the identity by itself."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
