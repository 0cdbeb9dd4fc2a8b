"""The mix transformer of SegFormer (Xie et al., NeurIPS 2021), from transformers: four stages, one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import TYPE_CHECKING

from torch import nn

from m3dsynth_dataset.errors import MissingExtraError

if TYPE_CHECKING:
    from transformers import SegformerConfig, SegformerModel

PATCHES, STRIDES = (7, 3, 3, 3), (4, 2, 2, 2)
"""Of each stage: the side of its patches, and from one to the next. They overlap."""


class MixTransformer(nn.Module):
    """The stages of a SegFormer encoder; whoever has it calls them one after the other.

    With the widths 64, 128, 320 and 512 and the depths 3, 4, 6 and 3 it is MiT-B2: 24.196 M parameters. Weights are
    random; :meth:`load_pretrained` takes others.

    Two constants are those of transformers: layer norms have an epsilon of 1e-5 (SegFormer's own code: 1e-6 in the
    blocks), and the rate of the stochastic depth grows evenly over all blocks.

    Args:
        widths: Channels of each stage.
        depths: Blocks of each stage.
        heads: Of each stage's attention.
        reductions: How many times fewer keys than queries a stage's attention has, along each axis.
        drop_path: Rate of the stochastic depth in the last block.
    """

    def __init__(
        self,
        widths: Sequence[int],
        depths: Sequence[int],
        heads: Sequence[int],
        reductions: Sequence[int],
        drop_path: float,
    ) -> None:
        super().__init__()
        self.widths, self.depths = tuple(widths), tuple(depths)
        model = _segformer(widths, depths, heads, reductions, drop_path)
        self.stages: nn.ModuleList = model.stages
        self.stages.apply(_initialise)
        self.smallest = max((r - 1) * s + 1 for r, s in zip(reductions, accumulate(STRIDES, mul), strict=True))
        """Pixels of the shortest side: fewer would leave a stage without a key."""

    def load_pretrained(self, source: str) -> None:
        """Take weights, such as those for ImageNet.

        Args:
            source: A name on the Hub, such as ``nvidia/mit-b2`` (NVIDIA's licence: not for commerce), or a folder.

        Raises:
            ValueError: If they are for other sizes.
            OSError: If there are none, or the Hub cannot be reached.
        """
        from transformers import SegformerModel

        model: SegformerModel = SegformerModel.from_pretrained(source)
        theirs, ours = _sizes(model.config), (self.widths, self.depths)
        if theirs != ours:
            raise ValueError(f"backbone {source} has widths and depths {theirs}, but the preset needs {ours}")
        self.stages.load_state_dict(model.stages.state_dict())


def _segformer(
    widths: Sequence[int], depths: Sequence[int], heads: Sequence[int], reductions: Sequence[int], drop_path: float
) -> SegformerModel:
    try:
        from transformers import SegformerConfig, SegformerModel
    except ImportError as error:
        raise MissingExtraError(
            "trufor needs transformers, which is not installed: pip install 'm3dsynth[benchmarks]'"
        ) from error
    config = SegformerConfig(
        num_encoder_blocks=len(widths),
        hidden_sizes=list(widths),
        depths=list(depths),
        num_attention_heads=list(heads),
        sr_ratios=list(reductions),
        patch_sizes=list(PATCHES),
        strides=list(STRIDES),
        mlp_ratios=[4] * len(widths),
        drop_path_rate=drop_path,
    )
    return SegformerModel(config)


def _sizes(config: SegformerConfig) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(config.hidden_sizes), tuple(config.depths)


def _initialise(module: nn.Module) -> None:
    """SegFormer's convolutions. Those of transformers start so small that the depthwise ones hide what comes in."""
    if isinstance(module, nn.Conv2d) and module.bias is not None:
        fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
        nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        nn.init.zeros_(module.bias)
