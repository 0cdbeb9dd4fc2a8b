"""How detectors are trained on generators and tested on all: options that commands share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from benchmarks.matrix import Protocol


@dataclass(frozen=True)
class Study:
    """What detectors learn from, and how."""

    data: Path = Path("m3dsynth")
    """Release."""
    preset: str = "paper"
    seed: int = 0
    precision: Literal["fp32", "bf16"] = "fp32"
    workers: int = 2
    steps: int | None = None
    """Instead of the preset's."""
    generators: tuple[str, ...] = ()
    """To train and to test on. Default: all of the release but the control."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def table(self, detectors: Sequence[str], out: Path, protocol: Protocol | None) -> None:
        """Train, test, write the matrix, and print it.

        Args:
            detectors: Names, or a user's own as package.module:Class.
            out: Folder for runs, predictions and the matrix.
            protocol: What is judged; whole scans when omitted.
        """
        from benchmarks.choice import device
        from benchmarks.matrix import matrix
        from benchmarks.matrix_page import markdown, write_matrix
        from benchmarks.training import Options
        from m3dsynth_dataset import open_release

        found = matrix(
            open_release(self.data),
            detectors,
            out,
            preset=self.preset,
            options=Options(seed=self.seed, precision=self.precision, workers=self.workers, steps=self.steps),
            device=device(self.device),
            generators=self.generators or None,
            protocol=protocol,
        )
        print(markdown(found))
        print(f"in {write_matrix(found, out)}")
