"""What a model of this package offers, so that one loop trains it and one file format keeps it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from huggingface_hub import ModelHubMixin, hf_hub_download
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.optim import Optimizer

from generation import weights
from generation.descent import Descent
from generation.equalisation import STRAIGHT, Equalisation
from generation.errors import GenerationError
from generation.mask import core
from generation.model_card import TEMPLATE
from generation.weights import Account, Weights, weights_path

CubeBatch = Float[Tensor, "batch 1 32 32 32"]
"""Equalised cubes, about in [-0.5, 0.5]."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What every model's config has; a model adds its sizes and rates: plain values and tuples of them."""

    steps: int
    """How many batches a training sees."""
    batch: int
    """Cubes in a batch, over all processes."""
    decay: float = 0.0
    """Share of the steps, the last ones, in which the learning rates fall to zero."""
    straight: float = STRAIGHT
    """Share of a straight line in the map from HU to levels; see ``Equalisation.fit``."""
    held_out: float = 0.05
    """Share of the patients that validation has for itself; at least one of several."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise GenerationError(f"steps must be >= 1, got {self.steps}")
        if self.batch < 1:
            raise GenerationError(f"batch must be >= 1, got {self.batch}")
        if not 0 <= self.decay <= 1:
            raise GenerationError(f"decay must be a share of the steps, 0 to 1, got {self.decay}")
        if not 0 <= self.held_out < 1:
            raise GenerationError(f"held_out must be a share of the patients, 0 to below 1, got {self.held_out}")

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

    def rate_at(self, step: int) -> float:
        """The share of its learning rates that a step has."""
        return min(1.0, (1 - step / self.steps) / self.decay) if self.decay else 1.0


ConfigT = TypeVar("ConfigT", bound=Config)


class Learner(nn.Module, ABC):
    """A model while it learns: its networks, its losses, and how it takes a step.

    Whatever must outlive a step (networks, averaged weights, pools of old images) is a submodule or a buffer.
    """

    @abstractmethod
    def optimizers(self) -> dict[str, Optimizer]:
        """Fresh optimisers over the parameters, by name; asked for once the learner is on its device."""

    @abstractmethod
    def training_step(self, cubes: CubeBatch, descend: Descent, *, rng: torch.Generator) -> dict[str, Tensor]:
        """Learn from one batch: forward, then ``descend(name of the optimiser, loss)``.

        Args:
            cubes: Whole cubes; the learner hides what it wants to learn to fill.
            descend: Takes the steps.
            rng: Source of randomness on the device of the cubes.

        Returns:
            The losses by name, detached, still on the device: reading them there would make the device wait.
        """

    @abstractmethod
    def validation_loss(self, cubes: CubeBatch, *, rng: torch.Generator) -> Float[Tensor, ""]:
        """How well cubes are filled that nothing was learned from; lower is better, and comparable over a training."""

    @abstractmethod
    def network(self) -> nn.Module:
        """What of the learner fills cubes later: its tensors are the ones that are kept."""


class TrainedInpainter(
    ModelHubMixin,
    ABC,
    Generic[ConfigT],
    library_name="m3dsynth",
    tags=["medical-imaging", "computed-tomography", "inpainting", "deepfake-detection"],
    license="apache-2.0",
    paper_url="https://arxiv.org/abs/2309.07973",
    model_card_template=TEMPLATE,
):
    """An inpainter that has learned: a network, its config, and the equalisation it has learned with.

    ``save_pretrained``, ``push_to_hub`` and ``from_pretrained`` are those of huggingface_hub. A folder or repository
    holds any number of inpainters, each in its file of weights.

    Args:
        network: The one that fills; ``network`` of the learner.
        config: Its sizes.
        equalisation: Fitted to the training cubes.
        account: What it has learned from; one without it cannot be saved.
        weights_sha256: Of the file that it was read from.
    """

    name: ClassVar[str]
    config_class: ClassVar[type[Config]]
    presets: ClassVar[Mapping[str, Config]]
    worth_compiling: ClassVar[bool] = False
    """Whether it calls its network so often that compiling it first saves time on a GPU."""
    hidden: Bool[np.ndarray, "32 32 32"] = core()

    def __init__(
        self,
        network: nn.Module,
        config: ConfigT,
        equalisation: Equalisation,
        *,
        account: Account | None = None,
        weights_sha256: str = "",
    ) -> None:
        self.network = network.eval()
        self.config = config
        self.equalisation = equalisation
        self.account = account
        self.weights_sha256 = weights_sha256
        self._bf16 = False

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return next(self.network.parameters()).device

    @classmethod
    def learns_as(cls) -> str:
        """The name that its weights go by: its own, unless it uses another's weights in another way."""
        return cls.name

    @classmethod
    @abstractmethod
    def learner(cls, config: ConfigT) -> Learner:
        """A fresh model to train."""

    @classmethod
    @abstractmethod
    def blank(cls, config: ConfigT) -> nn.Module:
        """The network of ``learner(config).network()``, to be filled with kept tensors."""

    @abstractmethod
    def fill(self, masked: CubeBatch, seeds: Sequence[int]) -> CubeBatch:
        """Whole cubes, of any level; the arguments are those of ``inpaint``."""

    @torch.inference_mode()
    def inpaint(self, masked: CubeBatch, seeds: Sequence[int]) -> CubeBatch:
        """Whole cubes within the range of the training cubes; see ``Inpainter``."""
        with torch.autocast(masked.device.type, torch.bfloat16, enabled=self._bf16):
            filled = self.fill(masked, seeds)
        return filled.float().clamp(*self.equalisation.range)

    def accelerate(self, *, compiled: bool | None = None) -> None:
        """Give up last digits for speed: bf16 where the network can, channels last, and a compiled graph.

        Worth it on a GPU, where ``from_file`` does it.

        Args:
            compiled: Whether to compile the network; by default where it is called often enough.
        """
        self._bf16 = True
        self.network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        if self.worth_compiling if compiled is None else compiled:
            self.network.compile()

    @classmethod
    def from_file(cls, path: Path | str, *, device: torch.device | str = "cpu") -> TrainedInpainter[ConfigT]:
        """The inpainter of a file of weights.

        Raises:
            GenerationError: If the file is missing or broken, or of another inpainter.
        """
        path = Path(path)
        kept = weights.load(path)
        if kept.account.inpainter != cls.learns_as():
            raise GenerationError(
                f"{path}: has weights of inpainter '{kept.account.inpainter}', '{cls.name}' needs those of"
                f" '{cls.learns_as()}'"
            )
        try:
            config: Any = cls.config_class.from_json(kept.account.config)
            network = cls.blank(config)
            network.load_state_dict(dict(kept.tensors))
        except (TypeError, RuntimeError, ValueError) as error:
            first = str(error).splitlines()[0]
            raise GenerationError(f"{path}: does not fit inpainter '{cls.name}' of this version ({first})") from error
        sha256 = weights.sha256(path)
        made = cls(network.to(device), config, kept.equalisation, account=kept.account, weights_sha256=sha256)
        if made.device.type == "cuda":
            made.accelerate()
        return made

    def _save_pretrained(self, save_directory: Path) -> None:
        """The mixin's part of ``save_pretrained``: ``<name>-<manipulation>.safetensors``."""
        if self.account is None:
            raise GenerationError(f"inpainter '{self.name}' does not know what it has learned from: it cannot be saved")
        kept = Weights(self.account, self.equalisation, self.network.state_dict())
        weights.save(weights_path(save_directory, self.account.inpainter, self.account.manipulation), kept)

    @classmethod
    def _from_pretrained(
        cls,
        *,
        model_id: str,
        revision: str | None,
        cache_dir: str | Path | None,
        force_download: bool,
        local_files_only: bool,
        token: str | bool | None,
        manipulation: str = "injection",
        device: torch.device | str = "cpu",
        **config_of_the_repository: Any,  # noqa: ANN401 (the file of weights has its own)
    ) -> TrainedInpainter[ConfigT]:
        """The mixin's part of ``from_pretrained(folder or repository, manipulation=..., device=...)``."""
        path = weights_path(Path(model_id), cls.learns_as(), manipulation)
        if not Path(model_id).is_dir():
            path = Path(
                hf_hub_download(
                    model_id,
                    path.name,
                    revision=revision,
                    cache_dir=cache_dir,
                    force_download=force_download,
                    local_files_only=local_files_only,
                    token=token,
                )
            )
        return cls.from_file(path, device=device)
