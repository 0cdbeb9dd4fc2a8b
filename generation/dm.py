"""3D diffusion inpainting: DDPM (Ho et al., NeurIPS 2020) with the masked cube as a second input channel.

M3Dsynth says: a 3D U-Net "as in" Dorjsembe et al. (MIDL 2022), 2,000 linear steps. It does not give the network's
size; ``paper`` is a common one for cubes of 32 voxels.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from generation.denoiser import Denoiser
from generation.descent import Descent
from generation.diffusion import Denoise, Schedule, reverse, reverse_by_solver
from generation.errors import GenerationError
from generation.mask import SIDE, core
from generation.noise import CubeNoise
from generation.trainable import Config, CubeBatch, Learner, TrainedInpainter

SCALE = 2.0
"""From equalised levels, about in [-0.5, 0.5], to the [-1, 1] of the literature."""
DDIM_STEPS = 50


@dataclass(frozen=True, kw_only=True)
class DmConfig(Config):
    """Sizes and rates of the denoiser, and how ``dm`` itself samples."""

    channels: tuple[int, ...] = (64, 128, 256, 256)
    attention: tuple[bool, ...] = (False, False, True, True)
    blocks: int = 2
    groups: int = 32
    head: int = 32
    block: int = 1
    window: int = SIDE
    """Side of the part of the cube that is denoised, and that the loss is taken over."""
    preconditioned: bool = False
    levels: int = 2000
    sampling: Literal["ancestral", "ddim50"] = "ancestral"
    """How ``dm`` fills: over all levels, as published, or as ``dm-ddim50`` does where no GPU is at hand."""
    lr: float = 1e-4
    clip: float = 1.0
    ema: float = 0.9999
    """Of the averaged weights, which are those that sample; lower in the first steps."""
    steps: int = 250_000
    batch: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.channels) != len(self.attention):
            raise GenerationError(
                f"channels and attention must have one entry per halving, got {len(self.channels)} and"
                f" {len(self.attention)}"
            )
        if self.levels < 50:
            raise GenerationError(f"levels must be >= 50, got {self.levels}")
        if not 0 <= self.ema < 1:
            raise GenerationError(f"ema must be 0 to below 1, got {self.ema}")

    def denoiser(self) -> Denoiser:
        """An untrained network of this size."""
        return Denoiser(
            channels=self.channels,
            attention=self.attention,
            blocks=self.blocks,
            groups=self.groups,
            head=self.head,
            block=self.block,
            window=self.window,
            preconditioned=self.preconditioned,
            schedule=Schedule(self.levels),
        )


PRESETS: Mapping[str, DmConfig] = {
    # What is learned in a minute on two cores: few channels on blocks of voxels, near the core alone, and a straighter
    # map from HU, where a small error is a small error in HU everywhere. Many small batches teach more than few large.
    "tiny": DmConfig(
        channels=(32, 32, 64),
        attention=(False, False, False),
        blocks=1,
        groups=8,
        head=16,
        block=2,
        window=24,
        preconditioned=True,
        sampling="ddim50",
        straight=0.5,
        lr=1.5e-3,
        ema=0.99,
        steps=1200,
        batch=2,
        decay=0.5,
    ),
    "paper": DmConfig(),
}


class DmLearner(Learner):
    """Learns to predict the noise (epsilon) in whole cubes at random levels."""

    hidden: Tensor
    denoised: Tensor

    def __init__(self, config: DmConfig) -> None:
        super().__init__()
        self.config = config
        self.schedule = Schedule(config.levels)
        self.denoiser = config.denoiser()
        ema = get_ema_multi_avg_fn(config.ema)  # type: ignore[no-untyped-call]
        self.averaged = AveragedModel(self.denoiser, multi_avg_fn=ema)
        self.averaged.requires_grad_(False)
        self.register_buffer("hidden", torch.from_numpy(core()), persistent=False)
        self.register_buffer("denoised", torch.from_numpy(core(config.window)), persistent=False)

    def optimizers(self) -> dict[str, Optimizer]:
        """AdamW for the denoiser."""
        return {"denoiser": AdamW(self.denoiser.parameters(), self.config.lr)}

    def training_step(self, cubes: CubeBatch, descend: Descent, *, rng: torch.Generator) -> dict[str, Tensor]:
        """One step of the denoiser, and the averaged weights follow."""
        level = torch.randint(1, self.config.levels + 1, (len(cubes),), generator=rng, device=cubes.device)
        loss = self._loss(self.denoiser, cubes, level, rng)
        descend("denoiser", loss, clip=self.config.clip)
        self.averaged.update_parameters(self.denoiser)
        return {"epsilon": loss.detach()}

    def validation_loss(self, cubes: CubeBatch, *, rng: torch.Generator) -> Float[Tensor, ""]:
        """The averaged weights' loss, at levels spread evenly over the cubes."""
        level = torch.linspace(1, self.config.levels, len(cubes), device=cubes.device).round().long()
        return self._loss(self.averaged, cubes, level, rng)

    def network(self) -> nn.Module:
        """The averaged denoiser."""
        averaged: nn.Module = self.averaged.module
        return averaged

    def _loss(
        self, denoiser: nn.Module, cubes: CubeBatch, level: Int64[Tensor, " batch"], rng: torch.Generator
    ) -> Float[Tensor, ""]:
        clean = SCALE * cubes
        noise = torch.randn(cubes.shape, generator=rng, device=cubes.device)
        noisy = self.schedule.noised(clean, level, noise)
        guess = denoiser(noisy, clean.masked_fill(self.hidden, 0), level)
        error: Tensor = (guess - noise) / self.denoiser.left(level)
        return error[:, :, self.denoised].square().mean()


