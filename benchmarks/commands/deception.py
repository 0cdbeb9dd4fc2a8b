"""``python -m benchmarks deception``."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.commands.lesson import Lesson


@dataclass(frozen=True)
class Deception(Lesson):
    """Ask a malignancy classifier about every edited place, before and after: the paper's Figure 3.

    Without --classifier, one is trained on the pristine scans of the patients who are not judged; with --split all,
    several are, each on those whom the others judge. Trained classifiers are kept in the folder.

    Example: python -m benchmarks deception --data m3dsynth --preset tiny --split all --out build/deception
    """

    out: Path = Path("build/deception")
    """Folder for a page, figures, histograms, scores, and classifiers that are trained."""
    classifier: str | None = None
    """Weights: a file, a folder, or ORG/NAME on the Hub. Patients it has learned from are left out."""
    split: Literal["train", "validation", "test", "all"] = "test"
    """Whose patients are judged; all for everybody, in turn."""
    folds: int = 4
    """How many classifiers are trained for --split all."""
    check: bool = False
    """Exit status 1 unless every generator exchanges the roles of all sites, and the control keeps them."""

    def run(self) -> None:
        """Train or read, judge, and print the tables."""
        from benchmarks.deception import deception, faults, text, write_deception
        from m3dsynth_dataset import open_release

        found = deception(
            open_release(self.data),
            self.out,
            split=self.split,
            options=self.options(),
            classifier=self.classifier,
            folds=self.folds,
        )
        page = write_deception(found, self.out)
        print(f"{text(found)}\npage: {page}")
        if self.check and (wrong := faults(found.figures)):
            sys.exit("\n".join(wrong))
