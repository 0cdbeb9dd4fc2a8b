"""Which inpainters a batch job uses: those whose weights lie in a folder, or those that a user names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from generation.cubes import MANIPULATIONS
from generation.errors import GenerationError
from generation.identity import Identity
from generation.inpainter import Inpainter
from generation.trainable import TrainedInpainter
from generation.weights import weights_path
from generation.zoo import discover, load_inpainter, named

NAME = re.compile("[a-z0-9]+(-[a-z0-9]+)*")
"""What a generator may be called: its name becomes part of names of configs and files."""

REQUIRED = ("name", "hidden", "equalisation", "weights_sha256", "inpaint")
"""What an ``Inpainter`` has."""


@dataclass(frozen=True)
class Choice:
    """One inpainter for one manipulation."""

    name: str
    """Of the generator."""
    manipulation: str
    word: str
    """What the user calls it: its name, or ``package.module:Class``."""
    weights: Path | None = None
    """None for one that has none."""

    def load(self, device: torch.device | str = "cpu") -> Inpainter:
        """The inpainter, ready to fill."""
        if self.weights is not None:
            return load_inpainter(self.weights, name=self.word, device=device)
        return _own(self.word, self.manipulation)


def choose(folder: Path, words: Sequence[str] | None = None) -> list[Choice]:
    """The inpainters to use, by name and manipulation; the control is always one of them.

    Args:
        folder: Of weights; it need not be there if nothing is wanted of it.
        words: Names of inpainters or paths ``package.module:Class``; all that have weights there when omitted. A
            class of the user's own that is no ``TrainedInpainter`` is called with the manipulation and makes an
            ``Inpainter``.

    Raises:
        GenerationError: If one is not known, has no weights there, or has the name of another.
    """
    found = discover(folder) if folder.is_dir() else {}
    if words is None:
        words = sorted({name for name, _ in found})
    wanted = [word for word in dict.fromkeys(words) if word != Identity.name]
    choices = [choice for word in [*wanted, Identity.name] for choice in _choices(word, folder, found)]
    names = [(choice.name, choice.manipulation) for choice in choices]
    if twice := sorted({name for name, manipulation in names if names.count((name, manipulation)) > 1}):
        raise GenerationError(f"inpainters must have names of their own, got {', '.join(twice)} more than once")
    return sorted(choices, key=lambda choice: (choice.name, choice.manipulation))


def _choices(word: str, folder: Path, found: dict[tuple[str, str], Path]) -> list[Choice]:
    model = named(word)
    if not (isinstance(model, type) and issubclass(model, TrainedInpainter)):
        return [Choice(_checked(_own(word, manipulation).name), manipulation, word) for manipulation in MANIPULATIONS]
    weights = {manipulation: found.get((model.learns_as(), manipulation)) for manipulation in MANIPULATIONS}
    choices = [Choice(_checked(model.name), manipulation, word, path) for manipulation, path in weights.items() if path]
    if not choices:
        known = ", ".join(sorted({name for name, _ in found})) or "none"
        wanted = weights_path(folder, model.learns_as(), "injection")
        raise GenerationError(
            f"inpainter '{word}' has no weights in {folder} (there: {known}): {wanted} is missing; make it with"
            f" `python -m generation train {model.learns_as() if ':' not in word else word} injection`"
        )
    return choices


def _own(word: str, manipulation: str) -> Inpainter:
    model = named(word)
    try:
        made = model() if model is Identity else model(manipulation)
    except TypeError as error:
        raise GenerationError(
            f"inpainter '{word}' must take the manipulation as its only argument ({error})"
        ) from error
    if not isinstance(made, Inpainter):
        lacking = [name for name in REQUIRED if not hasattr(made, name)]
        raise GenerationError(f"inpainter '{word}' is none: it lacks {', '.join(lacking)}")
    return made


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise GenerationError(f"an inpainter's name must be small letters, digits and single hyphens, got {name!r}")
    return name
