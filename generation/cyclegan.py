"""3D CycleGAN after the public 3D recipe (Zhu et al., ICCV 2017, with 3D convolutions), for masked cubes.

Domain A are masked cubes, domain B whole ones. The paper uses one direction alone, A to B. Taken literally the
recipe is degenerate here, because the way from B to A destroys the core:

- The way back, B to A, is known: it is the masking. A network that learns it learns to write zeros, and the cycle
  A -> B -> A asks nothing of the core. So the masking itself stands in for it, and there is no second generator.
- The cycle B -> A -> B cannot be closed. A network that must close it hides the core's content in the ring, where
  nobody sees it. So cycles are closed in the ring alone, which the masking keeps: there the generator must return
  what it was given (the ring loss).
- The discriminator sees the composite, ring of the input and core of the generator, as the user of the generator
  will; otherwise it judges a ring that is never used.
- The generator is told which voxels are hidden, by a second channel. Without it the mean of all tissue, which is
  what hidden voxels look like, could be tissue. With nothing hidden it must return the cube (the identity loss).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from generation.descent import Descent
from generation.errors import GenerationError
from generation.image_pool import ImagePool
from generation.mask import core
from generation.tanh import Tanh
from generation.trainable import Config, CubeBatch, Learner, TrainedInpainter

SCALE = 2.0
"""From equalised levels, about in [-0.5, 0.5], to the range of tanh."""


@dataclass(frozen=True, kw_only=True)
class CycleGanConfig(Config):
    """Sizes and rates; the defaults are those of the public 3D code, steps and batch are for cubes of 32."""

    width: int = 64
    """Channels at full resolution."""
    blocks: int = 9
    """Residual blocks at a quarter of it."""
    kernel: int = 7
    """Of the first and the last convolution."""
    layers: int = 3
    """Convolutions of the discriminator that widen."""
    pool: int = 50
    """Old results that the discriminator is shown again."""
    lr: float = 2e-4
    beta1: float = 0.5
    cycle_weight: float = 10.0
    identity_weight: float = 5.0
    steps: int = 200_000
    """400 epochs of about 1,000 nodules, 2 at a time."""
    batch: int = 2
    decay: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("width", "blocks", "layers"):
            if getattr(self, name) < 1:
                raise GenerationError(f"{name} must be >= 1, got {getattr(self, name)}")
        if self.pool < 2 * self.batch:
            raise GenerationError(f"pool must hold at least two batches of {self.batch}, got {self.pool}")
        if self.kernel % 2 == 0:
            raise GenerationError(f"kernel must be odd, got {self.kernel}")


PRESETS: Mapping[str, CycleGanConfig] = {
    # A narrow network has no room to copy the ring, which is not used: its losses count little here.
    "tiny": CycleGanConfig(
        width=8,
        blocks=3,
        kernel=3,
        layers=2,
        lr=5e-4,
        cycle_weight=1.0,
        identity_weight=0.5,
        steps=400,
        batch=4,
    ),
    "paper": CycleGanConfig(),
}


class Block(nn.Module):
    """Residual block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _conv(channels, channels, 3), nn.ReLU(), _conv(channels, channels, 3), nn.InstanceNorm3d(channels)
        )
        self.layers.insert(1, nn.InstanceNorm3d(channels))

    def forward(self, x: Float[Tensor, "batch channels d h w"]) -> Float[Tensor, "batch channels d h w"]:
        """X and what the layers add to it."""
        changed: Tensor = x + self.layers(x)
        return changed


class Generator(nn.Sequential):
    """ResNet generator: down to a quarter, residual blocks, up again. Two channels in (cube, hidden), one out."""

    def __init__(self, config: CycleGanConfig) -> None:
        width = config.width
        super().__init__(
            *_normed(_conv(2, width, config.kernel), width),
            *_normed(nn.Conv3d(width, 2 * width, 3, stride=2, padding=1), 2 * width),
            *_normed(nn.Conv3d(2 * width, 4 * width, 3, stride=2, padding=1), 4 * width),
            *(Block(4 * width) for _ in range(config.blocks)),
            *_normed(nn.ConvTranspose3d(4 * width, 2 * width, 3, stride=2, padding=1, output_padding=1), 2 * width),
            *_normed(nn.ConvTranspose3d(2 * width, width, 3, stride=2, padding=1, output_padding=1), width),
            _conv(width, 1, config.kernel),
            Tanh(),
        )
        self.apply(_initialise)

    def filled(self, cubes: CubeBatch, hidden: Bool[Tensor, "32 32 32"]) -> CubeBatch:
        """The generator's own cubes, ring and core.

        Args:
            cubes: Their hidden voxels are not looked at.
            hidden: The voxels to fill; none for the identity loss.
        """
        told = hidden.to(cubes.dtype).expand_as(cubes)
        filled: Tensor = self(torch.cat([SCALE * cubes.masked_fill(hidden, 0), told], dim=1))
        return filled / SCALE


