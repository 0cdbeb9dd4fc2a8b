"""Versions of what has a hand in a result."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version


def versions_of(names: Sequence[str]) -> dict[str, str]:
    """The installed versions of some distributions."""
    return {name: _version(name) for name in names}


@cache
def _version(name: str) -> str:
    return version(name)
