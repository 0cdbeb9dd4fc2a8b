import pytest
import torch

from benchmarks.detectors.weighted_pooling import weighted_statistics


def test_without_weights_they_are_those_of_all_places():
    x = torch.randn(3, 1, 6, 7)
    low, high, mean, square = weighted_statistics(x).T
    flat = x.flatten(1)
    assert torch.allclose(mean, flat.mean(1), atol=1e-6)
    assert torch.allclose(square, flat.square().mean(1), atol=1e-6)
    assert torch.allclose(high, flat.exp().mean(1).log(), atol=1e-5)
    assert torch.allclose(low, -(-flat).exp().mean(1).log(), atol=1e-5)


def test_a_constant_map_is_its_own_minimum_maximum_and_mean():
    assert weighted_statistics(torch.full((1, 1, 9, 9), -2.0)).tolist()[0] == pytest.approx([-2, -2, -2, 4], abs=1e-5)


def test_places_without_weight_do_not_count():
    x, log_weights = torch.full((1, 1, 4, 4), 3.0), torch.zeros(1, 1, 4, 4)
    x[..., 0], log_weights[..., 0] = 1000, -1e4
    assert weighted_statistics(x, log_weights).tolist()[0] == pytest.approx([3, 3, 3, 9], abs=1e-4)


def test_only_the_relations_of_weights_matter():
    x, log_weights = torch.randn(2, 2, 1, 4, 5)
    once, shifted = (weighted_statistics(x, log_weights + shift) for shift in (0, 7))
    assert torch.allclose(once, shifted, atol=1e-5)


def test_extreme_logits_stay_finite():
    assert weighted_statistics(torch.tensor([-1e4, 1e4]).view(1, 1, 1, 2)).isfinite().all()
