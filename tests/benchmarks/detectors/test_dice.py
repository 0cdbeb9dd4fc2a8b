import pytest
import torch

from benchmarks.detectors.dice import dice_loss

TRUTH = torch.tensor([[[1.0, 1], [0, 0]], [[0, 0], [0, 0]]])


def test_the_denominators_are_squared():
    half = torch.full((1, 2, 2), 0.5)
    loss = dice_loss(half, TRUTH[:1])
    assert loss.item() == pytest.approx(1 - (2 * 1 + 1) / (4 * 0.25 + 2 + 1))


def test_each_item_has_a_loss_of_its_own():
    loss = dice_loss(TRUTH, TRUTH.flip(0))
    assert loss.tolist() == pytest.approx([1 - 1 / 3, 1 - 1 / 3])
    assert dice_loss(TRUTH, TRUTH).tolist() == [0, 0]


def test_without_smoothing_an_empty_mask_costs_one_and_teaches_nothing():
    predicted = torch.tensor([[0.3, 0.0], [0.0, 0.0]], requires_grad=True)
    loss = dice_loss(predicted, torch.zeros(2, 2), smooth=0)
    assert loss.tolist() == [1, 1]
    loss.sum().backward()
    assert not predicted.grad.any()


def test_sums_of_16_bit_maps_do_not_overflow():
    maps = torch.ones(1, 1, 512, 512, dtype=torch.float16)
    assert dice_loss(maps, maps).item() == 0
