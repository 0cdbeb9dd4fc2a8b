"""``python -m builder rehearse``."""

import os
from dataclasses import dataclass
from pathlib import Path

from builder.errors import BuilderError


@dataclass(frozen=True)
class Rehearse:
    """Rehearse the whole regeneration: as many scans and sites as there are, of tiny scans, with its memory curve.

    Example: python -m builder rehearse --weights weights --out build/rehearsal
    """

    weights: Path = Path("weights")
    """Folder of inpainters' weights; all that lie there are used."""
    out: Path = Path("build/rehearsal")
    """Folder for scans, release, rehearsal.json and memory.png."""
    series: int = 744
    """Scans; an eighth of them is built first, to see whether memory grows with their number."""
    sites: int = 3251
    """Places to edit, in all scans."""
    workers: int = os.cpu_count() or 1
    """Processes of the build."""
    device: str = "auto"
    """What inpainters run on: auto, cpu, cuda, cuda:1."""

    def run(self) -> None:
        """Rehearse, print the figures and draw the curve."""
        from builder.rehearsal.curve import draw_curve
        from builder.rehearsal.rehearsal import PICTURE, rehearse

        if self.series < 1 or self.sites < 1:
            raise BuilderError(f"--series and --sites must be at least 1, got {self.series} and {self.sites}")
        sizes = [(self.series // 8, self.sites // 8)] if self.series >= 24 else []
        rehearsals = []
        for series, sites in [*sizes, (self.series, self.sites)]:
            rehearsal = rehearse(
                self.out / str(series), series=series, sites=sites, weights=self.weights, workers=self.workers,
                options=["--device", self.device],
            )  # fmt: skip
            print(rehearsal.summary())
            rehearsals.append(rehearsal)
        draw_curve(rehearsals, self.out / PICTURE)
        print(f"memory over time: {self.out / PICTURE}")
