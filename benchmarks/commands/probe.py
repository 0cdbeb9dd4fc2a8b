"""``python -m benchmarks probe``."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from benchmarks.commands.study import Study


@dataclass(frozen=True)
class Probe(Study):
    """Ask a detector of synthetic images about places that are known: the paper's Table 2.

    It is trained on each generator and tested on all, with the edit in the middle of what it sees, and on the very
    same voxels as they were.

    Example: python -m benchmarks probe --data m3dsynth --preset tiny --out build/probe
    """

    detector: Positional[str] = "synthetic-probe"
    """Any detector's name, or your own as package.module:Class."""
    out: Path = Path("build/probe")
    """Folder for runs, verdicts and the table."""
    place: tuple[int, int, int] = (5, 96, 96)
    """Voxels along z, y, x around the middle of an edit."""

    def run(self) -> None:
        """Train, probe, and print the table."""
        from benchmarks.places import Places

        self.table((self.detector,), self.out, Places(self.place, seed=None))
