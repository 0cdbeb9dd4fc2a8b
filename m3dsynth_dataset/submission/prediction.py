"""What a detector says of a sample, and the files that predictions are handed in as."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from m3dsynth_dataset.staging import staged
from m3dsynth_dataset.submission.heatmap import Heatmap

PREDICTIONS = "predictions.parquet"
METADATA = "metadata.json"
FORMAT = "1.0"
"""Of submissions."""

SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),  # 0 to 1; higher means tampered
        pa.field("box_start_zyx", pa.list_(pa.int32(), 3)),  # null, like the next two, for an empty map
        pa.field("box_shape_zyx", pa.list_(pa.int32(), 3)),
        pa.field("heatmap", pa.binary()),  # uint8, probability x 255, C order, zstd
    ]
)

ROWS_PER_GROUP = 64
PARQUET_OPTIONS: Mapping[str, Any] = {
    # Maps are compressed already, no two of them are alike, and statistics of them would fill the footer.
    "compression": {name: "none" if name == "heatmap" else "zstd" for name in SCHEMA.names},
    "use_dictionary": [name for name in SCHEMA.names if name != "heatmap"],
    "write_statistics": [name for name in SCHEMA.names if name != "heatmap"],
    "write_page_checksum": True,
}


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a detector says of one sample."""

    sample_id: str
    score: float
    """Probability, or anything in 0 to 1 that rises with it, that there is tampering anywhere in the scan."""
    heatmap: Heatmap | None = None
    """Where it is; None if nowhere."""

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:  # true for NaN, too
            raise ValueError(f"{self.sample_id}: a score lies in 0 to 1, got {self.score}")

    def row(self) -> dict[str, Any]:
        """The columns of a submission."""
        empty = {"box_start_zyx": None, "box_shape_zyx": None, "heatmap": None}
        return {"sample_id": self.sample_id, "score": self.score, **(self.heatmap.columns() if self.heatmap else empty)}


def from_table(rows: pa.Table) -> dict[str, Prediction]:
    """The predictions of rows that :func:`as_table` made, by sample id."""
    return {
        row["sample_id"]: Prediction(row["sample_id"], row["score"], Heatmap.from_row(row)) for row in rows.to_pylist()
    }


def as_table(predictions: Iterable[Prediction]) -> pa.Table:
    """Predictions as the rows of a submission."""
    return pa.Table.from_pylist([prediction.row() for prediction in predictions], schema=SCHEMA)


def write_submission(out: Path, rows: pa.Table, metadata: Mapping[str, Any]) -> None:
    """Write a submission, in place of one that is there.

    Args:
        out: Folder for ``predictions.parquet`` and ``metadata.json``.
        rows: Of :func:`as_table`; written in the order of their ids.
        metadata: ``detector``, ``release_digest``, ``config`` and ``split`` of what was judged, and whatever else a
            reader should know; JSON.
    """
    with staged(out) as place:
        place.mkdir()
        pq.write_table(rows.sort_by("sample_id"), place / PREDICTIONS, row_group_size=ROWS_PER_GROUP, **PARQUET_OPTIONS)
        (place / METADATA).write_bytes(metadata_bytes(metadata))


def metadata_bytes(metadata: Mapping[str, Any]) -> bytes:
    """What ``metadata.json`` holds."""
    return (json.dumps({"format": FORMAT, **metadata}, indent=1, sort_keys=True) + "\n").encode()
