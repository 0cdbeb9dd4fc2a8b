import math

import pytest
import torch

from benchmarks.detectors.noise_statistics import BLOCK, NoiseStatistics, Residuals, blocks

ENERGY, Z, Y, X = range(4)


def noise(level=30.0, depth=16, side=80):
    torch.manual_seed(0)
    return level * torch.randn(1, depth, side, side)


def contrast(hu, changed):
    """By kind (energy, correlation along z, y, x) and residual: how a place differs whose noise was changed."""
    place = hu.clone()
    place[..., 32:52, 32:52] = changed[..., 32:52, 32:52]
    found, _ = NoiseStatistics()(Residuals()(place))
    return found[0, :, 4:12, 9:12, 9:12].flatten(1).mean(1).reshape(4, Residuals.FIXED)


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


def test_there_is_one_feature_for_each_residual_and_kind():
    contrasts, surroundings = NoiseStatistics()(Residuals(learned=2)(noise(side=30)))

    assert contrasts.shape == (1, NoiseStatistics.channels(Residuals.FIXED + 2), 16, math.ceil(30 / BLOCK), 8)
    assert surroundings.shape == (1, Residuals.FIXED + 2, *contrasts.shape[2:])


def test_the_surroundings_have_the_energy_of_the_noise():
    _, surroundings = NoiseStatistics()(Residuals()(noise(30)))

    assert surroundings[0, :3].exp().mean().item() == pytest.approx(1.5, rel=0.1)  # 1 + 1/4 + 1/4


def test_nothing_differs_where_the_noise_is_the_same_whatever_the_scanner():
    for level in (10, 60):
        assert contrast(noise(level), noise(level)).abs().max() < 0.3


def test_weaker_noise_is_a_contrast_of_energy_alone():
    hu = noise()
    found = contrast(hu, hu / 3)

    assert found[ENERGY].max() < -1.2
    assert found[Z:].abs().max() < 0.3


def test_noise_that_is_repeated_in_the_next_slice_is_told_from_noise_that_is_not():
    hu = noise()
    found = contrast(hu, hu[:, ::2].repeat_interleave(2, 1))

    assert found[Z, 1:3].min() > 0.3


def test_noise_that_was_smoothed_along_an_axis_is_alike_along_it():
    hu = noise()
    found = contrast(hu, (hu + hu.roll(1, -1)) / 2**0.5)

    assert found[X, 1] > 0.25  # of the residual along y
    assert found[Z, 1].abs() < 0.15


def test_a_place_is_seen_where_it_is():
    hu = noise()
    hu[..., 40:60, 20:40] /= 4
    contrasts, _ = NoiseStatistics()(Residuals()(hu))
    low = contrasts[0, 0, 8] < -1

    assert low[11:14, 6:9].all()
    assert not low[:8].any()
    assert not low[:, 12:].any()
