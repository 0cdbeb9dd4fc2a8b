"""The detectors by name."""

from difflib import get_close_matches
from importlib import import_module
from typing import Any

from benchmarks.detectors.network import Network
from benchmarks.errors import BenchmarkError

DETECTORS = {
    "hp-fcn": "benchmarks.detectors.hp_fcn:HPFCN",
    "mantranet": "benchmarks.detectors.mantranet:ManTraNet",
    "mvss-net": "benchmarks.detectors.mvss_net:MVSSNet",
    "synthetic-probe": "benchmarks.detectors.synthetic_probe:SyntheticProbe",
    "trace3d": "benchmarks.detectors.trace3d:Trace3D",
    "trufor": "benchmarks.detectors.trufor:TruFor",
    "unet": "benchmarks.detectors.unet:UNet",
    "xception": "benchmarks.detectors.xception:Xception",
}
"""Where each is; they are imported when they are used, since some take seconds."""


def network(word: str) -> type[Network[Any]]:
    """The class of a detector that learns.

    Args:
        word: Its name, or ``package.module:Class`` for one of the user's own.

    Raises:
        BenchmarkError: If there is none, or it is no ``Network``.
    """
    path = DETECTORS.get(word, word)
    if ":" not in path:
        hint = get_close_matches(word, DETECTORS, n=1)
        guess = f"; did you mean {hint[0]!r}?" if hint else ""
        raise BenchmarkError(
            f"there is no detector {word!r}{guess}; known: {', '.join(DETECTORS)}, or your own as package.module:Class"
        )
    found = imported(path)
    if not (isinstance(found, type) and issubclass(found, Network)):
        raise BenchmarkError(f"{path} is no class that extends benchmarks.detectors.network.Network")
    return found


def imported(path: str) -> object:
    """What lies at ``package.module:Name``.

    Raises:
        BenchmarkError: If nothing does.
    """
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise BenchmarkError(f"{path} cannot be imported ({error}); is its folder in PYTHONPATH?") from error
