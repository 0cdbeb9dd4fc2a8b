"""Denoising diffusion: the way to noise, and three ways back.

Notation of DDPM (Ho et al., NeurIPS 2020) and DDIM (Song et al., ICLR 2021). Levels count from 0 (clean) to T (noise);
``alpha_bar`` is the share of the signal's power that is left at a level.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from generation.noise import CubeNoise

Denoise = Callable[[Float[Tensor, "batch 1 32 32 32"], int], Float[Tensor, "batch 1 32 32 32"]]
"""From noisy cubes and their level to the noise in them (epsilon)."""


@dataclass(frozen=True)
class Schedule:
    """A linear schedule of T levels.

    2,000 levels with DDPM's own endpoints would spend half of themselves on what is noise already. Scaled by
    1000 / T, to 5e-5 and 0.01, they end at DDPM's signal-to-noise ratio: alpha_bar of 4.2e-5.
    """

    levels: int = 2000
    first: float = 5e-5
    last: float = 0.01
    alpha_bar: Float64[Tensor, " levels_and_clean"] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        betas = torch.linspace(self.first, self.last, self.levels, dtype=torch.float64)
        kept = torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - betas, 0)])
        object.__setattr__(self, "alpha_bar", kept)

    def noised(
        self,
        clean: Float[Tensor, "batch 1 32 32 32"],
        level: Int64[Tensor, " batch"],
        noise: Float[Tensor, "batch 1 32 32 32"],
    ) -> Float[Tensor, "batch 1 32 32 32"]:
        """Cubes at a level each (DDPM, eq. 4)."""
        kept = self.alpha_bar.to(clean.device, torch.float32)[level].view(-1, 1, 1, 1, 1)
        return kept.sqrt() * clean + (1 - kept).sqrt() * noise

    def every_level(self) -> list[int]:
        """All levels, down to the clean one."""
        return list(range(self.levels, -1, -1))

    def quadratic(self, steps: int) -> list[int]:
        """Few levels, closer together where there is little noise (DDIM, app. D.2): even ones would blur there."""
        return [round(self.levels * (left / steps) ** 2) for left in range(steps, -1, -1)]


def reverse(
    denoise: Denoise,
    noise: CubeNoise,
    schedule: Schedule,
    levels: Sequence[int],
    *,
    eta: float,
    limit: float = math.inf,
) -> Float[Tensor, "batch 1 32 32 32"]:
    """From noise to clean cubes (DDIM, eq. 12).

    With all levels and eta = 1 this is DDPM's ancestral sampling with the smaller of its two variances.

    Args:
        denoise: Predicts the noise.
        noise: Where to start from, and what is added on the way.
        schedule: That the denoiser has learned with.
        levels: To visit, falling from T to 0.
        eta: 0 adds no noise on the way, 1 as much as was lost.
        limit: Clean values lie within plus and minus this; the estimate of them is clamped at every step.
    """
    x = noise.draw()
    for level, below in pairwise(levels):
        a, b = schedule.alpha_bar[level].item(), schedule.alpha_bar[below].item()
        clean = ((x - math.sqrt(1 - a) * denoise(x, level)) / math.sqrt(a)).clamp(-limit, limit)
        epsilon = (x - math.sqrt(a) * clean) / math.sqrt(1 - a)
        sigma = eta * math.sqrt((1 - b) / (1 - a) * (1 - a / b))
        x = math.sqrt(b) * clean + math.sqrt(max(1 - b - sigma**2, 0)) * epsilon
        if sigma > 0:
            x = x + sigma * noise.draw()
    return x


def reverse_by_solver(
    denoise: Denoise, noise: CubeNoise, schedule: Schedule, steps: int
) -> Float[Tensor, "batch 1 32 32 32"]:
    """From noise to clean cubes in few steps of DPM-Solver++ of order 2 (Lu et al., 2022), without noise on the way."""
    solver = DPMSolverMultistepScheduler(
        num_train_timesteps=schedule.levels,
        beta_start=schedule.first,
        beta_end=schedule.last,
        beta_schedule="linear",
        algorithm_type="dpmsolver++",
        solver_order=2,
        lower_order_final=True,
        timestep_spacing="linspace",
        final_sigmas_type="zero",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, about NumPy 2
        solver.set_timesteps(steps)
    x = noise.draw()
    for timestep in solver.timesteps:
        x = solver.step(denoise(x, int(timestep) + 1), timestep, x).prev_sample  # its timestep 0 is our level 1
    return x