class DiffusionInpainter(TrainedInpainter[DmConfig]):
    """A trained denoiser; how it is used makes it one generator or another."""

    config_class: ClassVar[type[Config]] = DmConfig
    presets: ClassVar[Mapping[str, Config]] = PRESETS
    worth_compiling: ClassVar[bool] = True

    @classmethod
    def learns_as(cls) -> str:
        """All of them use the weights of ``dm``."""
        return Dm.name

    @classmethod
    def learner(cls, config: DmConfig) -> Learner:
        """Denoiser and averaged denoiser, untrained."""
        return DmLearner(config)

    @classmethod
    def blank(cls, config: DmConfig) -> nn.Module:
        """A denoiser, untrained."""
        return config.denoiser()

    def fill(self, masked: CubeBatch, seeds: Sequence[int]) -> CubeBatch:
        """Samples; what a cube becomes depends on its seed."""
        condition = SCALE * masked

        def denoise(x: CubeBatch, level: int) -> CubeBatch:
            noise: CubeBatch = self.network(x, condition, torch.full((len(x),), level, device=x.device))
            return noise

        return self.sample(denoise, CubeNoise(seeds, masked.device), Schedule(self.config.levels)) / SCALE

    @abstractmethod
    def sample(self, denoise: Denoise, noise: CubeNoise, schedule: Schedule) -> CubeBatch:
        """From noise to clean cubes."""

    @property
    def limit(self) -> float:
        """Greatest absolute value of a training cube."""
        return SCALE * max(abs(end) for end in self.equalisation.range)


class Ddim50(DiffusionInpainter):
    """50 steps without noise on the way (DDIM): another generator, for it leaves other traces."""

    name: ClassVar[str] = "dm-ddim50"

    def sample(self, denoise: Denoise, noise: CubeNoise, schedule: Schedule) -> CubeBatch:
        """50 levels, quadratically spaced."""
        return reverse(denoise, noise, schedule, schedule.quadratic(DDIM_STEPS), eta=0, limit=self.limit)


class DpmPp20(DiffusionInpainter):
    """20 steps of DPM-Solver++: another generator, for it leaves other traces."""

    name: ClassVar[str] = "dm-dpmpp20"

    def sample(self, denoise: Denoise, noise: CubeNoise, schedule: Schedule) -> CubeBatch:
        """20 levels, evenly spaced."""
        return reverse_by_solver(denoise, noise, schedule, 20)


class Dm(Ddim50):
    """Ancestral sampling over all 2,000 levels, as published; a config may say otherwise, as ``tiny`` does."""

    name: ClassVar[str] = "dm"

    def sample(self, denoise: Denoise, noise: CubeNoise, schedule: Schedule) -> CubeBatch:
        """What the config says."""
        if self.config.sampling == "ddim50":
            return super().sample(denoise, noise, schedule)
        return reverse(denoise, noise, schedule, schedule.every_level(), eta=1, limit=self.limit)
