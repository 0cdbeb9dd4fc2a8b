"""What the two files of a submission hold, for people and for programs that write them without this package."""

from collections.abc import Mapping
from typing import Any

from m3dsynth_dataset.submission.limits import MAX_PAGE_BYTES, MAX_ROWS, MAX_VOXELS
from m3dsynth_dataset.submission.metadata import metadata_schema
from m3dsynth_dataset.submission.parquet.columns import KINDS, REQUIRED
from m3dsynth_dataset.submission.prediction import METADATA, PREDICTIONS, SCHEMA

_MEANING: Mapping[str, str] = {
    "sample_id": "As in the release; one row a sample.",
    "score": "0 to 1, higher means tampered; no NaN.",
    "box_start_zyx": "First voxel of the map's box along z, y, x; null, like the next two, for an empty map.",
    "box_shape_zyx": "Voxels of the box along z, y, x, each >= 1; the box lies in the scan.",
    "heatmap": "Probability x 255, rounded to uint8, of the box's voxels in C order (x fastest), as one zstd frame; "
    "zero outside the box.",
}


def describe_format() -> dict[str, Any]:
    """JSON Schema of ``metadata.json``, and the columns of ``predictions.parquet``."""
    columns = [
        {
            "name": field.name,
            "type": str(field.type),
            "accepted": KINDS[field.name],
            "nullable": field.nullable,
            "required": field.name in REQUIRED,
            "description": _MEANING[field.name],
        }
        for field in SCHEMA
    ]
    table = {
        "columns": columns,
        "compression": ["none", "snappy", "gzip", "zstd", "lz4"],
        "encodings": ["PLAIN", "dictionary"],
        "limits": {"rows": MAX_ROWS, "bytes_of_a_page": MAX_PAGE_BYTES, "voxels_of_a_map": MAX_VOXELS},
    }
    return {METADATA: metadata_schema(), PREDICTIONS: table}
