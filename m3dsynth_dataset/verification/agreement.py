"""Rows against each other, and against what the manifest tells of them as a whole."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from m3dsynth_dataset.manifest import MANIFEST
from m3dsynth_dataset.schema import PRISTINE, SEALED
from m3dsynth_dataset.verification.finding import COPY_AGAIN, MADE_WRONG, Finding, brief
from m3dsynth_dataset.verification.row import Row, is_null
from m3dsynth_dataset.verification.table import Table


@dataclass(frozen=True)
class Known:
    """What is kept of a row to hold it against the others."""

    table: Table
    sample_id: str
    source: str
    scan_id: str
    patient_id: str
    weights: str | None
    volume: str
    shape: tuple[int, ...]


def known_of(row: Row, table: Table) -> Known:
    """What is kept of a row."""
    sample_id, source, scan_id, patient_id, volume = (
        str(row[name]) for name in ("sample_id", "source", "scan_id", "patient_id", "volume")
    )
    shape = () if is_null(row["shape_zyx"]) else tuple(row["shape_zyx"])
    return Known(table, sample_id, source, scan_id, patient_id, row["weights_sha256"], volume, shape)


def check_account(built: dict[str, Any], known: Sequence[Known]) -> Iterator[Finding]:
    """What the manifest tells of the release as a whole, against the rows."""
    actual: dict[str, Any] = {
        "scans": len({row.scan_id for row in known}),
        "patients": len({row.patient_id for row in known}),
        "source": "/".join(sorted({row.source for row in known})),
    }
    for name, value in actual.items():
        if name in built and built[name] != value:
            rule = f"built.{name} is what the rows say ({value!r})"
            yield Finding(MANIFEST, rule, brief(built[name]), COPY_AGAIN)
    weights = built.get("weights_sha256")
    for config, sha256 in sorted(weights.items()) if isinstance(weights, dict) else ():
        of_rows = {row.weights for row in known if row.table.config == config}
        if any(each != sha256 for each in of_rows):
            rule = f"built.weights_sha256 of {config} is that of its rows ({', '.join(sorted(map(str, of_rows)))})"
            yield Finding(MANIFEST, rule, brief(sha256), COPY_AGAIN)


def check_unique(known: Sequence[Known]) -> Iterator[Finding]:
    """Whether every sample has an id of its own."""
    counts = Counter(row.sample_id for row in known)
    for sample_id in (name for name, count in counts.items() if count > 1):
        paths = dict.fromkeys(row.table.path for row in known if row.sample_id == sample_id)
        yield Finding(sample_id, "its id is no other's", f"{counts[sample_id]} rows in {', '.join(paths)}", MADE_WRONG)


def check_splits(known: Sequence[Known]) -> Iterator[Finding]:
    """A patient on two sides is the leak that a split by patient is to prevent."""
    samples: dict[str, dict[str, str]] = defaultdict(dict)
    for row in known:
        samples[row.patient_id].setdefault(row.table.split, row.sample_id)
    for patient_id, by_split in samples.items():
        if len(by_split) > 1:
            *_, last = by_split.values()
            found = " and ".join(f"{split} ({sample_id})" for split, sample_id in by_split.items())
            yield Finding(last, f"patient {patient_id} is in one split", found, MADE_WRONG)


def check_scans(known: Sequence[Known]) -> Iterator[Finding]:
    """Whether every scan has a pristine row, and a sealed one no other: two versions of a scan can be subtracted."""
    pristine = {row.scan_id for row in known if row.table.config == PRISTINE}
    counts = Counter(row.scan_id for row in known)
    for row in known:
        if row.table.config == SEALED:
            if counts[row.scan_id] > 1:
                rule = f"its scan {row.scan_id} has one row, since it is sealed"
                yield Finding(row.sample_id, rule, f"{counts[row.scan_id]}", MADE_WRONG)
        elif row.scan_id not in pristine:
            yield Finding(row.sample_id, f"its scan {row.scan_id} has a pristine row", "none", MADE_WRONG)
