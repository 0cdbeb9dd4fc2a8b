import math

import pytest
import torch

from benchmarks.malignancy.noisy_or import LEAK, case_loss, log_benign


def probability(chances, leak=LEAK):
    logits = torch.tensor(chances, dtype=torch.float64).logit()
    found = log_benign(logits.float(), torch.zeros(len(chances), dtype=torch.int64), torch.tensor(leak), 1)
    return 1 - float(found.exp())


def test_a_case_is_malignant_if_any_of_its_nodules_is():
    assert probability([0.3, 0.5, 0.2]) == pytest.approx(1 - 0.7 * 0.5 * 0.8, abs=1e-6)


def test_the_leak_is_a_reason_that_nobody_sees():
    assert probability([0.3], leak=0.0) == pytest.approx(1 - 0.7 * 0.5, abs=1e-6)
    assert probability([1e-7]) < 1e-6


def test_every_nodule_counts_for_its_own_case():
    logits = torch.tensor([0.8, 0.1, 0.4]).logit()
    found = log_benign(logits, torch.tensor([1, 0, 1]), torch.tensor(LEAK), 3).exp()

    torch.testing.assert_close(found, torch.tensor([0.9, 0.2 * 0.6, 1.0]))


def test_the_loss_is_the_cross_entropy_of_that_probability():
    benign = torch.tensor([0.2, 0.7]).log()

    found = case_loss(benign, torch.tensor([1.0, 0.0]))

    assert found.item() == pytest.approx(-(math.log(0.8) + math.log(0.7)) / 2, abs=1e-6)


def test_the_loss_of_a_sure_mistake_is_finite_and_can_be_learned_from():
    logits = torch.tensor([-40.0], requires_grad=True)
    loss = case_loss(log_benign(logits, torch.tensor([0]), torch.tensor(LEAK), 1), torch.tensor([1.0]))
    loss.backward()

    assert loss.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
