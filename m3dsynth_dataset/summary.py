"""What a release holds, from its manifest and a few columns of its rows; no volume is opened."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from m3dsynth_dataset.configs import in_order, is_control
from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.manifest import MANIFEST, Manifest
from m3dsynth_dataset.schema import ALL, BINARY_COLUMNS, CONTROL, PRISTINE, Split, data_file

_COLUMNS = ["scan_id", "patient_id", "generator"]
_TOTAL = "total"
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Counts:
    """Of a split, or of the whole release, the control included."""

    samples: int
    scans: int
    patients: int


@dataclass(frozen=True)
class Sizes:
    """Bytes on disk."""

    edits: int
    """Patches and masks; a part of the rows."""
    rows: int
    volumes: int
    total: int
    """Of every file but the manifest."""


@dataclass(frozen=True)
class Summary:
    """What a release holds, and how it came about."""

    release: str
    format_version: str
    digest: str
    generators: tuple[str, ...]
    """The control comes last."""
    configs: dict[str, dict[str, int]]
    """Samples by config and split; ``all`` comes first, as in the card."""
    splits: dict[str, Counts]
    """By split; ``total`` comes last."""
    bytes: Sizes
    built: dict[str, Any]
    """The manifest's account of how the release was built."""

    def as_json(self) -> dict[str, Any]:
        """All of it, of JSON's types."""
        return asdict(self) | {"generators": list(self.generators)}

    def text(self) -> str:
        """All of it but the settings of the inpainters, for a person."""
        blocks = [_facts(self), _configs(self.configs), _splits(self.splits), _sizes(self.bytes)]
        return "\n\n".join([*blocks, *_account(self.built)])


def summarise(release: Path) -> Summary:
    """Count what a release holds.

    Args:
        release: Its folder.

    Raises:
        ReleaseNotFoundError: If the folder is not a release.
        FormatVersionError: If this version cannot read it.
        DamagedReleaseError: If the manifest or a file of rows is missing or cannot be read.
    """
    manifest = Manifest.read(release)
    _check(manifest, release)
    tables, edits = {}, 0
    for config, split in _rows_of(manifest):
        tables[config, split], size = _read(release, data_file(config, split))
        edits += size
    return Summary(
        str(release),
        manifest.format_version,
        manifest.digest,
        _generators(tables),
        _count_configs(tables),
        _count_splits(tables),
        _sum_sizes(manifest, edits),
        manifest.built,
    )


def _check(manifest: Manifest, release: Path) -> None:
    sizes: list[object] = [record.size for record in manifest.files.values()]
    if not isinstance(manifest.built, dict) or not all(isinstance(size, int) for size in sizes):
        raise DamagedReleaseError(
            f"{release / MANIFEST}: not the manifest of a release; `m3dsynth verify` names all that is damaged"
        )


def _rows_of(manifest: Manifest) -> list[tuple[str, str]]:
    """The configs and splits that the manifest lists, in the order of the card and of the splits."""
    names = {PurePosixPath(path).parent.name for path in manifest.files if path.startswith("data/")}
    return [
        (name, str(split)) for name in in_order(names) for split in Split if data_file(name, split) in manifest.files
    ]


def _read(release: Path, name: str) -> tuple[pa.Table, int]:
    """Who a file's rows are of, and the bytes that its edits take."""
    try:
        with pq.ParquetFile(release / name) as file:
            groups = [file.metadata.row_group(group) for group in range(file.num_row_groups)]
            columns = [group.column(index) for group in groups for index in range(group.num_columns)]
            size = sum(each.total_compressed_size for each in columns if each.path_in_schema in BINARY_COLUMNS)
            return file.read(_COLUMNS), size
    except (OSError, ValueError, LookupError, pa.ArrowException) as error:
        raise DamagedReleaseError(
            f"{release / name}: the rows cannot be read ({error}); `m3dsynth verify` names all that is damaged"
        ) from error


