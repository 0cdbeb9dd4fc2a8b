"""``python -m builder extract``."""

import os
from dataclasses import dataclass
from pathlib import Path

from builder.inventory import find_series
from builder.plan import read_plan


@dataclass(frozen=True)
class Extract:
    """Cut the cubes of a plan out of the scans: those to edit, and those that inpainters learn from.

    Example: python -m builder extract --lidc LIDC-IDRI --plan plan.parquet --out cubes.zarr
    """

    lidc: Path
    """Folder that holds the DICOM files, in any layout."""
    plan: Path
    """From `python -m builder plan`."""
    out: Path = Path("cubes.zarr")
    """Store to write."""
    work: Path | None = None
    """Folder to keep the scans in as they were read; give it to build too, and DICOM is read once. Default: a folder
    beside --out, removed at the end."""
    workers: int = os.cpu_count() or 1
    """Processes; the result does not depend on it."""

    def run(self) -> None:
        """Write the store."""
        from builder.build import by_scan, check_any, read_scans, write_cubes
        from builder.local_engine import LocalEngine
        from builder.report import show_findings
        from builder.work_folder import work_folder

        rows = by_scan(read_plan(self.plan))
        with work_folder(self.out, self.work) as work:
            scans, findings = read_scans(
                find_series(self.lidc, workers=self.workers), rows, work, LocalEngine(self.workers)
            )
            show_findings(findings)
            check_any(scans, rows)
            store = write_cubes(scans, self.out)
        kinds = store.table["kind"].to_pylist()
        print(f"{kinds.count('site')} cubes to edit and {kinds.count('training')} to learn from in {self.out}")
