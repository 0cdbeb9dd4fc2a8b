"""Rows on their way into a release: in files, since memory must not grow with their number."""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO

import pyarrow as pa

from builder.rows import Row
from m3dsynth_dataset.schema import FEATURES, arrow_schema

Key = tuple[str, str]
"""Config and split."""
AT_A_TIME = 32
"""Rows of a config and split that are held before they go into their file."""


class RowSpool:
    """Takes rows in any order and gives them back as tables, one for each config and split.

    Its files have no names, so nothing is left of them in any case.

    Args:
        folder: On a disk with room for all rows.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()
        self._files: dict[Key, IO[bytes]] = {}
        self._writers: dict[Key, pa.ipc.RecordBatchStreamWriter] = {}
        self._waiting: dict[Key, list[Row]] = defaultdict(list)
        self.counts: Counter[Key] = Counter()
        """Rows of every config and split."""

    def __enter__(self) -> "RowSpool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def extend(self, rows: Iterable[Row]) -> None:
        """Take rows."""
        for row in rows:
            key = row["config"], row["split"]
            self.counts[key] += 1
            self._waiting[key].append({name: row[name] for name in FEATURES})
            if len(self._waiting[key]) == AT_A_TIME:
                self._flush(key)

    def tables(self) -> Iterator[tuple[Key, pa.Table]]:
        """Each config and split with its rows, by scan and from the head down; nothing can be added then.

        A reader that streams thus meets each volume once.
        """
        for key in list(self.counts):
            self._flush(key)
            self._writers[key].close()
            self._files[key].seek(0)
            with pa.ipc.open_stream(self._files[key]) as stream:
                yield key, _sorted(stream.read_all().combine_chunks())

    def _flush(self, key: Key) -> None:
        rows = self._waiting.pop(key, [])
        if key not in self._files:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed with all others
            self._files[key] = self._open.enter_context(file)
            self._writers[key] = pa.ipc.new_stream(self._files[key], arrow_schema())
        self._writers[key].write_table(pa.Table.from_pylist(rows, schema=arrow_schema()))


def _sorted(table: pa.Table) -> pa.Table:
    keys = table.select(["scan_id", "centre_zyx", "sample_id"]).to_pylist()
    order = sorted(
        range(len(keys)),
        key=lambda index: (keys[index]["scan_id"], keys[index]["centre_zyx"] or [], keys[index]["sample_id"]),
    )
    return table.take(order)
