"""From a loss to new weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import Optimizer

from generation.processes import Processes


class Descent:
    """Steps of named optimisers.

    Args:
        optimizers: By name.
        processes: Those that train together.
    """

    def __init__(self, optimizers: Mapping[str, Optimizer], processes: Processes) -> None:
        self.optimizers = dict(optimizers)
        self._processes = processes
        self._rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in optimizers.items()}

    def scale_rates(self, factor: float) -> None:
        """Set every learning rate to a share of what it was in the beginning."""
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = self._rates[name] * factor

    def __call__(self, name: str, loss: Float[Tensor, ""], *, clip: float | None = None) -> None:
        """One step of one optimiser down the gradient of a loss.

        Args:
            name: Of the optimiser.
            loss: Of this process' share of the batch.
            clip: Greatest norm of the gradient.
        """
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(loss.device.type, enabled=False):
            torch.autograd.backward(loss)
        parameters = [each for each in optimizer.param_groups[0]["params"] if each.grad is not None]
        self._processes.average(each.grad for each in parameters)
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
