"""``python -m benchmarks realism``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclass(frozen=True)
class Realism:
    """Measure how edits look beside tissue: noise, seam, HU, features, and whether a classifier tells them apart.

    JSON, Markdown, and one page with pictures. Reads only boxes around edits.

    Example: python -m benchmarks realism m3dsynth --split all --out build/realism
    """

    release: Positional[Path] = Path("m3dsynth")
    """Release; a sealed one does not tell where edits are."""
    split: Literal["train", "validation", "test", "all"] = "test"
    """test: of patients that no inpainter has learned from."""
    classifier: str | None = None
    """Weights of a malignancy classifier, for the Fréchet distance: file, folder, or ORG/NAME on the Hub."""
    out: Path = Path("build/realism")
    """Folder to write; a report that is there is replaced."""

    def run(self) -> None:
        """Measure, and print the table."""
        from benchmarks.realism import malignancy_embedding, realism, write
        from m3dsynth_dataset import open_release

        splits = ("train", "validation", "test") if self.split == "all" else (self.split,)
        embedding = malignancy_embedding(self.classifier) if self.classifier else None
        report = realism(open_release(self.release), splits, embedding, self.classifier)
        page = write(report, self.out.expanduser())
        print(report.text())
        print(f"page: {page}")
