"""The build report: what was left out and why, for a person (lines) and for a program (JSON)."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from builder.finding import Finding
from builder.series import Series
from m3dsynth_dataset.staging import staged


def report_path(out: Path) -> Path:
    """Beside the release, not in it: it names folders of this machine."""
    return out.with_name(f"{out.name}.report.json")


def write_report(path: Path, findings: Sequence[Finding], unplanned: Sequence[Series]) -> None:
    """Write the findings, and the series at hand that nothing was planned for, as JSON."""
    report = {
        "left_out": [asdict(finding) for finding in findings],
        "not_in_the_plan": [{"scan_id": each.scan_id, "patient_id": each.patient_id} for each in unplanned],
    }
    with staged(path) as place:
        place.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def show_findings(findings: Sequence[Finding]) -> None:
    """Print the findings, one a line, without tearing a progress bar apart."""
    for finding in findings:
        tqdm.write(f"left out: {finding}")
