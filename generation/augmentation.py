"""Variants of training cubes, made anew for every batch on the device: CT-GAN's 67, without limit and without files."""

import math

import torch
from jaxtyping import Float32, Int16
from torch import Tensor
from torch.nn import functional

from generation.cubes import TRAINING_SIDE
from generation.mask import SIDE

SHIFT = 4
"""Voxels along each axis, at most. The rotated cube may reach beyond its margin, where the border is mirrored."""


def augment(cubes: Int16[Tensor, "batch 40 40 40"], rng: torch.Generator) -> Float32[Tensor, "batch 1 32 32 32"]:
    """Flip in y and x, rotate in plane and shift each cube at random, in one trilinear resampling.

    Args:
        cubes: HU.
        rng: Source of randomness, on the device of the cubes.

    Returns:
        The inner part of the moved cubes, in HU.
    """
    theta = _movements(len(cubes), cubes.device, rng)
    grid = functional.affine_grid(theta, [len(cubes), 1, SIDE, SIDE, SIDE], align_corners=False)
    return functional.grid_sample(cubes[:, None].float(), grid, padding_mode="reflection", align_corners=False)


def _movements(count: int, device: torch.device, rng: torch.Generator) -> Float32[Tensor, "batch 3 4"]:
    """From places (x, y, z) in the result to places in the cube; both run from -1 to 1 from face to face."""
    flips = 2.0 * torch.randint(2, (count, 2), generator=rng, device=device) - 1
    angles = 2 * math.pi * torch.rand(count, generator=rng, device=device)
    shifts = torch.randint(-SHIFT, SHIFT + 1, (count, 3), generator=rng, device=device)
    cos, sin = torch.cos(angles), torch.sin(angles)
    theta = torch.zeros((count, 3, 4), device=device)
    theta[:, 0, 0], theta[:, 0, 1] = cos * flips[:, 0], -sin * flips[:, 1]
    theta[:, 1, 0], theta[:, 1, 1] = sin * flips[:, 0], cos * flips[:, 1]
    theta[:, 2, 2] = 1
    theta[:, :, :3] *= SIDE / TRAINING_SIDE
    theta[:, :, 3] = 2 * shifts / TRAINING_SIDE
    return theta
