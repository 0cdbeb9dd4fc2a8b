"""The file of a trained classifier: one safetensors file, and never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor

from benchmarks.errors import BenchmarkError
from benchmarks.malignancy.ratings import Ratings
from m3dsynth_dataset.staging import staged

FILE = "malignancy.safetensors"
KIND = "malignancy"
METADATA_KEY = "m3dsynth"
"""One key alone: safetensors writes several in no fixed order, and the same training would give other files."""


@dataclass(frozen=True)
class Provenance:
    """What a classifier has learned from, and how."""

    release_digest: str
    source: str
    """Of the scans, such as ``LIDC-IDRI`` or ``phantom``."""
    patients: tuple[str, ...]
    """Whose nodules these are. The classifier is never asked about another nodule of theirs."""
    malignant: int
    """Nodules."""
    benign: int
    ratings: Ratings
    seed: int


@dataclass(frozen=True)
class Account:
    """What a classifier is, and how it came to be."""

    preset: str
    config: Mapping[str, Any]
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class Weights:
    """The content of a file."""

    account: Account
    tensors: Mapping[str, Tensor] = field(repr=False)
    """On the CPU."""


def save(path: Path, weights: Weights) -> None:
    """Write a file, whole or not at all."""
    tensors = {name: tensor.cpu().contiguous() for name, tensor in weights.tensors.items()}
    text = json.dumps({"kind": KIND} | asdict(weights.account), sort_keys=True)
    with staged(path) as place:
        place.write_bytes(save_tensors(tensors, metadata={METADATA_KEY: text}))


def load(path: Path) -> Weights:
    """Read a file.

    Raises:
        BenchmarkError: If it is missing, or is no such file.
    """
    if not path.is_file():
        raise BenchmarkError(
            f"{path}: no weights of a malignancy classifier there; leave --classifier out to train one"
        )
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY, "{}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        return Weights(_account(json.loads(text)), tensors)
    except SafetensorError as error:
        raise BenchmarkError(f"{path}: is no safetensors file that can be read ({error})") from error
    except (KeyError, TypeError, ValueError) as error:
        raise BenchmarkError(f"{path}: is no file of a malignancy classifier's weights (at fault: {error})") from error


def _account(metadata: Mapping[str, Any]) -> Account:
    if metadata.get("kind") != KIND:
        raise ValueError(f"kind must be {KIND!r}, got {metadata.get('kind', metadata.get('inpainter'))!r}")
    origin = dict(metadata["provenance"])
    origin |= {"patients": tuple(origin["patients"]), "ratings": Ratings(**origin["ratings"])}
    return Account(metadata["preset"], metadata["config"], Provenance(**origin))
