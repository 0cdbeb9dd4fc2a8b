"""``python -m benchmarks audit``."""

import sys
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Audit:
    """See what a detector could learn from a release without seeing a forgery; exit status 1 if it leaks.

    Overlaps of splits, duplicated scans, telling columns and files, marks of the writer, and how well simple
    classifiers tell labels and splits from what is no forgery. Reads every volume and edit once.

    Example: python -m benchmarks audit m3dsynth --json build/audit.json
    """

    release: Positional[Path] = Path("m3dsynth")
    """Release, open or sealed."""
    json: Path | None = None
    """File for all checks, with their numbers."""
    md: Path | None = None
    """File for the same as a Markdown table."""

    def run(self) -> None:
        """Audit, and say what leaks."""
        from benchmarks.audit import audit
        from m3dsynth_dataset import open_release
        from m3dsynth_dataset.staging import staged

        report = audit(open_release(self.release))
        print(report.text())
        for path, text in ((self.json, report.json), (self.md, report.markdown)):
            if path is not None:
                with staged(path) as place:
                    place.write_text(text(), encoding="utf-8")
                print(f"in {path}")
        if report.leaks:
            sys.exit(1)
