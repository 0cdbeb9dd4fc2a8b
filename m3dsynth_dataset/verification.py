"""Verifying a release: every file, row, volume and edit against what the manifest and the schema say.

Nothing here stops at the first damage, and nothing that a file may hold is an error of the program: whatever goes
wrong in reading a file is a finding that names it.
"""

import json
import math
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features
from tqdm import tqdm

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.edit import EncodedEdit, sha256_of
from m3dsynth_dataset.errors import ReleaseNotFoundError
from m3dsynth_dataset.manifest import MANIFEST, FileRecord, Manifest, digest_of, record_file
from m3dsynth_dataset.schema import (
    BLOSC_BLOCK,
    CHUNK,
    CONTROL,
    FEATURES,
    FORMAT_VERSION,
    LABELS,
    MANIPULATIONS,
    PRISTINE,
    ROWS_PER_GROUP,
    Split,
    arrow_schema,
    class_index,
    config_name,
    data_file,
    is_compatible,
    volume_path,
)
from m3dsynth_dataset.shard import BLOSC_HEADER, VoxelSource
from m3dsynth_dataset.volume import open_voxels

COPY_AGAIN = "copy it again from where the release came from"
MADE_WRONG = "this is how the release was made, or it was changed since: get it anew, or tell its makers"
REMOVE = "remove it: readers may take it for a part of the release"
UPDATE = "install the version of m3dsynth that the release's card names"

LEFT_BY_TRANSPORT = (".gitattributes", ".git/", ".cache/huggingface/")
"""What the Hub and its client add to a release, and no reader looks at."""

_BOX_COLUMNS = ("box_start_zyx", "box_shape_zyx")
_EDIT_COLUMNS = frozenset(
    ("site_id", "centre_zyx", "centre_mm", *_BOX_COLUMNS, "patch", "patch_encoding", "mask", "base_sha256")
)
"""Null in a pristine row, and in no other."""
_MAY_BE_NULL = frozenset(("nodule_diameter_mm", "malignancy", "readers", "weights_sha256"))

_SHA256 = re.compile(r"[0-9a-f]{64}")

Row = dict[str, Any]
Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    place: str
    """A file's path in the release, or the id of a sample."""
    rule: str
    """What should be."""
    found: str
    """What is."""
    remedy: str

    def __str__(self) -> str:
        line = f"{self.place}: {self.rule}; found {self.found}; {self.remedy}"
        # Names of files may hold anything, and messages of libraries have several lines.
        return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in " ".join(line.split()))


@dataclass(frozen=True)
class _Table:
    """A Parquet file of a release, and where its name says that it belongs."""

    path: str
    config: str
    split: str


@dataclass(frozen=True)
class _Known:
    """What is kept of a row to hold it against the others."""

    table: _Table
    sample_id: str
    source: str
    scan_id: str
    patient_id: str
    weights: str | None
    volume: str
    shape: tuple[int, ...]


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
    manifest, findings = _read_manifest(release)
    yield from findings
    present = _present(release)
    names, version = present, FORMAT_VERSION
    if manifest is not None:
        names, version = sorted(manifest.files), manifest.format_version
        yield from _unlisted(release, present, set(names))
        yield from _check_files(release, manifest.files, quick, workers)
    if quick or not is_compatible(version):
        return
    rows = _Rows(release, version, [name for name in names if name.startswith("data/")], workers)
    yield from rows.findings()
    if manifest is not None and rows.complete:
        yield from _check_account(manifest.built, rows.known)
    volumes = _Volumes(release, version, whole=manifest is None)
    yield from volumes.findings(names, rows.known, workers)


# The manifest and the files that it lists.


