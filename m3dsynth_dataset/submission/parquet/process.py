"""A process of its own that unpacks a stranger's Parquet file, so that a mistake in the library ends it alone.

It reads the file from its standard input and writes one record a row to its standard output: four bytes with the length
of a JSON object, the object, and as many bytes of a map as it says. It knows nothing of the project, to start quickly.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_AT_ONCE = 8
THRIFT_LIMIT = 1_000_000


def main(memory: int, seconds: int, most: int, id_bytes: int) -> None:
    """Write the records of the file; the last says how many rows there were, or what is wrong.

    Args:
        memory: Bytes of address space that the process may have.
        seconds: Of processor time that it may take.
        most: Bytes of maps that may come of one file.
        id_bytes: Where a sample's id is cut off.
    """
    _limit(memory, seconds)
    pa.set_cpu_count(1)
    with open(0, "rb", buffering=0, closefd=False) as file, open(1, "wb", closefd=False) as out:
        rows = 0
        try:
            for row, heatmap in _rows(file, id_bytes):
                most -= len(heatmap or b"")
                if most < 0:
                    raise ValueError("its maps are too many bytes")
                _write(out, row, heatmap)
                rows += 1
            _write(out, {"rows": rows})
        except BrokenPipeError:  # whoever asked has seen enough
            pass
        except MemoryError:
            _write(out, {"error": f"it takes more than {memory >> 20} MiB of memory"})
        except Exception as error:
            _write(out, {"error": f"{type(error).__name__}: {error}"[:500]})


def _limit(memory: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no limits of this kind
        return
    # Of processor time the first limit is a signal with a name, the second kills.
    for kind, soft, hard in (("AS", memory, memory), ("CPU", seconds, seconds + 5), ("CORE", 0, 0), ("FSIZE", 0, 0)):
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (soft, hard))
        except (ValueError, OSError):  # macOS does not limit address space; nor can a limit be raised
            continue


def _rows(file: BinaryIO, id_bytes: int) -> Iterator[tuple[dict[str, Any], Any]]:
    # A column of a row group is streamed page by page, and without threads.
    table = pq.ParquetFile(
        pa.PythonFile(file, mode="r"), buffer_size=1 << 16, pre_buffer=False, page_checksum_verification=True,
        thrift_string_size_limit=THRIFT_LIMIT, thrift_container_size_limit=THRIFT_LIMIT,
    )  # fmt: skip
    for batch in table.iter_batches(ROWS_AT_ONCE, use_threads=False):
        batch.validate(full=True)
        columns = {field.name: _plain(column) for field, column in zip(batch.schema, batch.columns, strict=True)}
        for index in range(len(batch)):
            row = {name: column[index] for name, column in columns.items()}
            yield _record(row, id_bytes)


def _plain(column: pa.Array) -> pa.Array:
    """Without what a file may say of how its values were held in memory."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    kind = column.type
    if pa.types.is_floating(kind):
        return column.cast(pa.float64())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        if not pa.types.is_integer(kind.value_type):
            raise TypeError(f"a list of {kind.value_type}")
        return column
    return column.cast(pa.large_binary())


def _record(row: dict[str, Any], id_bytes: int) -> tuple[dict[str, Any], Any]:
    sample_id = row["sample_id"].as_buffer() if row["sample_id"].is_valid else None
    heatmap = row["heatmap"].as_buffer() if "heatmap" in row and row["heatmap"].is_valid else None
    return {
        "sample_id": None if sample_id is None else bytes(sample_id[:id_bytes]).decode(errors="backslashreplace"),
        "score": row["score"].as_py(),
        "start": _triple(row, "box_start_zyx"),
        "shape": _triple(row, "box_shape_zyx"),
        "heatmap": None if heatmap is None else heatmap.size,
    }, heatmap


def _triple(row: dict[str, Any], name: str) -> list[int | None] | None:
    """The first few numbers, which are enough to see whether they are three."""
    if name not in row or not row[name].is_valid:
        return None
    values: list[int | None] = row[name].values[:4].to_pylist()
    return values


def _write(out: BinaryIO, record: dict[str, Any], heatmap: Any = None) -> None:  # noqa: ANN401 (pyarrow's buffer)
    data = json.dumps(record).encode()
    out.write(len(data).to_bytes(4, "little"))
    out.write(data)
    if heatmap is not None:
        out.write(heatmap)
    if "sample_id" not in record:
        out.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
