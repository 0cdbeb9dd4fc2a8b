"""All checks, in the order in which they are told."""

from collections.abc import Callable, Iterator

from benchmarks.audit.columns import check_columns
from benchmarks.audit.duplicates import check_duplicates
from benchmarks.audit.edits import check_edits
from benchmarks.audit.patients import check_patients
from benchmarks.audit.report import Report
from benchmarks.audit.shortcuts import check_shortcuts
from benchmarks.audit.survey import Survey, survey
from benchmarks.audit.verdict import Check
from benchmarks.audit.volume_form import check_volumes
from m3dsynth_dataset import Release

CHECKS: tuple[Callable[[Survey], Iterator[Check]], ...] = (
    check_patients,
    check_duplicates,
    check_columns,
    check_volumes,
    check_edits,
    check_shortcuts,
)


def audit(release: Release) -> Report:
    """Audit a release: read every volume and edit once, then judge.

    Args:
        release: Open or sealed; of sealed rows is judged what can be without their labels.

    Raises:
        DamagedReleaseError: If something cannot be read; ``m3dsynth verify`` says what else is wrong.
    """
    found = survey(release)
    checks = tuple(check for checks in CHECKS for check in checks(found))
    return Report(str(release.name), release.manifest.digest, len(found.rows), len(found.volumes), checks)
