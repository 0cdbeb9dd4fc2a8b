import pytest
import torch

from generation.descent import Descent
from generation.processes import Processes


def descent(rate=0.1):
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    return weight, Descent({"one": torch.optim.SGD([weight], rate)}, Processes("cpu"))


def test_a_step_goes_down_the_gradient():
    weight, descend = descent()
    descend("one", (weight**2).sum())
    assert weight.tolist() == pytest.approx([0.8, 1.6])


def test_an_earlier_gradient_does_not_linger():
    weight, descend = descent()
    descend("one", weight.sum())
    descend("one", 0 * weight.sum())
    assert weight.tolist() == pytest.approx([0.9, 1.9])


def test_rates_are_scaled_from_where_they_began():
    weight, descend = descent()
    for factor in (0.5, 0.5):
        descend.scale_rates(factor)
    descend("one", weight.sum())
    assert weight.tolist() == pytest.approx([0.95, 1.95])


def test_clipping_bounds_the_step():
    weight, descend = descent()
    descend("one", 1000 * weight.sum(), clip=1.0)
    assert (torch.tensor([1.0, 2.0]) - weight).norm().item() == pytest.approx(0.1, rel=1e-3)
