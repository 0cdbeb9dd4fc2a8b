"""``python -m builder plan``."""

import os
from dataclasses import dataclass
from pathlib import Path

from builder.annotations import read_annotations
from builder.commands.plan_source import PlanSource
from builder.errors import BuilderError
from builder.inventory import find_series
from builder.plan import write_plan
from builder.plan_summary import summary, unchecked


@dataclass(frozen=True)
class Plan(PlanSource):
    """Decide where scans are edited, and who sees them: annotations to plan.parquet.

    Example: python -m builder plan --annotations-only --out plan.parquet
    """

    annotations_only: bool = False
    """Plan every scan of the database, without looking for DICOM files."""
    out: Path = Path("plan.parquet")
    """File to write."""
    workers: int = os.cpu_count() or 1
    """Processes that read headers."""

    def run(self) -> None:
        """Write the plan."""
        self.check()
        if (self.lidc is None) != self.annotations_only:
            raise BuilderError("name either --lidc DIR, or --annotations-only to plan without scans")
        scans = read_annotations(self.database())
        inventory = None if self.lidc is None else find_series(self.lidc, workers=self.workers)
        plan = self.plan(inventory, scans, self.workers)
        write_plan(plan, self.out)
        print(summary(plan), f"in {self.out}")
        if self.annotations_only:
            print(unchecked(plan, scans))
