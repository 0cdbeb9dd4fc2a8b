"""``python -m benchmarks malignancy``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.commands.lesson import Lesson


@dataclass(frozen=True)
class Malignancy(Lesson):
    """Train a malignancy classifier on the pristine scans of a release and the readers' ratings of their nodules.

    For `deception --classifier` and `realism --classifier`. Stopped at any moment, the same command goes on.

    Example: python -m benchmarks malignancy --data m3dsynth --preset tiny --out runs/malignancy
    """

    out: Path = Path("runs/malignancy")
    """Folder of the weights."""
    splits: tuple[Literal["train", "validation", "test"], ...] = ("train", "validation")
    """Whose patients to learn from. It is never asked about them."""

    def run(self) -> None:
        """Train, and say from what."""
        from benchmarks.malignancy import sites_of, train
        from m3dsynth_dataset import open_release

        release = open_release(self.data)
        account = train(release, sites_of(release, self.splits), self.out, self.options()).account
        assert account is not None
        origin = account.provenance
        print(
            f"learned from {origin.malignant} malignant and {origin.benign} benign nodules of {len(origin.patients)} "
            f"patients; weights in {self.out}"
        )
