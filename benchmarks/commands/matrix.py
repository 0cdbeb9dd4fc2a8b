"""``python -m benchmarks matrix``."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from benchmarks.commands.study import Study
from benchmarks.errors import BenchmarkError


@dataclass(frozen=True, kw_only=True)
class Matrix(Study):
    """Train detectors on each generator and test them on all: the paper's Table 3, and the control.

    What is finished is not done again, so a stopped run goes on.

    Example: python -m benchmarks matrix hp-fcn unet --data m3dsynth --preset tiny --out build/matrix
    """

    detectors: Positional[tuple[str, ...]]
    """Names, or your own as package.module:Class."""
    out: Path = Path("build/matrix")
    """Folder for runs, predictions and the matrix."""
    places: tuple[int, int, int] | None = None
    """Judge the surroundings of every edit, of so many voxels along z, y, x, and the same place as it was, instead of
    whole scans: for a handful of patients, such as `--places 32 128 128`."""

    def run(self) -> None:
        """Train, test, and print the table."""
        from benchmarks.places import Places

        if not self.detectors:
            raise BenchmarkError("name at least one detector, such as hp-fcn")
        self.table(self.detectors, self.out, Places(self.places) if self.places else None)
