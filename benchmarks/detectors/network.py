"""What every network that detects tampering has: an answer, a loss, and a recipe to train it."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from benchmarks.slabs import Slabs
from m3dsynth_dataset import Release

Slab = Float[Tensor, "batch depth height width"]
"""Slices of one scan that follow on each other, in HU. A network for single slices takes slabs of depth 1."""
SlabMask = Bool[Tensor, "batch depth height width"]
"""Voxels that came from an inpainter."""


@dataclass(frozen=True)
class Answer:
    """What a network says of a batch of slabs. Everything is a logit: no sigmoid has been taken yet."""

    score: Float[Tensor, " batch"]
    """That there is tampering anywhere in the slab."""
    map: Slab | None = None
    """That a voxel is tampered; None for a network that does not localise."""
    extra: dict[str, Tensor] = field(default_factory=dict)
    """What only the network's own loss needs, such as edges."""


@dataclass(frozen=True)
class Recipe:
    """The part of a training that presets differ in; each network's config extends it."""

    steps: int
    batch: int
    """Slabs of a step; half of them tampered."""
    crop: int
    """Pixels of a slab's side; 512 for whole slices."""
    lr: float


C = TypeVar("C", bound=Recipe)


class Network(nn.Module, Generic[C]):
    """A detector that learns.

    Subclasses build their layers in ``__init__(config)`` and say how they are trained, as their papers have it.
    """

    name: ClassVar[str]
    """Such as ``mvss-net``; lower case, as files and tables have it."""
    depth: ClassVar[int] = 1
    """Slices that it sees at once."""
    localises: ClassVar[bool] = True
    """Whether its answers have maps."""
    searches: ClassVar[bool] = True
    """Whether it finds a small place in a whole slice; a network that does not is asked about places alone."""
    learns_from_control: ClassVar[bool] = False
    """Whether slabs of the release's control are among those without forgery that it learns from."""
    presets: ClassVar[dict[str, Recipe]]
    """``paper``, the published size and schedule; ``tiny``, which learns in a minute on two cores."""

    def __init__(self, config: C) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def forward(self, hu: Slab) -> Answer:
        """Judge slabs of any height and width.

        Args:
            hu: Hounsfield units.
        """

    @abstractmethod
    def loss(self, answer: Answer, mask: SlabMask) -> Float[Tensor, ""]:
        """The published loss.

        Args:
            answer: What the network said.
            mask: The truth; a slab is tampered if any voxel of it is set.
        """

    @abstractmethod
    def optimizer(self) -> torch.optim.Optimizer:
        """The published optimiser over what is to be learned."""

    def learning_rate(self, progress: float) -> float:
        """Factor of the learning rate, from the share of the training that is done (0 to 1)."""
        del progress
        return 1.0

    def prepare(self, release: Release, *, seed: int) -> None:
        """What has to be there before the first step, such as a part that is trained by itself.

        Called once, when a training begins; not when it goes on.

        Args:
            release: That is learned from.
            seed: Of the training.
        """
        del release, seed

    def practise(self, slabs: Slabs, source: torch.Generator) -> Slabs:
        """What becomes of the slabs of a step before they are learned from; nothing, as a rule.

        Args:
            slabs: On the CPU, already mirrored and turned.
            source: Of all that is drawn.
        """
        del source
        return slabs

    def at(self, progress: float) -> None:
        """What changes while the network is trained, such as which of its parts learn.

        Called before every step.

        Args:
            progress: Share of the training that is done, 0 to 1.
        """
        del progress

    def is_ready(self, progress: float) -> bool:
        """Whether everything has begun to learn: weights from before are not kept, however good they look.

        Args:
            progress: Share of the training that is done, 0 to 1.
        """
        del progress
        return True
