"""``python -m benchmarks malignancy``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Malignancy:
    """Train a malignancy classifier on the pristine scans of a release and the readers' ratings of their nodules.

    For `deception --classifier` and `realism --classifier`. Stopped at any moment, the same command goes on.

    Example: python -m benchmarks malignancy --data m3dsynth --preset tiny --out runs/malignancy
    """

    data: Path = Path("m3dsynth")
    """Release."""
    out: Path = Path("runs/malignancy")
    """Folder of the weights."""
    splits: tuple[Literal["train", "validation", "test"], ...] = ("train", "validation")
    """Whose patients to learn from. It is never asked about them."""
    preset: str = "paper"
    """paper: the published size, for a GPU; tiny: a quarter of a minute on one core."""
    malignant: float = 4.0
    """Least mean rating of a nodule that counts as malignant."""
    benign: float = 2.0
    """Highest mean rating of one that counts as benign; those between are not learned from."""
    seed: int = 0
    steps: int | None = None
    """Instead of the preset's."""
    workers: int = 2
    """Processes that read."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def run(self) -> None:
        """Train, and say from what."""
        from benchmarks.choice import device
        from benchmarks.malignancy import Options, Ratings, sites_of, train
        from m3dsynth_dataset import open_release

        options = Options(
            preset=self.preset,
            ratings=Ratings(self.malignant, self.benign),
            seed=self.seed,
            steps=self.steps,
            workers=self.workers,
            device=device(self.device),
        )
        release = open_release(self.data)
        account = train(release, sites_of(release, self.splits), self.out, options).account
        assert account is not None
        origin = account.provenance
        print(
            f"learned from {origin.malignant} malignant and {origin.benign} benign nodules of {len(origin.patients)} "
            f"patients; weights in {self.out}"
        )