def _read_manifest(release: Path) -> tuple[Manifest | None, list[Finding]]:
    """The manifest as far as it can be read, and what is wrong with it."""
    try:
        text = (release / MANIFEST).read_bytes().decode()
        raw = json.loads(text)
        version, digest, files, built = (raw[name] for name in ("format_version", "digest", "files", "built"))
        entries = {name: _record(name, entry) for name, entry in files.items()}
    except Exception as error:
        rule = "is the manifest of a release"
        return None, [Finding(MANIFEST, rule, _message(error), f"{COPY_AGAIN}; without it no file can be checked")]
    records = {name: entry for name, entry in entries.items() if isinstance(entry, FileRecord)}
    manifest = Manifest(str(version), str(digest), records, built if isinstance(built, dict) else {})
    findings = [entry for entry in entries.values() if isinstance(entry, Finding)]
    if not is_compatible(version):
        rule = f"format_version is one that this version of m3dsynth reads ({FORMAT_VERSION})"
        findings.append(Finding(MANIFEST, rule, _brief(version), UPDATE))
    if not findings and (expected := digest_of(records)) != digest:
        rule = f"digest is that of the files it lists, {expected}"
        findings.append(Finding(MANIFEST, rule, _brief(digest), COPY_AGAIN))
    if not isinstance(built, dict):
        findings.append(Finding(MANIFEST, "says in 'built' how the release was built", _brief(built), COPY_AGAIN))
    if not _is_as_written(text, raw):
        rule = "is as it was written, keys in order and one space of indentation"
        findings.append(Finding(MANIFEST, rule, "other bytes", COPY_AGAIN))
    return manifest, findings


def _is_as_written(text: str, raw: object) -> bool:
    try:
        return text == json.dumps(raw, indent=1, sort_keys=True) + "\n"
    except RecursionError:
        return False


def _record(name: str, entry: object) -> FileRecord | Finding:
    if not _is_inside(name):
        return Finding(MANIFEST, "names files by their path in the release", repr(name), COPY_AGAIN)
    if isinstance(entry, dict) and entry.keys() == {"size", "sha256"}:
        size, sha256 = entry["size"], entry["sha256"]
        if type(size) is int and isinstance(sha256, str) and _SHA256.fullmatch(sha256):
            return FileRecord(size, sha256)
    return Finding(MANIFEST, f"has size and sha256 of {name}", _brief(entry), COPY_AGAIN)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    is_plain = str(path) == name and name.isprintable()
    return is_plain and bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _present(release: Path) -> list[str]:
    """Every file that is there but the manifest, whatever it is, and every folder that holds nothing."""
    found = []
    for folder, folders, files in os.walk(release):
        base = Path(folder).relative_to(release)
        found += [(base / name).as_posix() for name in files]
        if not folders and not files and base.parts:
            found.append(f"{base.as_posix()}/")
    return sorted(name for name in found if name != MANIFEST and not name.startswith(LEFT_BY_TRANSPORT))


def _unlisted(release: Path, present: Iterable[str], listed: set[str]) -> Iterator[Finding]:
    for name in present:
        if name not in listed:
            kind = "an empty folder" if name.endswith("/") else f"a file of {_size(release / name)} bytes"
            yield Finding(name, "the manifest lists it", f"{kind} that it does not know", REMOVE)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that may not be read
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a link to nothing
        return 0


def _check_files(release: Path, files: dict[str, FileRecord], quick: bool, workers: int) -> Iterator[Finding]:
    def check(name: str) -> list[Finding]:
        return list(_check_file(release / name, name, files[name], quick))

    for findings in _each(check, sorted(files), workers, "files", "B", lambda name: files[name].size):
        yield from findings


def _check_file(path: Path, name: str, listed: FileRecord, quick: bool) -> Iterator[Finding]:
    try:
        if not path.is_file():
            yield Finding(name, "the file is there", "none" if not path.exists() else "no file", COPY_AGAIN)
        elif (size := path.stat().st_size) != listed.size:
            yield Finding(name, f"size is {listed.size} bytes", f"{size} bytes", COPY_AGAIN)
        elif not quick and (sha256 := record_file(path).sha256) != listed.sha256:
            yield Finding(name, f"sha256 is {listed.sha256}", sha256, COPY_AGAIN)
    except Exception as error:
        yield Finding(name, "the file can be read", _message(error), COPY_AGAIN)


def _check_account(built: dict[str, Any], known: Sequence[_Known]) -> Iterator[Finding]:
    """What the manifest tells of the release as a whole, against the rows."""
    actual: dict[str, Any] = {
        "scans": len({row.scan_id for row in known}),
        "patients": len({row.patient_id for row in known}),
        "source": "/".join(sorted({row.source for row in known})),
    }
    for name, value in actual.items():
        if name in built and built[name] != value:
            rule = f"built.{name} is what the rows say ({value!r})"
            yield Finding(MANIFEST, rule, _brief(built[name]), COPY_AGAIN)
    weights = built.get("weights_sha256")
    for config, sha256 in sorted(weights.items()) if isinstance(weights, dict) else ():
        of_rows = {row.weights for row in known if row.table.config == config}
        if any(each != sha256 for each in of_rows):
            rule = f"built.weights_sha256 of {config} is that of its rows ({', '.join(sorted(map(str, of_rows)))})"
            yield Finding(MANIFEST, rule, _brief(sha256), COPY_AGAIN)