Tables = dict[tuple[str, str], pa.Table]


def _generators(tables: Tables) -> tuple[str, ...]:
    of_edits = (table["generator"] for (config, _), table in tables.items() if config != PRISTINE)
    names = {name for column in of_edits for name in column.unique().to_pylist() if name is not None}
    return tuple(sorted(names, key=lambda name: (name == CONTROL, name)))


def _count_configs(tables: Tables) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {ALL: {}}
    for (config, split), table in tables.items():
        counts.setdefault(config, {})[split] = table.num_rows
        if not is_control(config):
            counts[ALL][split] = counts[ALL].get(split, 0) + table.num_rows
    return counts


def _count_splits(tables: Tables) -> dict[str, Counts]:
    members: dict[str, list[pa.Table]] = {split: [] for split in Split}
    for (_, split), table in tables.items():
        members[split].append(table)
    counts = {str(split): _count(parts) for split, parts in members.items() if parts}
    return counts | {_TOTAL: _count(list(tables.values()))}


def _count(tables: Sequence[pa.Table]) -> Counts:
    scans, patients = (
        len({name for table in tables for name in table[column].unique().to_pylist()})
        for column in ("scan_id", "patient_id")
    )
    return Counts(sum(table.num_rows for table in tables), scans, patients)


def _sum_sizes(manifest: Manifest, edits: int) -> Sizes:
    rows, volumes, total = (
        sum(record.size for path, record in manifest.files.items() if path.startswith(folder))
        for folder in ("data/", "volumes/", "")
    )
    return Sizes(edits, rows, volumes, total)


# For a person.


def _facts(summary: Summary) -> str:
    return _pairs(
        {
            "release": summary.release,
            "format": summary.format_version,
            "digest": summary.digest,
            "generators": ", ".join(f"{name} (the control)" if name == CONTROL else name for name in summary.generators)
            or "none",
        }
    )


def _configs(configs: dict[str, dict[str, int]]) -> str:
    head = ("samples by config", *map(str, Split))
    return _table(
        [head] + [(name, *(_number(counts.get(split)) for split in Split)) for name, counts in configs.items()]
    )


def _splits(splits: dict[str, Counts]) -> str:
    rows = [(name, *map(_number, (of.samples, of.scans, of.patients))) for name, of in splits.items()]
    return _table([("split", "samples", "scans", "patients"), *rows])


def _sizes(sizes: Sizes) -> str:
    return _table([("bytes", ""), *((name, _number(value)) for name, value in asdict(sizes).items())])


def _account(built: dict[str, Any]) -> list[str]:
    """How the release was built: plain facts, then the inpainters, then versions."""
    nested = {name: value for name, value in built.items() if isinstance(value, dict)}
    facts = {name: _plain(value) for name, value in built.items() if name not in nested}
    inpainters, weights = nested.pop("inpainters", {}), nested.pop("weights_sha256", {})
    blocks = ["built\n" + _pairs(facts)] if facts else []
    if inpainters:
        lines = {name: _inpainter(account, weights.get(name)) for name, account in inpainters.items()}
        blocks.append("inpainters\n" + _pairs(lines))
    return blocks + [
        f"{name}\n" + _pairs({key: _plain(of) for key, of in pairs.items()}) for name, pairs in nested.items()
    ]


def _inpainter(account: object, weights: object) -> str:
    """Its plain facts; settings and versions are in the JSON."""
    known = account.items() if isinstance(account, dict) else [("account", account)]
    facts = [f"{name} {_plain(value)}" for name, value in known if not isinstance(value, dict)]
    return "; ".join([*facts, f"weights {_plain(weights)}"] if weights else facts)


def _plain(value: object) -> str:
    """A fact in a line, checksums by their first digits."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text[:12] if _SHA256.fullmatch(text) else text


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _pairs(facts: dict[str, str]) -> str:
    width = max(map(len, facts), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in facts.items())


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows in columns: the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    )
