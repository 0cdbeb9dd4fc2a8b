import math
from itertools import pairwise

import pytest
import torch

from generation.diffusion import Schedule, reverse, reverse_by_solver
from generation.noise import CubeNoise

SCHEDULE = Schedule()
STD = 0.5


def gaussian(x, level):
    """The best guess of the noise in Gaussian data of a known standard deviation."""
    kept = SCHEDULE.alpha_bar[level].item()
    return x * math.sqrt(1 - kept) / (kept * STD**2 + 1 - kept)


def noise(seeds):
    return CubeNoise(seeds, torch.device("cpu"))


def test_the_schedule_ends_at_the_signal_to_noise_ratio_of_ddpm():
    ddpm = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)[-1]
    assert SCHEDULE.alpha_bar[-1].item() == pytest.approx(ddpm.item(), rel=0.05)
    assert SCHEDULE.alpha_bar[0] == 1
    assert (SCHEDULE.alpha_bar.diff() < 0).all()


def test_2000_ancestral_steps_give_the_standard_deviation_of_the_data():
    cubes = reverse(gaussian, noise([1, 2]), SCHEDULE, SCHEDULE.every_level(), eta=1)
    assert cubes.std().item() == pytest.approx(STD, abs=0.02)
    assert cubes.mean().item() == pytest.approx(0, abs=0.02)


def test_50_steps_give_the_standard_deviation_of_the_data():
    cubes = reverse(gaussian, noise([1, 2]), SCHEDULE, SCHEDULE.quadratic(50), eta=0)
    assert cubes.std().item() == pytest.approx(STD, abs=0.02)


def test_50_even_steps_would_not():
    even = list(range(2000, -1, -40))
    assert reverse(gaussian, noise([1, 2]), SCHEDULE, even, eta=0).std() < STD - 0.02


def test_20_steps_of_the_solver_come_close():
    assert reverse_by_solver(gaussian, noise([1, 2]), SCHEDULE, 20).std().item() == pytest.approx(STD, abs=0.03)


def test_few_levels_fall_from_noise_to_clean():
    levels = SCHEDULE.quadratic(50)
    assert (levels[0], levels[-1], len(levels)) == (2000, 0, 51)
    assert all(above > below for above, below in pairwise(levels))


def test_a_perfect_guess_leads_back_to_the_cube():
    clean = torch.rand((1, 1, 32, 32, 32), generator=torch.Generator().manual_seed(0)) - 0.5

    def knows(x, level):
        kept = SCHEDULE.alpha_bar[level].item()
        return (x - math.sqrt(kept) * clean) / math.sqrt(1 - kept)

    for eta in (0, 1):
        assert torch.allclose(reverse(knows, noise([3]), SCHEDULE, SCHEDULE.quadratic(20), eta=eta), clean, atol=1e-4)


def test_estimates_are_clamped_to_the_limit():
    far = reverse(lambda x, level: -9 * x, noise([1]), SCHEDULE, SCHEDULE.quadratic(20), eta=0, limit=0.7)
    assert far.abs().max().item() == pytest.approx(0.7)


def test_noised_cubes_keep_their_variance():
    source = torch.Generator().manual_seed(0)
    clean, added = (torch.randn((2, 1, 32, 32, 32), generator=source) for _ in range(2))
    noised = SCHEDULE.noised(clean, torch.tensor([300, 1500]), added)
    assert noised.std(dim=(1, 2, 3, 4)).tolist() == pytest.approx([1, 1], abs=0.02)
    kept = SCHEDULE.alpha_bar[1500].sqrt().item()
    assert ((noised * clean).mean(dim=(1, 2, 3, 4))[1]).item() == pytest.approx(kept, abs=0.02)