# Rows and their edits.


class _Rows:
    """All rows of a release; each is read once, a few at a time."""

    def __init__(self, release: Path, version: str, names: Sequence[str], workers: int) -> None:
        self.complete = bool(names)
        """Whether every row could be read."""
        self.known: list[_Known] = []
        self._release, self._version, self._names, self._workers = release, version, names, workers
        # Each holds a file open.
        self._open = lru_cache(maxsize=32)(self._source)

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the rows, each for itself and then with each other."""
        groups: list[tuple[_Table, int]] = []
        if not self._names:
            yield Finding("data", "the release has rows", "no file there", COPY_AGAIN)
        for name in self._names:
            if _is_file(self._release / name):
                table, count, findings = self._check_table(name)
                yield from findings
                groups += [(table, group) for group in range(count)] if table is not None else []
                self.complete &= table is not None
            else:
                self.complete = False
        for findings, known in _each(self._check_group, groups, self._workers, "rows", "group", lambda _: 1):
            yield from findings
            self.known += known
        yield from _check_unique(self.known)
        yield from _check_splits(self.known)
        if self.complete:
            yield from _check_scans(self.known)

    def _check_table(self, name: str) -> tuple[_Table | None, int, list[Finding]]:
        """A file's name and columns, and its number of row groups; no table if its rows cannot be understood."""
        table = _place_of(name)
        if table is None:
            rule = "rows lie in data/<config>/<split>-00000-of-00001.parquet, of a config and split that may be"
            return None, 0, [Finding(name, rule, name, MADE_WRONG)]
        try:
            with pq.ParquetFile(self._release / name) as file:
                findings = list(_check_schema(name, file.schema_arrow, self._version))
                count = file.num_row_groups
        except Exception as error:
            return None, 0, [Finding(name, "is a Parquet file", _message(error), COPY_AGAIN)]
        return (None if findings else table), count, findings

    def _check_group(self, task: tuple[_Table, int]) -> tuple[list[Finding], list[_Known]]:
        table, group = task
        findings: list[Finding] = []
        known: list[_Known] = []
        try:
            with pq.ParquetFile(self._release / table.path) as file:
                for batch in file.iter_batches(ROWS_PER_GROUP, row_groups=[group], columns=list(FEATURES)):
                    for row in batch.to_pylist():
                        findings += _check_row(row, table)
                        findings += self._check_edit(row)
                        known.append(_known(row, table))
        except Exception as error:
            self.complete = False
            rule = f"row group {group} can be read"
            findings.append(Finding(table.path, rule, _message(error), COPY_AGAIN))
        return findings, known

    def _check_edit(self, row: Row) -> Iterator[Finding]:
        if any(_is_null(row[name]) for name in _EDIT_COLUMNS | {"shape_zyx"}) or not _is_box_inside(row):
            return
        source = self._open(row["volume"]) if row["volume"] else None
        base = None
        # A volume that cannot be opened, or is of another shape, is a finding of its own.
        if source is not None and list(source.shape) == row["shape_zyx"]:
            try:
                base = source.read(_box(row)).astype(np.int16, copy=False)
            except Exception as error:
                yield Finding(str(row["sample_id"]), "its box can be read", _message(error), COPY_AGAIN)
        yield from _check_edit(row, base)

    def _source(self, name: str) -> VoxelSource | None:
        try:
            return open_voxels(self._release / name) if _is_inside(name) else None
        except Exception:  # _check_volumes says which and why
            return None


def _place_of(name: str) -> _Table | None:
    for split in Split:
        config = PurePosixPath(name).parent.name
        generator, _, manipulation = config.rpartition("-")
        if name == data_file(config, split) and (
            config == PRISTINE or (generator and manipulation in MANIPULATIONS[1:])
        ):
            return _Table(name, config, str(split))
    return None


