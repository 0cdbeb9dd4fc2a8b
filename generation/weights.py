"""The file of a trained inpainter: one safetensors file, and never a pickle.

Its tensors are the network's and the equalisation's. Its metadata is one JSON text: what the inpainter is, and
what it has learned from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor

from generation.equalisation import Equalisation
from generation.errors import GenerationError
from m3dsynth_dataset.staging import staged

FORMAT_VERSION = 2
METADATA_KEY = "m3dsynth"
"""One key alone: safetensors writes several in no fixed order, and the same training would give other files."""
NETWORK, EQUALISATION = "network.", "equalisation."


@dataclass(frozen=True)
class Provenance:
    """What an inpainter has learned from, and how."""

    trained_on: str
    """Source of the scans, such as ``LIDC-IDRI`` or ``phantom``; empty when the store of cubes does not say."""
    cubes: int
    patients: tuple[str, ...]
    """Whose cubes these are. No other patient tells how good the model is."""
    table_sha256: str
    """Of the table of the store of cubes."""
    seed: int
    steps: int
    versions: Mapping[str, str]
    """Of the software."""


@dataclass(frozen=True)
class Account:
    """What an inpainter is, and how it came to be."""

    inpainter: str
    manipulation: str
    preset: str
    config: Mapping[str, Any]
    """Fields of the model's config; tuples come back as lists."""
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class Weights:
    """The content of a file."""

    account: Account
    equalisation: Equalisation
    tensors: Mapping[str, Tensor] = field(repr=False)
    """Of the network, on the CPU."""


def weights_path(folder: Path, inpainter: str, manipulation: str) -> Path:
    """Where the weights of an inpainter lie in a folder."""
    return folder / f"{inpainter}-{manipulation}.safetensors"


def save(path: Path, weights: Weights) -> str:
    """Write a file, whole or not at all.

    Returns:
        Its sha256.
    """
    tensors = {NETWORK + name: tensor.cpu().contiguous() for name, tensor in weights.tensors.items()}
    tensors |= {EQUALISATION + name: tensor for name, tensor in weights.equalisation.to_tensors().items()}
    metadata = {"format_version": FORMAT_VERSION} | asdict(weights.account)
    with staged(path) as place:
        # Not save_file, which lets nobody else read what it writes.
        place.write_bytes(save_tensors(tensors, metadata={METADATA_KEY: json.dumps(metadata, sort_keys=True)}))
        return sha256(place)


def load(path: Path) -> Weights:
    """Read a file.

    Raises:
        GenerationError: If it is missing, is no such file, or is of another format version.
    """
    metadata, tensors = _read(path)
    try:
        equalisation = Equalisation.from_tensors(_under(EQUALISATION, tensors))
        return Weights(_account(metadata), equalisation, _under(NETWORK, tensors))
    except (KeyError, TypeError) as error:
        raise GenerationError(f"{path}: is no file of an inpainter's weights (at fault: {error})") from error


def sha256(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _account(metadata: Mapping[str, Any]) -> Account:
    origin = dict(metadata["provenance"])
    origin["patients"] = tuple(origin["patients"])
    return Account(
        inpainter=metadata["inpainter"],
        manipulation=metadata["manipulation"],
        preset=metadata["preset"],
        config=metadata["config"],
        provenance=Provenance(**origin),
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise GenerationError(f"{path}: no weights there; make some with `python -m generation train`")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = _metadata(path, file.metadata() or {})
            return metadata, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except SafetensorError as error:
        raise GenerationError(f"{path}: is no safetensors file that can be read ({error})") from error


def _metadata(path: Path, texts: Mapping[str, str]) -> dict[str, Any]:
    if METADATA_KEY not in texts:
        raise GenerationError(f"{path}: is no file of an inpainter's weights (its metadata lacks '{METADATA_KEY}')")
    metadata: dict[str, Any] = json.loads(texts[METADATA_KEY])
    version = metadata.get("format_version")
    if version != FORMAT_VERSION:
        raise GenerationError(
            f"{path}: format_version must be {FORMAT_VERSION}, got {version}; train again with this version"
        )
    return metadata


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