class Discriminator(nn.Sequential):
    """PatchGAN: a map of logits over overlapping patches of a cube."""

    def __init__(self, config: CycleGanConfig) -> None:
        width = config.width
        layers: list[nn.Module] = [nn.Conv3d(1, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for depth in range(1, config.layers + 1):
            out = width * min(2**depth, 8)
            before = width * min(2 ** (depth - 1), 8)
            conv = nn.Conv3d(before, out, 4, stride=2 if depth < config.layers else 1, padding=1)
            layers += [conv, nn.InstanceNorm3d(out), nn.LeakyReLU(0.2)]
        super().__init__(*layers, nn.Conv3d(width * min(2**config.layers, 8), 1, 4, padding=1))
        self.apply(_initialise)


class CycleGanLearner(Learner):
    """Least-squares GAN with ring (cycle) and identity losses; see the head of this file."""

    hidden: Tensor
    nothing: Tensor

    def __init__(self, config: CycleGanConfig) -> None:
        super().__init__()
        self.config = config
        self.generator = Generator(config)
        self.discriminator = Discriminator(config)
        self.pool = ImagePool(config.pool)
        self.register_buffer("hidden", torch.from_numpy(core()), persistent=False)
        self.register_buffer("nothing", torch.zeros_like(self.hidden), persistent=False)

    def optimizers(self) -> dict[str, Optimizer]:
        """Adam for each network."""
        betas = (self.config.beta1, 0.999)
        return {
            "generator": Adam(self.generator.parameters(), self.config.lr, betas),
            "discriminator": Adam(self.discriminator.parameters(), self.config.lr, betas),
        }

    def training_step(self, cubes: CubeBatch, descend: Descent, *, rng: torch.Generator) -> dict[str, Tensor]:
        """The generator's step, then the discriminator's. The two domains are the batch, masked and whole."""
        filled = self.generator.filled(cubes, self.hidden)
        composite = torch.where(self.hidden, filled, cubes)
        self.discriminator.requires_grad_(False)
        adversarial = _least_squares(self.discriminator(composite), 1)
        ring = functional.l1_loss(filled[:, :, ~self.hidden], cubes[:, :, ~self.hidden])
        identity = functional.l1_loss(self.generator.filled(cubes, self.nothing), cubes)
        # Levels are scaled by SCALE in the networks, and the recipe's weights are for that scale.
        distances = self.config.cycle_weight * ring + self.config.identity_weight * identity
        descend("generator", adversarial + SCALE * distances)
        self.discriminator.requires_grad_(True)

        shown = self.pool.exchanged(composite.detach(), rng)
        judged = (_least_squares(self.discriminator(cubes), 1) + _least_squares(self.discriminator(shown), 0)) / 2
        descend("discriminator", judged)
        losses = {"adversarial": adversarial, "ring": ring, "identity": identity, "discriminator": judged}
        return {name: loss.detach() for name, loss in losses.items()}

    def validation_loss(self, cubes: CubeBatch, *, rng: torch.Generator) -> Float[Tensor, ""]:
        """L1 in the core: the training does not ask for it, so it says how near to the truth the model comes."""
        filled = self.generator.filled(cubes, self.hidden)
        return functional.l1_loss(filled[:, :, self.hidden], cubes[:, :, self.hidden])

    def network(self) -> nn.Module:
        """The generator."""
        return self.generator


class CycleGan(TrainedInpainter[CycleGanConfig]):
    """The trained generator. It draws nothing: the same cube gives the same result for every seed."""

    name: ClassVar[str] = "cyclegan"
    config_class: ClassVar[type[Config]] = CycleGanConfig
    presets: ClassVar[Mapping[str, Config]] = PRESETS

    @classmethod
    def learner(cls, config: CycleGanConfig) -> Learner:
        """Both networks, untrained."""
        return CycleGanLearner(config)

    @classmethod
    def blank(cls, config: CycleGanConfig) -> nn.Module:
        """The generator, untrained."""
        return Generator(config)

    def fill(self, masked: CubeBatch, seeds: Sequence[int]) -> CubeBatch:
        """The generator's answer."""
        assert isinstance(self.network, Generator)  # from learner or blank
        hidden = torch.from_numpy(self.hidden).to(masked.device)
        return self.network.filled(masked, hidden)


def _conv(channels: int, out: int, kernel: int) -> nn.Conv3d:
    """Keeps the size; the border repeats, as 3D code does where 2D code mirrors."""
    return nn.Conv3d(channels, out, kernel, padding=kernel // 2, padding_mode="replicate")


def _normed(conv: nn.Module, channels: int) -> tuple[nn.Module, ...]:
    """Without affine weights, and without running statistics: training and use see the same network."""
    return conv, nn.InstanceNorm3d(channels), nn.ReLU()


def _initialise(module: nn.Module) -> None:
    """Weights of N(0, 0.02)."""
    if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
        nn.init.normal_(module.weight, 0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _least_squares(logits: Tensor, label: float) -> Float[Tensor, ""]:
    return functional.mse_loss(logits, torch.full_like(logits, label))
