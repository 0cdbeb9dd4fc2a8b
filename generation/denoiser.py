"""The network of the diffusion model: MONAI's U-Net, with two helps for networks that have to be small."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from generation.diffusion import Schedule
from generation.mask import SIDE

DATA_STD = 0.5
"""Of training cubes in [-1, 1], about."""


class Denoiser(nn.Module):
    """Predicts the noise in cubes from them, their masked cubes beside them, and their level.

    Args:
        channels: Of each halving of the cube.
        attention: Whether a halving has self-attention; the middle always has.
        blocks: Residual blocks of each halving.
        groups: Of group normalisation.
        head: Channels of an attention head.
        block: Side of the blocks of voxels that become channels before the first convolution: 2 makes the network
            eight times cheaper and its finest detail coarser.
        window: Side of the central part of the cube that the network looks at. In the ring around it its guess is 0.
        preconditioned: Whether the U-Net only corrects the best linear guess of the noise (Karras et al., NeurIPS
            2022, in terms of epsilon). At high levels the noise is nearly all there is, and a network that was
            trained for a minute does not even get that right.
        schedule: Of the levels.
    """

    alpha_bar: Tensor

    def __init__(
        self,
        *,
        channels: tuple[int, ...],
        attention: tuple[bool, ...],
        blocks: int,
        groups: int,
        head: int,
        block: int,
        window: int,
        preconditioned: bool,
        schedule: Schedule,
    ) -> None:
        # Here, since it takes three seconds, and most commands have no denoiser.
        from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet

        super().__init__()
        self.block = block
        self.margin = (SIDE - window) // 2
        self.preconditioned = preconditioned
        self.register_buffer("alpha_bar", schedule.alpha_bar.float(), persistent=False)
        self.unet = DiffusionModelUNet(
            spatial_dims=3,
            in_channels=2 * block**3,
            out_channels=block**3,
            num_res_blocks=blocks,
            channels=channels,
            attention_levels=attention,
            norm_num_groups=groups,
            num_head_channels=head,
            use_flash_attention=True,
        )

    def forward(
        self,
        noisy: Float[Tensor, "batch 1 32 32 32"],
        masked: Float[Tensor, "batch 1 32 32 32"],
        level: Int64[Tensor, " batch"],
    ) -> Float[Tensor, "batch 1 32 32 32"]:
        """The noise, as 32-bit numbers."""
        inside = slice(self.margin, SIDE - self.margin)
        window = (slice(None), slice(None), inside, inside, inside)
        noise = self._noise(noisy[window], masked[window], level)
        return functional.pad(noise, [self.margin] * 6)

    def _noise(
        self,
        noisy: Float[Tensor, "batch 1 side side side"],
        masked: Float[Tensor, "batch 1 side side side"],
        level: Int64[Tensor, " batch"],
    ) -> Float[Tensor, "batch 1 side side side"]:
        if not self.preconditioned:
            return self._unet(noisy, masked, level)
        kept = self._kept(level)
        variance = kept * DATA_STD**2 + 1 - kept
        guess = noisy * (1 - kept).sqrt() / variance
        return guess + self.left(level) * self._unet(noisy / variance.sqrt(), masked, level)

    def left(self, level: Int64[Tensor, " batch"]) -> Float[Tensor, "batch 1 1 1 1"]:
        """Standard deviation of what the U-Net has to predict: of the noise that the linear guess leaves, else 1.

        A loss in these units weighs all levels alike. In units of the noise, the high levels, where it is decided what
        there is to see, would not count: there the linear guess is nearly right.
        """
        kept = self._kept(level)
        if not self.preconditioned:
            return torch.ones_like(kept)
        return DATA_STD * (kept / (kept * DATA_STD**2 + 1 - kept)).sqrt()

    def _kept(self, level: Int64[Tensor, " batch"]) -> Float[Tensor, "batch 1 1 1 1"]:
        return self.alpha_bar[level].view(-1, 1, 1, 1, 1)

    def _unet(
        self,
        noisy: Float[Tensor, "batch 1 side side side"],
        masked: Float[Tensor, "batch 1 side side side"],
        level: Int64[Tensor, " batch"],
    ) -> Float[Tensor, "batch 1 side side side"]:
        n = self.block
        x = torch.cat([noisy, masked], dim=1)
        x = rearrange(x, "b c (d i) (h j) (w k) -> b (c i j k) d h w", i=n, j=n, k=n)
        noise: Tensor = rearrange(self.unet(x, level), "b (i j k) d h w -> b 1 (d i) (h j) (w k)", i=n, j=n, k=n)
        return noise.float()
