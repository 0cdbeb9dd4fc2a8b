"""Which detector a user means, and where it computes."""

from pathlib import Path

import torch

from benchmarks.detector import Detector
from benchmarks.detectors.zoo import imported
from benchmarks.errors import BenchmarkError
from benchmarks.network_detector import NetworkDetector
from benchmarks.run_folder import WEIGHTS
from m3dsynth_dataset.manifest import record_file


def detector(word: str, wanted: str, batch: int | None = None) -> tuple[Detector, str]:
    """A detector, and a key that changes with what it says.

    Args:
        word: Folder of a training, or ``package.module:Class`` of an object that is made without arguments.
        wanted: Device; see :func:`device`.
        batch: Slabs at once; what suits the device when omitted.

    Raises:
        BenchmarkError: If there is none.
    """
    folder = Path(word).expanduser()
    if folder.exists() or ":" not in word:
        return NetworkDetector.of_run(folder, device(wanted), batch), record_file(folder / WEIGHTS).sha256
    made = imported(word)
    found = made() if callable(made) else made
    if not isinstance(found, Detector):
        raise BenchmarkError(f"{word} is no detector: it needs name, reach and judge (benchmarks/detector.py)")
    return found, word


def device(wanted: str) -> torch.device:
    """``auto`` for a GPU where there is one, else the CPU; or one of the two.

    Raises:
        BenchmarkError: If there is no GPU and one was asked for.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise BenchmarkError("--device cuda: there is no GPU that torch can use; use --device cpu")
    return torch.device("cuda" if torch.cuda.is_available() and wanted != "cpu" else "cpu")
