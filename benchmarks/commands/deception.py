"""``python -m benchmarks deception``."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Deception:
    """Ask a malignancy classifier about every edited place, before and after: the paper's Figure 3.

    Without --classifier, one is trained on the pristine scans of the patients who are not judged; with --split all,
    several are, each on those whom the others judge. Trained classifiers are kept in the folder.

    Example: python -m benchmarks deception --data m3dsynth --preset tiny --split all --out build/deception
    """

    data: Path = Path("m3dsynth")
    """Release."""
    out: Path = Path("build/deception")
    """Folder for a page, figures, histograms, scores, and classifiers that are trained."""
    classifier: str | None = None
    """Weights: a file, a folder, or ORG/NAME on the Hub. Patients it has learned from are left out."""
    preset: str = "paper"
    """Of a training. paper: the published size, for a GPU; tiny: a quarter of a minute on one core."""
    split: Literal["train", "validation", "test", "all"] = "test"
    """Whose patients are judged; all for everybody, in turn."""
    folds: int = 4
    """How many classifiers are trained for --split all."""
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
    check: bool = False
    """Exit status 1 unless every generator exchanges the roles of all sites, and the control keeps them."""

    def run(self) -> None:
        """Train or read, judge, and print the tables."""
        from benchmarks.choice import device
        from benchmarks.deception import deception, faults, text, write_deception
        from benchmarks.malignancy import Options, Ratings
        from m3dsynth_dataset import open_release

        options = Options(
            preset=self.preset,
            ratings=Ratings(self.malignant, self.benign),
            seed=self.seed,
            steps=self.steps,
            workers=self.workers,
            device=device(self.device),
        )
        found = deception(
            open_release(self.data),
            self.out,
            split=self.split,
            options=options,
            classifier=self.classifier,
            folds=self.folds,
        )
        page = write_deception(found, self.out)
        print(f"{text(found)}\npage: {page}")
        if self.check and (wrong := faults(found.figures)):
            sys.exit("\n".join(wrong))
