"""``python -m benchmarks probe``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclass(frozen=True)
class Probe:
    """Ask a detector of synthetic images about places that are known: the paper's Table 2.

    It is trained on each generator and tested on all, with the edit in the middle of what it sees, and on the very
    same voxels as they were.

    Example: python -m benchmarks probe --data m3dsynth --preset tiny --out build/probe
    """

    detector: Positional[str] = "synthetic-probe"
    """Any detector's name, or your own as package.module:Class."""
    data: Path = Path("m3dsynth")
    """Release."""
    out: Path = Path("build/probe")
    """Folder for runs, verdicts and the table."""
    preset: str = "paper"
    seed: int = 0
    precision: Literal["fp32", "bf16"] = "fp32"
    workers: int = 2
    steps: int | None = None
    """Instead of the preset's."""
    generators: tuple[str, ...] = ()
    """To train and to test on. Default: all of the release but the control."""
    place: tuple[int, int, int] = (5, 96, 96)
    """Voxels along z, y, x around the middle of an edit."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def run(self) -> None:
        """Train, probe, and print the table."""
        from benchmarks.choice import device
        from benchmarks.matrix import matrix
        from benchmarks.matrix_page import markdown, write_matrix
        from benchmarks.places import Places
        from benchmarks.training import Options
        from m3dsynth_dataset import open_release

        found = matrix(
            open_release(self.data),
            (self.detector,),
            self.out,
            preset=self.preset,
            options=Options(seed=self.seed, precision=self.precision, workers=self.workers, steps=self.steps),
            device=device(self.device),
            generators=self.generators or None,
            protocol=Places(self.place, seed=None),
        )
        print(markdown(found))
        print(f"in {write_matrix(found, self.out)}")
