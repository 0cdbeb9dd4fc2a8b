"""What a training needs to go on after it was stopped: one safetensors file beside the weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from generation.errors import GenerationError
from generation.trainable import Learner
from m3dsynth_dataset.staging import staged

LEARNER, OPTIMIZER = "learner.", "optimizer."


@dataclass(frozen=True)
class Checkpoint:
    """A file, and the training that it belongs to.

    Args:
        path: Where it lies.
        training: All that decides the course of the training, as plain values; a file of another one is refused.
    """

    path: Path
    training: Mapping[str, Any]

    def save(self, learner: Learner, optimizers: Mapping[str, Optimizer], step: int) -> None:
        """Keep what was learned before ``step``, whole or not at all."""
        tensors = {LEARNER + name: tensor for name, tensor in learner.state_dict().items()}
        for name, optimizer in optimizers.items():
            for index, state in optimizer.state_dict()["state"].items():
                tensors |= {f"{OPTIMIZER}{name}.{index}.{key}": tensor for key, tensor in state.items()}
        metadata = {"step": str(step), "training": _text(self.training)}
        with staged(self.path) as place:
            save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, place, metadata=metadata)

    def restore(self, learner: Learner, optimizers: Mapping[str, Optimizer]) -> int:
        """Bring a learner and its optimisers to where they were.

        Returns:
            The step to go on with; 0 when there is no file.

        Raises:
            GenerationError: If the file is broken, or of another training.
        """
        if not self.path.is_file():
            return 0
        step, tensors = self._read()
        learner.load_state_dict(_under(LEARNER, tensors))
        for name, optimizer in optimizers.items():
            states: dict[int, dict[str, Tensor]] = {}
            for key, tensor in _under(f"{OPTIMIZER}{name}.", tensors).items():
                index, _, field = key.partition(".")
                states.setdefault(int(index), {})[field] = tensor
            optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
        return step

    def remove(self) -> None:
        """Nothing to go on with any more."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> tuple[int, dict[str, Tensor]]:
        try:
            with safe_open(self.path, framework="pt") as file:
                metadata = file.metadata() or {}
                self._check(metadata)
                return int(metadata["step"]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, ValueError) as error:
            if isinstance(error, GenerationError):
                raise
            raise GenerationError(f"{self.path}: is no checkpoint that can be read ({error}); --restart") from error

    def _check(self, metadata: Mapping[str, str]) -> None:
        found, wanted = json.loads(metadata["training"]), json.loads(_text(self.training))
        differing = sorted(key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key))
        if differing:
            raise GenerationError(
                f"{self.path}: is the checkpoint of another training ({', '.join(differing)} differ); go on with its"
                " options, name another --out, or give it up with --restart"
            )


def _text(training: Mapping[str, Any]) -> str:
    return json.dumps(training, sort_keys=True)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
