"""What is kept of a training: the network's weights, how they came about, and its course."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from benchmarks.detectors.network import Network
from benchmarks.detectors.zoo import network
from benchmarks.errors import BenchmarkError
from m3dsynth_dataset.staging import staged

CONFIG, WEIGHTS, CHECKPOINT, COURSE, CURVES = (
    "config.json",
    "weights.safetensors",
    "checkpoint.pt",
    "course.json",
    "curves.png",
)


@dataclass(frozen=True)
class Account:
    """How a network was trained."""

    detector: str
    """Its name, or ``package.module:Class``."""
    preset: str
    config: dict[str, Any]
    train_on: tuple[str, ...]
    """Configs of the release that it learned from."""
    release_digest: str
    seed: int
    selection: dict[str, float] = field(default_factory=dict)
    """Figures on validation of the step whose weights are kept."""


def save_network(folder: Path, trained: Network[Any], account: Account) -> None:
    """Write weights and account.

    Args:
        folder: Of the run.
        trained: The network.
        account: How it was trained.
    """
    with staged(folder / WEIGHTS) as place:
        save_file({name: tensor.contiguous().cpu() for name, tensor in trained.state_dict().items()}, place)
    with staged(folder / CONFIG) as place:
        place.write_text(json.dumps(asdict(account), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_account(folder: Path) -> Account:
    """How the network of a run was trained.

    Raises:
        BenchmarkError: If the folder is not that of a finished training.
    """
    path = folder / CONFIG
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return Account(**raw | {"train_on": tuple(raw["train_on"])})
    except FileNotFoundError:
        raise BenchmarkError(
            f"{folder}: no trained detector there ({CONFIG} is missing); train one with `python -m benchmarks train`"
        ) from None
    except (ValueError, TypeError, KeyError) as error:
        raise BenchmarkError(f"{path}: not the account of a training ({error})") from error


def load_network(folder: Path) -> Network[Any]:
    """The network of a run, ready to judge, on the CPU.

    Raises:
        BenchmarkError: If the folder is not that of a finished training, or its weights are of another network.
    """
    account = read_account(folder)
    kind = network(account.detector)
    try:
        trained = kind(type(kind.presets[account.preset])(**account.config))
        trained.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError, RuntimeError, TypeError, KeyError) as error:
        raise BenchmarkError(f"{folder / WEIGHTS}: not the weights of {account.detector} ({error})") from error
    return trained.eval()