def _check_schema(name: str, schema: pa.Schema, version: str) -> Iterator[Finding]:
    expected = arrow_schema()
    for column in expected.names:
        if schema.get_all_field_indices(column) != [schema.get_field_index(column)]:
            found = len(schema.get_all_field_indices(column))
            yield Finding(name, f"has the column {column}", f"{found} of that name", MADE_WRONG)
        elif schema.field(column).type != expected.field(column).type:
            rule = f"column {column} is of type {expected.field(column).type}"
            yield Finding(name, rule, str(schema.field(column).type), MADE_WRONG)
    if not _is_newer(version):
        for column in sorted(set(schema.names) - set(expected.names)):
            yield Finding(name, "has the columns of the schema only", f"a column {column}", MADE_WRONG)
    features = Features.from_arrow_schema(schema)
    for column in ("label", "manipulation"):
        if column in features and features[column] != FEATURES[column]:
            rule = f"tells datasets that the classes of {column} are {', '.join(FEATURES[column].names)}"
            yield Finding(name, rule, repr(features[column]), MADE_WRONG)


def _is_newer(version: str) -> bool:
    """Whether a release may have columns that this version does not know."""
    return [int(part) for part in re.findall(r"\d{1,9}", version)] > [int(part) for part in FORMAT_VERSION.split(".")]


def _known(row: Row, table: _Table) -> _Known:
    sample_id, source, scan_id, patient_id, volume = (
        str(row[name]) for name in ("sample_id", "source", "scan_id", "patient_id", "volume")
    )
    shape = () if _is_null(row["shape_zyx"]) else tuple(row["shape_zyx"])
    return _Known(table, sample_id, source, scan_id, patient_id, row["weights_sha256"], volume, shape)


def _check_row(row: Row, table: _Table) -> Iterator[Finding]:
    place = str(row["sample_id"] or table.path)
    pristine = table.config == PRISTINE
    for column in FEATURES:
        if pristine and column in _EDIT_COLUMNS:
            if row[column] is not None:
                yield Finding(place, f"a pristine row has no {column}", _shown(row[column]), MADE_WRONG)
        elif column not in _MAY_BE_NULL and _is_null(row[column]):
            yield Finding(place, f"the row has a {column}", "null", MADE_WRONG)
    for column, value in _expected(row, table).items():
        if row[column] is not None and row[column] != value:
            rule = f"{column} is {_named(column, value)}, as {table.path} and the row's other columns have it"
            yield Finding(place, rule, _named(column, row[column]), MADE_WRONG)
    yield from _check_geometry(row, place)


def _expected(row: Row, table: _Table) -> Row:
    """The columns that follow from others."""
    expected: Row = {"volume": volume_path(row["scan_id"])} if row["scan_id"] else {}
    if table.config == PRISTINE:
        return expected | {
            "label": class_index(LABELS, "pristine"),
            "manipulation": class_index(MANIPULATIONS, "none"),
            "generator": "none",
            "sample_id": f"{PRISTINE}/{row['scan_id']}",
        }
    generator, _, manipulation = table.config.rpartition("-")
    assert config_name(generator, manipulation) == table.config
    return expected | {
        "label": class_index(LABELS, "control" if generator == CONTROL else "tampered"),
        "manipulation": class_index(MANIPULATIONS, manipulation),
        "generator": generator,
        "sample_id": f"{generator}/{row['site_id']}",
    }


def _named(column: str, value: object) -> str:
    names = {"label": LABELS, "manipulation": MANIPULATIONS}.get(column, ())
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else repr(value)


def _check_geometry(row: Row, place: str) -> Iterator[Finding]:
    shape, spacing = row["shape_zyx"], row["spacing_mm"]
    if not _is_null(shape) and min(shape) <= 0:
        yield Finding(place, "shape_zyx is > 0 voxels", str(shape), MADE_WRONG)
    if not _is_null(spacing) and not all(0 < value < math.inf for value in spacing):
        yield Finding(place, "spacing_mm is > 0 mm", str(spacing), MADE_WRONG)
    for column in ("origin_mm", "direction"):
        if not _is_null(row[column]) and not all(map(math.isfinite, row[column])):
            yield Finding(place, f"{column} is of finite numbers", str(row[column]), MADE_WRONG)
    if not any(_is_null(row[name]) for name in ("shape_zyx", *_BOX_COLUMNS)) and not _is_box_inside(row):
        found = f"start {row['box_start_zyx']}, shape {row['box_shape_zyx']}"
        yield Finding(place, f"the edit's box holds voxels and lies in the scan of {shape}", found, MADE_WRONG)


def _is_box_inside(row: Row) -> bool:
    bounds = zip(row["box_start_zyx"], row["box_shape_zyx"], row["shape_zyx"], strict=True)
    return all(start >= 0 and length > 0 and start + length <= end for start, length, end in bounds)


