"""The inpainters of this project by name, and those whose weights lie in a folder."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from generation import weights
from generation.cubes import MANIPULATIONS
from generation.cyclegan import CycleGan
from generation.dm import Ddim50, Dm, DpmPp20
from generation.errors import GenerationError
from generation.identity import Identity
from generation.pix2pix import Pix2Pix
from generation.trainable import TrainedInpainter

INPAINTERS: dict[str, type[Identity] | type[TrainedInpainter[Any]]] = {
    "identity": Identity,
    "pix2pix": Pix2Pix,
    "cyclegan": CycleGan,
    "dm": Dm,
    "dm-ddim50": Ddim50,
    "dm-dpmpp20": DpmPp20,
}


def trainable(name: str) -> type[TrainedInpainter[Any]]:
    """The class of an inpainter that learns.

    Args:
        name: One of INPAINTERS, or a path ``package.module:Class`` to a class of the user's own.

    Raises:
        GenerationError: If there is none of this name, or it has nothing to learn.
    """
    found = named(name)
    if not (isinstance(found, type) and issubclass(found, TrainedInpainter)):
        raise GenerationError(f"inpainter '{name}' has nothing to learn: it can be used as it is")
    return found


def load_inpainter(
    path: Path | str, *, name: str | None = None, device: torch.device | str = "cpu"
) -> TrainedInpainter[Any]:
    """The inpainter of a file of weights.

    Args:
        path: The file.
        name: The inpainter that is to use them; the one that the file names when omitted.
        device: Where to put it.

    Raises:
        GenerationError: If the file is missing or broken, or of an inpainter that is not known or another one.
    """
    model = trainable(name or weights.load(Path(path)).account.inpainter)
    return model.from_file(path, device=device)


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


def named(name: str) -> Callable[..., Any]:
    """What a name stands for: the class of an inpainter, or whatever a path ``package.module:Class`` leads to.

    Raises:
        GenerationError: If it stands for nothing.
    """
    if ":" in name:
        return _imported(name)
    if name in INPAINTERS:
        return INPAINTERS[name]
    close = difflib.get_close_matches(name, INPAINTERS, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise GenerationError(
        f"unknown inpainter '{name}'{hint} (known: {', '.join(sorted(INPAINTERS))}; your own: package.module:Class)"
    )


def _imported(path: str) -> Callable[..., Any]:
    module, _, attribute = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise GenerationError(
            f"inpainter '{path}' cannot be imported ({error}); the path is package.module:Class, looked for in the"
            " folder you are in and in what is installed"
        ) from error
    if not callable(found):
        raise GenerationError(f"inpainter '{path}' must be a class or a function that makes one, got {found!r}")
    made: Callable[..., Any] = found
    return made
