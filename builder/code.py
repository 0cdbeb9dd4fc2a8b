"""The code of an inpainter, so that a user's own class that was changed is not taken for what it was."""

import hashlib
import inspect
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path


def code_sha256(made_by: object) -> str | None:
    """One checksum of all Python files of the package in which a class or function stands, or of its only file.

    Returns:
        None if it stands in no file, or in the script that is running.
    """
    module = inspect.getmodule(made_by)
    if module is None or module.__name__ == "__main__" or not getattr(module, "__file__", None):
        return None
    package = sys.modules[module.__name__.partition(".")[0]]
    folders = tuple(getattr(package, "__path__", ()))
    return _checksum(folders or (str(module.__file__),))


def packages_sha256(names: Sequence[str]) -> str:
    """One checksum of all Python files of some packages."""
    return _checksum(tuple(folder for name in names for folder in import_module(name).__path__))


@cache
def _checksum(places: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for place in map(Path, places):
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(f"{file.relative_to(place)}\n".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