def _box(row: Row) -> Box:
    return Box.between(row["box_start_zyx"], np.add(row["box_start_zyx"], row["box_shape_zyx"]).tolist())


def _is_null(value: object) -> bool:
    return value is None or (isinstance(value, list) and None in value)


def _shown(value: object) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else repr(value)


def _check_edit(row: Row, base: np.ndarray | None) -> Iterator[Finding]:
    """Whether an edit decodes, and changes nothing outside its mask.

    Args:
        row: Of the edit; its box lies in the scan.
        base: The box's pristine voxels; None if they cannot be read.
    """
    place = str(row["sample_id"])
    try:
        encoded = EncodedEdit.from_row(row)
    except Exception as error:
        yield Finding(place, "patch_encoding is one that this version knows", _message(error), MADE_WRONG)
        return
    is_base = base is not None and sha256_of(base) == encoded.base_sha256
    if base is not None and not is_base:
        rule = f"the edit was made on the voxels of {row['volume']}: base_sha256 is {sha256_of(base)}"
        yield Finding(place, rule, encoded.base_sha256, MADE_WRONG)
    wrong = list(_check_sizes(place, encoded))
    yield from wrong
    if wrong:
        return
    # Without its base a patch is still held to decode.
    voxels = np.zeros(encoded.box.shape, np.int16) if base is None else base
    try:
        rule = "the mask decodes"
        mask = encoded.decode_mask()
        rule = "the patch decodes"
        patch = replace(encoded, base_sha256=sha256_of(voxels)).decode(voxels).patch
    except Exception as error:
        yield Finding(place, rule, _message(error), COPY_AGAIN)
        return
    if not mask.any():
        yield Finding(place, "the mask has voxels", "an empty mask", MADE_WRONG)
    if is_base and (changed := int(np.count_nonzero((patch != voxels) & ~mask))):
        yield Finding(place, "no voxel outside the mask changes", f"{changed} that do", MADE_WRONG)


