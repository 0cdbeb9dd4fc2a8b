"""The build report: what was done, what was left out and why; lines for now, JSON for programs, a page for people."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from builder.finding import HARMLESS, Finding, summarised
from builder.report_page import render_report
from builder.rows import Row
from builder.series import Series
from m3dsynth_dataset.staging import staged

READ, INPAINT, INSERT, WRITE = "read scans, cut cubes", "inpaint", "insert edits", "write the release"
"""The stages of a build."""


@dataclass
class Stage:
    """A stage of a build. Its seconds are those of this run; what was ready is of earlier ones."""

    name: str
    unit: str
    total: int
    done: int = 0
    was_ready: int = 0
    left_out: int = 0
    seconds: float = 0.0

    def count(self, number: int, was_ready: bool) -> None:
        """More is done."""
        self.done += number
        self.was_ready += number if was_ready else 0


@dataclass
class BuildReport:
    """What is told of a build. It is written after every stage, so one that was killed has a report, too."""

    out: Path
    """The release; the report lies beside it, since it names folders of this machine."""
    versions: dict[str, str]
    status: str = "under way, or killed"
    disk: str = ""
    digest: str = ""
    stages: list[Stage] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unplanned: list[Series] = field(default_factory=list)
    not_at_hand: list[tuple[str, str]] = field(default_factory=list)
    """Scans of the plan that were not found, and their patients."""
    lossy: list[Series] = field(default_factory=list)
    """Scans whose files lost something to compression. They are kept: their voxels are what the files say."""
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Of the release, by config and split."""

    def compare(self, rows: Mapping[str, Sequence[Row]], series: Sequence[Series]) -> None:
        """Note which scans are only in the plan, and which are only at hand."""
        there = {each.scan_id for each in series}
        self.unplanned = [each for each in series if each.scan_id not in rows]
        self.lossy = [each for each in series if each.scan_id in rows and each.is_lossy]
        self.not_at_hand = [
            (scan_id, members[0]["patient_id"]) for scan_id, members in rows.items() if scan_id not in there
        ]

    @contextmanager
    def stage(self, name: str, unit: str, total: int) -> Iterator[Stage]:
        """Time a stage, and write the report when it is over."""
        stage = Stage(name, unit, total)
        self.stages.append(stage)
        started = time.monotonic()
        try:
            yield stage
        finally:
            stage.seconds = round(time.monotonic() - started, 1)
        self.write()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Have the report tell why the build stopped, if it does."""
        try:
            yield
        except BaseException as error:
            self.status = f"stopped: {error or type(error).__name__}"
            try:
                self.write()
            except OSError:
                tqdm.write(f"the report could not be written beside {self.out}")
            raise

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "status": self.status,
            "release": str(self.out),
            "digest": self.digest,
            "disk": self.disk,
            "stages": [asdict(stage) for stage in self.stages],
            "rows": {f"{config}/{split}": count for (config, split), count in sorted(self.rows.items())},
            "lossily_compressed": [{"scan_id": each.scan_id, "patient_id": each.patient_id} for each in self.lossy],
            "left_out": [asdict(finding) for finding in self.findings],
            "not_in_the_plan": [{"scan_id": each.scan_id, "patient_id": each.patient_id} for each in self.unplanned],
            "not_at_hand": [{"scan_id": scan_id, "patient_id": patient} for scan_id, patient in self.not_at_hand],
            "versions": self.versions,
        }

    def write(self) -> None:
        """Write JSON and page."""
        told = self.as_json()
        texts = {report_path(self.out): json.dumps(told, indent=1) + "\n", page_path(self.out): render_report(told)}
        for path, text in texts.items():
            with staged(path) as place:
                place.write_text(text, encoding="utf-8")


def report_path(out: Path) -> Path:
    """Beside the release, not in it: it names folders of this machine."""
    return out.with_name(f"{out.name}.report.json")


def page_path(out: Path) -> Path:
    """The same for people."""
    return out.with_name(f"{out.name}.report.html")


def show_findings(findings: Sequence[Finding]) -> None:
    """Print the findings without tearing a progress bar apart: a line each, or one for all harmless ones alike."""
    harmless = [finding for finding in findings if finding.remedy == HARMLESS]
    for finding in [*summarised(harmless), *(finding for finding in findings if finding.remedy != HARMLESS)]:
        tqdm.write(f"left out: {finding}")
