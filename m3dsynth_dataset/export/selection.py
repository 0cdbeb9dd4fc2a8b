"""Which samples of a release are exported."""

from collections.abc import Sequence
from dataclasses import dataclass

from m3dsynth_dataset.configs import is_control
from m3dsynth_dataset.errors import ExportError
from m3dsynth_dataset.release import Release
from m3dsynth_dataset.schema import ALL, LABELS, MANIPULATIONS, SEALED, class_name
from m3dsynth_dataset.types import Triple

COLUMNS = ["sample_id", "label", "manipulation", "generator", "source", "patient_id", "scan_id", "shape_zyx", "volume"]


@dataclass(frozen=True)
class Entry:
    """What is known of a sample before it is read."""

    sample_id: str
    config: str
    split: str
    label: str
    manipulation: str
    generator: str
    source: str
    patient_id: str
    scan_id: str
    shape_zyx: Triple
    volume: str


def select(
    release: Release, sample_ids: Sequence[str] = (), config: str | None = None, split: str | None = None
) -> list[Entry]:
    """The samples named, those of a config, or all; in the order of the release.

    Args:
        release: The release.
        sample_ids: Such as ``dm/inj_12``; when empty, ``config`` and ``split`` say which.
        config: Such as ``dm-injection``; ``all`` for pristine and every generator's; every config and the control's
            when omitted.
        split: train, validation or test; each when omitted.

    Raises:
        UnknownSampleError: If there is no sample of a name.
        ExportError: If the release has no rows of the config and split, or samples and a config are named.
    """
    if sample_ids and (config or split):
        raise ExportError("samples are exported by name or by config and split, not by both")
    for sample_id in sample_ids:
        release.sample(sample_id)  # which says what it should have been called
    wanted = set(sample_ids)
    found = [
        entry
        for name in _configs(release, config)
        for each in release.splits[name]
        if split in (None, each)
        for entry in _entries(release, name, each)
        if not wanted or entry.sample_id in wanted
    ]
    if not found:
        wanted_rows = ", ".join(part for part in (config, split) if part) or "any config"
        known = ", ".join(f"{name} ({'/'.join(splits)})" for name, splits in release.splits.items())
        raise ExportError(f"{release.name} has no rows of {wanted_rows}; it has {known}")
    return found


def _configs(release: Release, config: str | None) -> list[str]:
    if config == ALL:
        return [name for name in release.configs if not is_control(name)]
    return [name for name in release.configs if config in (None, name)]


def _entries(release: Release, config: str, split: str) -> list[Entry]:
    rows = release.rows(config, split, COLUMNS).to_pylist()
    for row in rows:
        row["label"] = class_name(LABELS, row["label"])
        row["manipulation"] = class_name(MANIPULATIONS, row["manipulation"])
        row["generator"] = row["generator"] or SEALED
        row["shape_zyx"] = tuple(row["shape_zyx"])
    return [Entry(config=config, split=split, **row) for row in rows]