def _check_sizes(place: str, encoded: EncodedEdit) -> Iterator[Finding]:
    """Hold the header of compressed bytes against their number, before the decoder, which trusts it, sees them."""
    sizes = {"patch": 2 * encoded.box.size, "mask": -(-encoded.box.size // 8)}
    for column, size in sizes.items():
        data: bytes = getattr(encoded, column)
        decoded, stored = int.from_bytes(data[4:8], "little"), int.from_bytes(data[12:16], "little")
        if len(data) < BLOSC_HEADER or stored != len(data):
            rule, found = f"the {column} decodes", f"{len(data)} bytes that are not what blosc wrote"
            yield Finding(place, rule, found, COPY_AGAIN)
        elif decoded != size:
            rule = f"the {column} decodes to the box's {size} bytes"
            yield Finding(place, rule, f"{decoded} bytes", MADE_WRONG)


def _check_unique(known: Sequence[_Known]) -> Iterator[Finding]:
    counts = Counter(row.sample_id for row in known)
    for sample_id in (name for name, count in counts.items() if count > 1):
        paths = dict.fromkeys(row.table.path for row in known if row.sample_id == sample_id)
        yield Finding(sample_id, "its id is no other's", f"{counts[sample_id]} rows in {', '.join(paths)}", MADE_WRONG)


def _check_splits(known: Sequence[_Known]) -> Iterator[Finding]:
    """A patient on two sides is the leak that a split by patient is to prevent."""
    samples: dict[str, dict[str, str]] = defaultdict(dict)
    for row in known:
        samples[row.patient_id].setdefault(row.table.split, row.sample_id)
    for patient_id, by_split in samples.items():
        if len(by_split) > 1:
            *_, last = by_split.values()
            found = " and ".join(f"{split} ({sample_id})" for split, sample_id in by_split.items())
            yield Finding(last, f"patient {patient_id} is in one split", found, MADE_WRONG)


def _check_scans(known: Sequence[_Known]) -> Iterator[Finding]:
    pristine = {row.scan_id for row in known if row.table.config == PRISTINE}
    for row in known:
        if row.scan_id not in pristine:
            yield Finding(row.sample_id, f"its scan {row.scan_id} has a pristine row", "none", MADE_WRONG)


# Volumes.


@dataclass(frozen=True)
class _Volumes:
    """The volumes of a release."""

    release: Path
    version: str
    whole: bool
    """Whether to read every voxel, for want of a checksum of the file."""

    def findings(self, names: Iterable[str], known: Sequence[_Known], workers: int) -> Iterator[Finding]:
        """What is wrong with the volumes that are stored, or that a row names."""
        rows: dict[str, list[_Known]] = defaultdict(list)
        for row in known:
            rows[row.volume].append(row)
        stored = ("/".join(name.split("/")[:2]) for name in names if name.startswith("volumes/"))
        volumes = sorted({name for name in {*rows, *stored} if _is_inside(name)})

        def check(name: str) -> list[Finding]:
            return list(self._check(name, rows.get(name, [])))

        for findings in _each(check, volumes, workers, "volumes", "volume", lambda _: 1):
            yield from findings

    def _check(self, name: str, rows: Sequence[_Known]) -> Iterator[Finding]:
        path = self.release / name
        try:
            metadata = json.loads((path / "zarr.json").read_bytes())
            facts, shape = _facts(metadata), tuple(metadata["shape"])
            expected = _expected_facts(shape, self.version)
        except Exception as error:
            found = f"{_message(error)} ({len(rows)} samples need it)"
            yield Finding(f"{name}/zarr.json", "is the metadata of a volume", found, COPY_AGAIN)
            return
        for fact, value in expected.items():
            if facts[fact] != value:
                yield Finding(f"{name}/zarr.json", f"{fact} is {value}", _brief(facts[fact]), MADE_WRONG)
        for row in rows:
            if row.shape and row.shape != shape:
                yield Finding(row.sample_id, f"shape_zyx is that of {name}, {shape}", str(row.shape), MADE_WRONG)
        try:
            _read(open_voxels(path), self.whole)
        except Exception as error:
            found = f"{_message(error)} ({len(rows)} samples need it)"
            yield Finding(f"{name}/c/0/0/0", "is the shard of a volume", found, COPY_AGAIN)


def _read(source: VoxelSource, whole: bool) -> None:
    """Read a volume, chunk after chunk, or its first voxel: its index is read, too."""
    depth, height, width = source.shape
    if not whole:
        source.read(Box((0, 0, 0), (1, 1, 1)))
        return
    for first in range(0, depth, CHUNK[0]):
        source.read(Box.between((first, 0, 0), (min(first + CHUNK[0], depth), height, width)))


_SHARD = "shape of the one shard"


def _facts(metadata: Any) -> dict[str, object]:  # noqa: ANN401 (parsed JSON)
    (sharding,) = metadata["codecs"]
    inner = sharding["configuration"]
    settings = {codec["name"]: codec.get("configuration") for codec in inner["codecs"]}
    return {
        "data_type": metadata["data_type"],
        "chunk shape": tuple(inner["chunk_shape"]),
        _SHARD: tuple(metadata["chunk_grid"]["configuration"]["chunk_shape"]),
        "codecs of a chunk": list(settings),
        "compression": settings.get("blosc"),
        "format_version": metadata["attributes"].get("format_version"),
    }


def _expected_facts(shape: tuple[int, ...], version: str) -> dict[str, object]:
    return {
        "data_type": "int16",
        "chunk shape": CHUNK,
        _SHARD: tuple(-(-length // chunk) * chunk for length, chunk in zip(shape, CHUNK, strict=True)),
        "codecs of a chunk": ["bytes", "blosc", "crc32c"],
        "compression": {"typesize": 2, "cname": "zstd", "clevel": 5, "shuffle": "shuffle", "blocksize": BLOSC_BLOCK},
        "format_version": version,
    }


def _each(
    check: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    description: str,
    unit: str,
    size: Callable[[Task], int],
) -> Iterator[Result]:
    """The results of a check in the order of its tasks, worked on side by side, with a progress bar on a terminal."""
    pool = ThreadPoolExecutor(workers)
    bar = tqdm(total=sum(map(size, tasks)), desc=description, unit=unit, unit_scale=True, leave=False, disable=None)
    try:
        for task, result in zip(tasks, pool.map(check, tasks), strict=True):
            bar.update(size(task))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
        bar.close()


def _message(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _brief(value: object) -> str:
    """What stands in a file in place of what should; it may be anything, of any length and depth."""
    try:
        text = repr(value)
    except RecursionError:
        text = f"a deep {type(value).__name__}"
    return text if len(text) <= 200 else f"{text[:200]}..."
