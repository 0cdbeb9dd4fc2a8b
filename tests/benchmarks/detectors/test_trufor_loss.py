import pytest
import torch
from torch.nn import functional

from benchmarks.detectors.trufor_loss import confidence_loss, detection_loss, map_loss


def test_the_loss_of_the_map_is_a_weighted_cross_entropy_of_two_classes_and_dice():
    logits, truth = torch.randn(2, 1, 6, 7), (torch.rand(2, 1, 6, 7) > 0.7).float()
    two = torch.cat([torch.zeros_like(logits), logits], dim=1)
    cross_entropy = functional.cross_entropy(two, truth[:, 0].long(), weight=torch.tensor([0.5, 2.5]))
    p = logits.sigmoid()
    dice = 1 - 2 * (p * truth).sum((1, 2, 3)) / (p**2 + truth**2).sum((1, 2, 3))
    assert torch.allclose(map_loss(logits, truth), 0.3 * cross_entropy + 0.7 * dice.mean(), atol=1e-6)


def test_the_confidence_is_to_be_the_probability_of_the_truth():
    logits, truth = torch.tensor([2.0, 2.0, -1.0]).view(1, 1, 1, 3), torch.tensor([1.0, 0.0, 0.0]).view(1, 1, 1, 3)
    right = torch.tensor([2.0, -2.0, 1.0]).view(1, 1, 1, 3)
    assert confidence_loss(right, logits, truth).item() == pytest.approx(0, abs=1e-9)
    assert confidence_loss(-right, logits, truth).item() > 0.1


def test_both_classes_weigh_the_same_if_their_shares_are_as_told():
    truth = torch.zeros(10, 1, 4, 4)
    truth[:7, :, 0, 0] = 1
    score = torch.zeros(10, requires_grad=True)
    detection_loss(score, truth, 0.7).backward()
    assert score.grad.sum().item() == pytest.approx(0, abs=1e-6)
    assert (score.grad[:7] < 0).all()


def test_a_pristine_slice_costs_its_cross_entropy_and_a_dice_loss_that_teaches_nothing():
    logits, truth = torch.randn(1, 1, 6, 7, requires_grad=True), torch.zeros(1, 1, 6, 7)
    loss = map_loss(logits, truth)
    loss.backward()
    cross_entropy = functional.softplus(logits.detach()).mean()
    assert loss.item() == pytest.approx(0.3 * cross_entropy.item() + 0.7, rel=1e-5)
    assert torch.allclose(logits.grad, 0.3 * logits.detach().sigmoid() / 42, atol=1e-7)
