"""The processes of one training: one, or one per GPU under ``accelerate launch``.

Every process holds the whole model and sees its own share of each batch. Before a step, gradients are averaged
over the processes: all of them take the same step, and their models stay the same. That is all there is to it, so
a learner with several networks, which take turns, needs no wrapping.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from accelerate import PartialState
from accelerate.utils import reduce
from torch import Tensor

from generation.device import chosen


class Processes:
    """What a process knows of the others.

    Args:
        device: Word for ``chosen``; where there are several processes, a launcher has given each its GPU.
    """

    def __init__(self, device: str = "auto") -> None:
        self._state = PartialState(cpu=chosen(device).type == "cpu")
        self.count: int = self._state.num_processes
        self.rank: int = self._state.process_index
        self.device = torch.device(self._state.device) if self.count > 1 else chosen(device)
        if self.count > 1:
            # Left to the end of the interpreter, its threads now and then abort the process.
            atexit.register(self._state.destroy_process_group)

    @property
    def is_main(self) -> bool:
        """Whether this is the one that writes files."""
        return self.rank == 0

    def share(self, batch: int) -> slice:
        """The part of a batch that this process sees."""
        return slice(self.rank * batch // self.count, (self.rank + 1) * batch // self.count)

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their mean over the processes, in one message."""
        if self.count == 1:
            return
        tensors = list(tensors)
        mean = reduce(torch.cat([tensor.flatten() for tensor in tensors]), reduction="mean")
        for tensor, part in zip(tensors, mean.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def any(self, flag: bool) -> bool:
        """Whether the flag is up in any process."""
        if self.count == 1:
            return flag
        return bool(reduce(torch.tensor(float(flag), device=self.device), reduction="sum").item())

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """The others wait until the main process is through the block."""
        with self._state.main_process_first():
            yield
