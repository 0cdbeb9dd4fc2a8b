import pytest
import torch

from benchmarks.detectors.bayar import BayarConv


def holds(kernels):
    middle = kernels[:, 0, 2, 2]
    around = kernels.sum(dim=(1, 2, 3)) - middle
    return torch.equal(middle, torch.full_like(middle, -1)) and torch.allclose(around, torch.ones(()), atol=1e-4)


def conv(out=3):
    torch.manual_seed(0)
    return BayarConv(out)


def test_the_middle_is_minus_one_and_the_rest_sums_to_one():
    assert conv().kernels.shape == (3, 1, 5, 5)
    assert holds(conv().kernels)


def test_constant_pictures_leave_nothing_and_others_do():
    flat = torch.full((1, 1, 12, 9), 0.7)
    assert torch.allclose(conv()(flat), torch.zeros(1, 3, 8, 5), atol=1e-6)
    assert conv()(torch.rand(1, 1, 12, 9)).std() > 0.1


def test_every_kernel_that_the_constraint_allows_can_be_reached():
    around = torch.linspace(-1, 1, 24) + 1 / 24
    network = conv(1)
    network.free.data = around[None]
    kernel = network.kernels.flatten()
    assert torch.allclose(torch.cat([kernel[:12], kernel[13:]]), around)


def test_the_kernels_start_different_from_each_other():
    first, second, _ = conv().kernels.flatten(1)
    assert (first - second).abs().max() > 0.1


@pytest.mark.parametrize("free", [torch.zeros(2, 24), torch.tensor([1.0, -1]).repeat(2, 12), torch.full((2, 24), -5.0)])
def test_free_numbers_that_sum_to_zero_or_less_give_kernels_and_gradients(free):
    network = conv(2)
    network.free.data = free
    assert holds(network.kernels)
    network(torch.rand(1, 1, 9, 9)).square().sum().backward()
    assert network.free.grad.isfinite().all()
