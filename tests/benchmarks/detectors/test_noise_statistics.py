import math

import pytest
import torch

from benchmarks.detectors.noise_statistics import BLOCK, WINDOWS, NoiseStatistics, Residuals, blocks

ENERGY, Z, Y, X = range(4)


def noise(level=30.0, depth=16, side=80):
    torch.manual_seed(0)
    return level * torch.randn(1, depth, side, side)


def statistics(hu):
    """By window, kind (energy, correlation along z, y, x) and residual; the median over the middle of the slab."""
    found = NoiseStatistics()(Residuals()(hu))[0, :, 4:12, 5:15, 5:15]
    return found.flatten(1).median(1).values.reshape(len(WINDOWS), 4, Residuals.FIXED)


def test_nothing_is_left_of_a_constant_nor_of_an_even_slope():
    residuals = Residuals(learned=2)
    slope = (
        torch.arange(12.0)[None, None, None] + 2 * torch.arange(11.0)[:, None] + 3 * torch.arange(8.0)[:, None, None]
    )

    assert residuals(torch.full((1, 8, 9, 10), -700.0)).abs().max() < 1e-4
    assert residuals(slope)[0, : Residuals.FIXED, 1:-1, 1:-1, 1:-1].abs().max() < 1e-5


def test_residuals_are_the_second_differences_and_the_mixed_one():
    hu = torch.zeros(1, 5, 5, 5)
    hu[0, 2, 2, 2] = 30.0
    z, y, x, mixed = Residuals()(hu)[0]

    assert z[1:4, 2, 2].tolist() == [-0.5, 1.0, -0.5]
    assert y[2, 1:4, 2].tolist() == [-0.5, 1.0, -0.5]
    assert x[2, 2, 1:4].tolist() == [-0.5, 1.0, -0.5]
    assert mixed[2, 1:4, 1:4].tolist() == [[0.5, 0.0, -0.5], [0.0, 0.0, 0.0], [-0.5, 0.0, 0.5]]


def test_an_edge_of_bone_is_cut_off():
    hu = torch.full((1, 4, 8, 8), -800.0)
    hu[..., 4:] = 1200.0
    assert Residuals()(hu).abs().max() == 10


def test_blocks_are_means_and_the_last_one_may_be_smaller():
    values = torch.arange(7.0).expand(1, 1, 1, 4, 7)
    assert blocks(values).flatten().tolist() == [1.5, 5.0]
    assert blocks(values, 2).shape[3:] == (2, 4)


def test_there_is_one_feature_for_each_window_residual_and_kind():
    found = NoiseStatistics()(Residuals(learned=2)(noise(side=30)))
    assert found.shape == (1, NoiseStatistics.channels(Residuals.FIXED + 2), 16, math.ceil(30 / BLOCK), 8)


def test_the_energy_is_that_of_the_noise():
    loud, quiet = statistics(noise(30))[:, ENERGY], statistics(noise(15))[:, ENERGY]
    assert loud[1, :3].exp().mean().item() == pytest.approx(1.5, rel=0.1)  # 1 + 1/4 + 1/4
    assert (loud - quiet).mean().item() == pytest.approx(math.log(4), abs=0.1)


def test_noise_that_is_repeated_in_the_next_slice_is_told_from_noise_that_is_not():
    independent = noise()
    repeated = independent[:, ::2].repeat_interleave(2, 1)
    in_plane = slice(1, 3)

    assert statistics(independent)[:, Z, in_plane].abs().max() < 0.1
    assert statistics(repeated)[1, Z, in_plane].min() > 0.4


def test_noise_that_was_smoothed_along_an_axis_is_alike_along_it():
    hu = noise()
    smooth = (hu + hu.roll(1, -1)) / 2
    before, after = statistics(hu)[1, X], statistics(smooth)[1, X]
    assert (after - before)[1] > 0.3  # of the residual along y


def test_a_place_is_seen_where_it_is():
    hu = noise()
    hu[..., 40:60, 20:40] /= 4
    energy = NoiseStatistics()(Residuals()(hu))[0, 0, 8]
    low = energy < energy.median() - 1

    assert low[11:14, 6:9].all()
    assert not low[:8].any()
    assert not low[:, 12:].any()
