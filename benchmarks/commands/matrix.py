"""``python -m benchmarks matrix``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from benchmarks.errors import BenchmarkError


@dataclass(frozen=True)
class Matrix:
    """Train detectors on each generator and test them on all: the paper's Table 3, and the control.

    What is finished is not done again, so a stopped run goes on.

    Example: python -m benchmarks matrix hp-fcn unet --data m3dsynth --preset tiny --out build/matrix
    """

    detectors: Positional[tuple[str, ...]]
    """Names, or your own as package.module:Class."""
    data: Path = Path("m3dsynth")
    """Release."""
    out: Path = Path("build/matrix")
    """Folder for runs, predictions and the matrix."""
    preset: str = "paper"
    seed: int = 0
    precision: Literal["fp32", "bf16"] = "fp32"
    workers: int = 2
    steps: int | None = None
    """Instead of the preset's."""
    generators: tuple[str, ...] = ()
    """To train and to test on. Default: all of the release but the control."""
    places: tuple[int, int, int] | None = None
    """Judge the surroundings of every edit, of so many voxels along z, y, x, and the same place as it was, instead of
    whole scans: for a handful of patients, such as `--places 32 128 128`."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def run(self) -> None:
        """Train, test, and print the table."""
        from benchmarks.choice import device
        from benchmarks.matrix import matrix
        from benchmarks.matrix_page import markdown, write_matrix
        from benchmarks.places import Places
        from benchmarks.training import Options
        from m3dsynth_dataset import open_release

        if not self.detectors:
            raise BenchmarkError("name at least one detector, such as hp-fcn")
        found = matrix(
            open_release(self.data),
            self.detectors,
            self.out,
            preset=self.preset,
            options=Options(seed=self.seed, precision=self.precision, workers=self.workers, steps=self.steps),
            device=device(self.device),
            generators=self.generators or None,
            protocol=Places(self.places) if self.places else None,
        )
        print(markdown(found))
        print(f"in {write_matrix(found, self.out)}")
