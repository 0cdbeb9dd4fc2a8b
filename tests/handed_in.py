"""Submissions to the tests' tiny release, sound ones, for tests that make them otherwise."""

import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from m3dsynth_dataset import open_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.submission import Heatmap, Prediction, as_table
from m3dsynth_dataset.submission.prediction import METADATA, PREDICTIONS

IDS = ("identity/rem_1", "pix2pix/rem_1", "pristine/scan-2")
"""The samples of the test split."""
BOX = Box((1, 2, 3), (4, 5, 6))


def heatmap(seed=0, box=BOX):
    return Heatmap(box, np.random.default_rng(seed).integers(64, 256, box.shape).astype(np.uint8))


def predictions(count=3):
    """Of the test split, and of nobody's samples after that; every other has a map."""
    ids = [*IDS, *(f"nobody/inj_{number}" for number in range(count))][:count]
    return [
        Prediction(name, (number % 7) / 7, heatmap(number) if number % 2 else None) for number, name in enumerate(ids)
    ]


def rows(count=3):
    """As lists of Python."""
    return as_table(predictions(count)).to_pylist()


def table_bytes(table=None, **options):
    """A Parquet file."""
    stream = io.BytesIO()
    pq.write_table(as_table(predictions()) if table is None else table, stream, **options)
    return stream.getvalue()


def metadata(release_path=None, **changes):
    digest = "0" * 64 if release_path is None else open_release(release_path).manifest.digest
    return {"format": "1.0", "detector": "hp-fcn", "release_digest": digest, "split": "test", **changes}


def folder(path, table=None, meta=None):
    """A submission whose files have the bytes given, or are sound."""
    path.mkdir(parents=True, exist_ok=True)
    (path / PREDICTIONS).write_bytes(table_bytes() if table is None else table)
    (path / METADATA).write_bytes(json.dumps(metadata()).encode() if meta is None else meta)
    return path


def zipped(path, members):
    """A zip with the members given, as pairs of a name (or ZipInfo) and bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def from_rows(rows, schema=None):
    return pa.Table.from_pylist(rows, schema=schema or as_table([]).schema)


def nullable_schema():
    """The schema, but that anything may be missing."""
    return pa.schema([field.with_nullable(True) for field in as_table([]).schema])
