"""The presets of published size learn: a small step of each optimiser lowers the loss that it descends."""

import pytest
import torch

from generation.descent import Descent
from generation.processes import Processes
from generation.zoo import trainable

RATE = 1e-6
"""Small enough that a step must go down, whatever the curvature."""


class Noted(Descent):
    """Keeps the losses it is given."""

    def __init__(self, optimizers):
        super().__init__(optimizers, Processes("cpu"))
        self.losses = {name: [] for name in optimizers}

    def let_move(self, mover):
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0].update(lr=RATE if name == mover else 0.0, weight_decay=0.0)

    def __call__(self, name, loss, *, clip=None):
        self.losses[name].append(loss.item())
        super().__call__(name, loss, clip=clip)


def balls(count):
    axis = torch.arange(32) - 15.5
    distance = (axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None] ** 2).sqrt()
    sizes = torch.linspace(4, 7, count).view(-1, 1, 1, 1, 1)
    return 0.8 * torch.sigmoid(sizes - distance) - 0.4


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "dm"])
def test_a_step_of_each_optimiser_lowers_its_loss_on_a_fixed_batch(name):
    model = trainable(name)
    torch.manual_seed(0)
    learner = model.learner(model.presets["paper"]).train()
    descend = Noted(learner.optimizers())
    movers = list(descend.optimizers)
    for turn in range(len(movers) + 1):
        descend.let_move(movers[turn] if turn < len(movers) else None)
        torch.manual_seed(1)  # the same dropout, noise and levels in every turn
        learner.training_step(balls(2), descend, rng=torch.Generator().manual_seed(1))
    for turn, mover in enumerate(movers):
        before, after = descend.losses[mover][turn : turn + 2]
        assert after < before
