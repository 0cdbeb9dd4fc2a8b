"""Verifying a release: every file, row, volume and edit against what the manifest and the schema say.

Nothing here stops at the first damage, and nothing that a file may hold is an error of the program: whatever goes
wrong in reading a file is a finding that names it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from m3dsynth_dataset.errors import ReleaseNotFoundError
from m3dsynth_dataset.manifest import MANIFEST
from m3dsynth_dataset.schema import FORMAT_VERSION, is_compatible
from m3dsynth_dataset.verification.agreement import check_account
from m3dsynth_dataset.verification.files import check_files, check_unlisted, present_files, read_manifest
from m3dsynth_dataset.verification.finding import Finding
from m3dsynth_dataset.verification.rows import Rows
from m3dsynth_dataset.verification.volumes import Volumes


def verify(release: Path, *, quick: bool = False, workers: int | None = None) -> Iterator[Finding]:
    """Everything that is wrong with a release.

    Args:
        release: Its folder.
        quick: Look at names and sizes only.
        workers: Threads; as many as there are cores when omitted.

    Returns:
        The findings as they are made, in an order that does not depend on the workers; none for a sound release.

    Raises:
        ReleaseNotFoundError: If there is no release, nor a part of one.
    """
    if not any((release / name).exists() for name in (MANIFEST, "data", "volumes")):
        raise ReleaseNotFoundError(
            f"{release}: no release there (it has no {MANIFEST}); build one with `python -m builder build`"
        )
    return _verify(release, quick, workers or os.cpu_count() or 1)


def _verify(release: Path, quick: bool, workers: int) -> Iterator[Finding]:
    manifest, findings = read_manifest(release)
    yield from findings
    present = present_files(release)
    names, version = present, FORMAT_VERSION
    if manifest is not None:
        names, version = sorted(manifest.files), manifest.format_version
        yield from check_unlisted(release, present, set(names))
        yield from check_files(release, manifest.files, quick, workers)
    if quick or not is_compatible(version):
        return
    is_imported = manifest is not None and "imported" in manifest.built
    rows = Rows(
        release, version, [name for name in names if name.startswith("data/")], workers, is_imported=is_imported
    )
    yield from rows.findings()
    if manifest is not None and rows.complete:
        yield from check_account(manifest.built, rows.known)
    volumes = Volumes(release, version, whole=manifest is None)
    yield from volumes.findings(names, rows.known, workers)
