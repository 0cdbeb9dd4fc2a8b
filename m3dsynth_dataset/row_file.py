"""Files of rows: Parquet, arranged so that one row can be read by itself, and with a checksum on every page."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.schema import BINARY_COLUMNS, ROWS_PER_GROUP


def write_rows(path: Path, rows: pa.Table) -> None:
    """Write the rows of a config and split, in the order given.

    Args:
        path: File to write; its folder is made if it is missing.
        rows: With the columns of the schema.
    """
    names = rows.schema.names
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        rows,
        path,
        row_group_size=ROWS_PER_GROUP,
        # Patches are compressed already, and statistics of binary columns would fill the footer.
        compression={name: "none" if name in BINARY_COLUMNS else "zstd" for name in names},
        write_statistics=[name for name in names if name not in BINARY_COLUMNS],
        write_page_checksum=True,
    )


def read_rows(path: Path, columns: list[str] | None = None) -> pa.Table:
    """All rows of a file.

    Args:
        path: File to read.
        columns: Which to read; all when omitted.

    Raises:
        DamagedReleaseError: If the file is not what was written.
    """
    try:
        return pq.read_table(path, columns=columns, memory_map=True, page_checksum_verification=True)
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path, error) from error


def read_row(path: Path, index: int) -> dict[str, Any]:
    """One row of a file, of which only its row group is read.

    Raises:
        DamagedReleaseError: If the file is not what was written.
    """
    try:
        with pq.ParquetFile(path, memory_map=True, page_checksum_verification=True) as file:
            group, offset = divmod(index, file.metadata.row_group(0).num_rows)
            row: dict[str, Any] = file.read_row_group(group).slice(offset, 1).to_pylist()[0]
            return row
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DamagedReleaseError:
    return DamagedReleaseError(f"{path}: the rows cannot be read ({error}); `m3dsynth verify` says what else is wrong")
