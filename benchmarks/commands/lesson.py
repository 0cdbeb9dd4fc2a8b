"""How a malignancy classifier is trained: options that commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from benchmarks.malignancy import Options


@dataclass(frozen=True)
class Lesson:
    """What it learns from, and how."""

    data: Path = Path("m3dsynth")
    """Release."""
    preset: str = "paper"
    """Of the training. paper: the published size, for a GPU; tiny: a quarter of a minute on one core."""
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

    def options(self) -> Options:
        """The same for the training."""
        from benchmarks.choice import device
        from benchmarks.malignancy import Options, Ratings

        return Options(
            preset=self.preset,
            ratings=Ratings(self.malignant, self.benign),
            seed=self.seed,
            steps=self.steps,
            workers=self.workers,
            device=device(self.device),
        )
