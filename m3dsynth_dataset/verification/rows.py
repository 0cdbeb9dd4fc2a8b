"""All rows of a release with their edits, each read once."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.schema import FEATURES, ROWS_PER_GROUP
from m3dsynth_dataset.shard import VoxelSource
from m3dsynth_dataset.verification.agreement import Known, check_scans, check_splits, check_unique, known_of
from m3dsynth_dataset.verification.edit import check_edit
from m3dsynth_dataset.verification.files import is_file, is_inside
from m3dsynth_dataset.verification.finding import COPY_AGAIN, MADE_WRONG, Finding, message
from m3dsynth_dataset.verification.row import EDIT_COLUMNS, Row, check_row, is_box_inside, is_null
from m3dsynth_dataset.verification.side_by_side import each_of
from m3dsynth_dataset.verification.table import Table, check_schema, place_of
from m3dsynth_dataset.volume import open_voxels


class Rows:
    """All rows of a release; each is read once, a few at a time."""

    def __init__(
        self, release: Path, version: str, names: Sequence[str], workers: int, *, is_imported: bool = False
    ) -> None:
        self.complete = bool(names)
        """Whether every row could be read."""
        self.known: list[Known] = []
        self._release, self._version, self._names, self._workers = release, version, names, workers
        self._is_imported = is_imported
        # Each holds a file open.
        self._open = lru_cache(maxsize=32)(self._source)

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the rows, each for itself and then with each other."""
        groups: list[tuple[Table, int]] = []
        if not self._names:
            yield Finding("data", "the release has rows", "no file there", COPY_AGAIN)
        for name in self._names:
            if is_file(self._release / name):
                table, count, findings = self._check_table(name)
                yield from findings
                groups += [(table, group) for group in range(count)] if table is not None else []
                self.complete &= table is not None
            else:
                self.complete = False
        for findings, known in each_of(self._check_group, groups, self._workers, "rows", "group", lambda _: 1):
            yield from findings
            self.known += known
        yield from check_unique(self.known)
        yield from check_splits(self.known)
        if self.complete:
            yield from check_scans(self.known)

    def _check_table(self, name: str) -> tuple[Table | None, int, list[Finding]]:
        """A file's name and columns, and its number of row groups; no table if its rows cannot be understood."""
        table = place_of(name)
        if table is None:
            rule = "rows lie in data/<config>/<split>-00000-of-00001.parquet, of a config and split that may be"
            return None, 0, [Finding(name, rule, name, MADE_WRONG)]
        try:
            with pq.ParquetFile(self._release / name) as file:
                findings = list(check_schema(name, file.schema_arrow, self._version))
                count = file.num_row_groups
        except Exception as error:
            return None, 0, [Finding(name, "is a Parquet file", message(error), COPY_AGAIN)]
        return (None if findings else table), count, findings

    def _check_group(self, task: tuple[Table, int]) -> tuple[list[Finding], list[Known]]:
        table, group = task
        findings: list[Finding] = []
        known: list[Known] = []
        try:
            with pq.ParquetFile(self._release / table.path) as file:
                for batch in file.iter_batches(ROWS_PER_GROUP, row_groups=[group], columns=list(FEATURES)):
                    for row in batch.to_pylist():
                        findings += check_row(row, table)
                        findings += self._edit_findings(row)
                        known.append(known_of(row, table))
        except Exception as error:
            self.complete = False
            rule = f"row group {group} can be read"
            findings.append(Finding(table.path, rule, message(error), COPY_AGAIN))
        return findings, known

    def _edit_findings(self, row: Row) -> Iterator[Finding]:
        if any(is_null(row[name]) for name in EDIT_COLUMNS | {"shape_zyx"}) or not is_box_inside(row):
            return
        source = self._open(row["volume"]) if row["volume"] else None
        base = None
        # A volume that cannot be opened, or is of another shape, is a finding of its own.
        if source is not None and list(source.shape) == row["shape_zyx"]:
            try:
                base = source.read(_box(row)).astype(np.int16, copy=False)
            except Exception as error:
                yield Finding(str(row["sample_id"]), "its box can be read", message(error), COPY_AGAIN)
        yield from check_edit(row, base, is_imported=self._is_imported)

    def _source(self, name: str) -> VoxelSource | None:
        try:
            return open_voxels(self._release / name) if is_inside(name) else None
        except Exception:  # _check_volumes says which and why
            return None


def _box(row: Row) -> Box:
    return Box.between(row["box_start_zyx"], np.add(row["box_start_zyx"], row["box_shape_zyx"]).tolist())
