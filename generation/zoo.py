"""The inpainters of this project by name, and those whose weights lie in a folder."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import torch

from generation import weights
from generation.cubes import MANIPULATIONS
from generation.errors import GenerationError
from generation.identity import Identity
from generation.inpainter import Inpainter
from generation.pix2pix import Pix2Pix
from generation.trainable import TrainedInpainter

INPAINTERS: dict[str, type[Identity] | type[TrainedInpainter[Any]]] = {
    "identity": Identity,
    "pix2pix": Pix2Pix,
}


def trainable(name: str) -> type[TrainedInpainter[Any]]:
    """The class of an inpainter that learns.

    Raises:
        GenerationError: If there is none of this name, or it has nothing to learn.
    """
    found = _named(name)
    if not issubclass(found, TrainedInpainter):
        raise GenerationError(f"inpainter '{name}' has nothing to learn: it can be used as it is")
    return found


def load_inpainter(path: Path | str, *, device: torch.device | str = "cpu") -> Inpainter:
    """The inpainter of a file of weights, as the file says itself.

    Raises:
        GenerationError: If the file is missing or broken, or of an inpainter that is not known.
    """
    path = Path(path)
    kept = weights.load(path)
    model = trainable(kept.inpainter)
    try:
        config = model.config_class.from_json(kept.config)
        network = model.blank(config)
        network.load_state_dict(kept.tensors)
    except (TypeError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise GenerationError(f"{path}: does not fit inpainter '{kept.inpainter}' of this version ({first})") from error
    return model(network.to(device), config, kept.equalisation, weights_sha256=weights.sha256(path))


def discover(folder: Path | str) -> dict[tuple[str, str], Path]:
    """The files ``<name>-<manipulation>.safetensors`` of a folder, by name and manipulation, sorted.

    Raises:
        GenerationError: If there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise GenerationError(f"{folder}: no folder of weights there; fill one with `python -m generation train`")
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        name, _, manipulation = path.stem.rpartition("-")
        if name and manipulation in MANIPULATIONS:
            found[name, manipulation] = path
    return found


def _named(name: str) -> type[Identity] | type[TrainedInpainter[Any]]:
    if name in INPAINTERS:
        return INPAINTERS[name]
    close = difflib.get_close_matches(name, INPAINTERS, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise GenerationError(f"unknown inpainter '{name}'{hint} (known: {', '.join(sorted(INPAINTERS))})")
