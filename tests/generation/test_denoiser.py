import math
from dataclasses import replace

import pytest
import torch

from generation.diffusion import Schedule
from generation.dm import PRESETS

SMALL = replace(PRESETS["tiny"], channels=(8, 8), attention=(False, False), groups=4, head=8)
LEVELS = torch.tensor([3, 1700])


def denoiser(**changes):
    torch.manual_seed(0)
    return replace(SMALL, **changes).denoiser().eval()


def cubes():
    return torch.randn((2, 1, 32, 32, 32), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("block", [1, 2, 4])
def test_blocks_of_voxels_come_back_to_their_places(block):
    network = denoiser(block=block, window=32, preconditioned=False)
    network.unet = Echo(block)
    assert torch.equal(network(cubes(), torch.zeros_like(cubes()), LEVELS), cubes())


class Echo(torch.nn.Module):
    """Gives the first half of its channels back: the noisy cubes."""

    def __init__(self, block):
        super().__init__()
        self.channels = block**3

    def forward(self, x, level):
        return x[:, : self.channels]


def test_outside_the_window_no_noise_is_guessed():
    guess = denoiser(window=24)(cubes(), cubes(), LEVELS)
    assert not guess[..., :4, :, :].any()
    assert guess[..., 4:28, 4:28, 4:28].any()


def test_a_preconditioned_network_that_says_nothing_makes_the_best_linear_guess():
    network = denoiser(window=32)
    network._unet = lambda noisy, masked, level: torch.zeros_like(noisy)
    noisy = cubes()
    guess = network(noisy, noisy, LEVELS)
    for index, level in enumerate(LEVELS):
        kept = Schedule().alpha_bar[level].item()
        factor = math.sqrt(1 - kept) / (kept * 0.25 + 1 - kept)
        assert torch.allclose(guess[index], noisy[index] * factor, atol=1e-5)


def test_what_the_linear_guess_leaves_has_the_standard_deviation_that_is_said():
    source = torch.Generator().manual_seed(0)
    clean, noise = (torch.randn((2, 1, 32, 32, 32), generator=source) for _ in range(2))
    network = denoiser(window=32)
    network._unet = lambda noisy, masked, level: torch.zeros_like(noisy)
    noisy = Schedule().noised(0.5 * clean, LEVELS, noise)
    left = (noise - network(noisy, noisy, LEVELS)).std(dim=(1, 2, 3, 4))
    assert left.tolist() == pytest.approx(network.left(LEVELS).flatten().tolist(), rel=0.02)


def test_without_preconditioning_the_network_predicts_all_of_the_noise():
    assert denoiser(preconditioned=False).left(LEVELS).flatten().tolist() == [1, 1]
