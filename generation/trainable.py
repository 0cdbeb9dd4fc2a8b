"""What a model of this package offers, so that one loop trains it and one file format keeps it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.optim import Optimizer

from generation.equalisation import Equalisation
from generation.errors import GenerationError
from generation.mask import core

CubeBatch = Float[Tensor, "batch 1 32 32 32"]
"""Equalised cubes, about in [-0.5, 0.5]."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What every model's config has; a model adds its sizes and rates: plain values and tuples of them."""

    steps: int
    """How many batches a training sees."""
    batch: int
    """Cubes in a batch."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise GenerationError(f"steps must be >= 1, got {self.steps}")
        if self.batch < 1:
            raise GenerationError(f"batch must be >= 1, got {self.batch}")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Config:
        """The config of parsed JSON, which has lists where a config has tuples.

        Raises:
            TypeError: If a field is not known, or one without a default is missing.
        """
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**fields)


ConfigT = TypeVar("ConfigT", bound=Config)


class Learner(nn.Module, ABC):
    """A model while it learns: its networks, its losses, and how it takes a step.

    Whatever must outlive a step (networks, averaged weights, pools of old images) is a submodule or a buffer.
    """

    @abstractmethod
    def optimizers(self) -> dict[str, Optimizer]:
        """Fresh optimisers over the parameters, by name; asked for once the learner is on its device."""

    @abstractmethod
    def training_step(
        self, cubes: CubeBatch, optimizers: Mapping[str, Optimizer], *, step: int, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """Learn from one batch: forward, backward and the optimisers' steps.

        Args:
            cubes: Whole cubes; the learner hides what it wants to learn to fill.
            optimizers: Those of ``optimizers``.
            step: Counts from 0, for schedules.
            rng: Source of randomness on the device of the cubes.

        Returns:
            The losses by name, detached, still on the device: reading them there would make the device wait.
        """

    @abstractmethod
    def network(self) -> nn.Module:
        """What of the learner fills cubes later: its tensors are the ones that are kept."""


class TrainedInpainter(ABC, Generic[ConfigT]):
    """An inpainter that has learned: a network, its config, and the equalisation it has learned with.

    Args:
        network: The one that fills; ``network`` of the learner.
        config: Its sizes.
        equalisation: Fitted to the training cubes.
        weights_sha256: Of the file that it was read from.
    """

    name: ClassVar[str]
    config_class: ClassVar[type[Config]]
    presets: ClassVar[Mapping[str, Config]]
    hidden: Bool[np.ndarray, "32 32 32"] = core()

    def __init__(
        self, network: nn.Module, config: ConfigT, equalisation: Equalisation, *, weights_sha256: str = ""
    ) -> None:
        self.network = network.eval()
        self.config = config
        self.equalisation = equalisation
        self.weights_sha256 = weights_sha256

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return next(self.network.parameters()).device

    @classmethod
    @abstractmethod
    def learner(cls, config: ConfigT) -> Learner:
        """A fresh model to train."""

    @classmethod
    @abstractmethod
    def blank(cls, config: ConfigT) -> nn.Module:
        """The network of ``learner(config).network()``, to be filled with kept tensors."""

    @abstractmethod
    def inpaint(self, masked: CubeBatch, seeds: Sequence[int]) -> CubeBatch:
        """See ``Inpainter``."""
