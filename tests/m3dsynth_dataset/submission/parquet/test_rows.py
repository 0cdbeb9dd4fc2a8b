import sys

import handed_in
import numpy as np
import pyarrow as pa
import pytest
from thrift_tree import chunk_of, footer_of, with_page

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission import as_table
from m3dsynth_dataset.submission.parquet import rows
from m3dsynth_dataset.submission.parquet.rows import unpack

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux alone")


@pytest.fixture
def unpacked(tmp_path):
    def of(data, **limits):
        (tmp_path / "table").write_bytes(data)
        with (tmp_path / "table").open("rb") as file:
            return list(unpack(file, **limits))

    return of


def amplified(size, count):
    """A small file whose rows all hold the same map, of so many zeros."""
    table = pa.table({"sample_id": ["a"] * count, "score": [0.5] * count})
    box = pa.array([None] * count, pa.list_(pa.int32(), 3))
    maps = pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), pa.array([bytes(size)]))
    columns = {"box_start_zyx": box, "box_shape_zyx": box, "heatmap": maps}
    for name, column in columns.items():
        table = table.append_column(name, column)
    return handed_in.table_bytes(table, compression="zstd", store_schema=False)


def test_rows_come_as_they_were_written(unpacked):
    found = unpacked(handed_in.table_bytes(as_table(handed_in.predictions(20))))
    assert [row.number for row in found] == list(range(20))
    names = {"sample_id": "sample_id", "score": "score", "box_start_zyx": "start", "box_shape_zyx": "shape"}
    for row, written in zip(found, handed_in.rows(20), strict=True):
        assert {name: getattr(row, mine) for name, mine in names.items()} == {name: written[name] for name in names}
        assert row.heatmap == written["heatmap"]


def test_values_of_no_use_come_as_they_are(unpacked):
    table = pa.table(
        {
            "sample_id": pa.array(["x" * 5000, None, b"\xff\xfe".decode("latin1")]),
            "score": [float("nan"), float("-inf"), None],
            "box_start_zyx": pa.array([[1], [1, None, 2**40], [1] * 9], pa.list_(pa.int64())),
        }
    )
    long, none, _ = unpacked(handed_in.table_bytes(table))
    assert len(long.sample_id) == 1000
    assert np.isnan(long.score)
    assert (none.sample_id, none.score, none.start) == (None, float("-inf"), [1, None, 2**40])


def test_ids_that_are_no_text_are_refused(unpacked):
    data = handed_in.table_bytes(use_dictionary=False, compression="none").replace(
        b"pix2pix/rem_1", b"\xff\xfex2pix/rem_1"
    )
    with pytest.raises(SubmissionError, match="its rows cannot be unpacked") as caught:
        unpacked(data)
    assert "UTF8" in str(caught.value)


@ON_LINUX
def test_a_table_that_takes_more_memory_than_allowed_is_refused(unpacked):
    data = amplified(40 << 20, 40)
    assert len(data) < 100_000
    with pytest.raises(SubmissionError, match="it takes more than 400 MiB of memory"):
        unpacked(data, memory=400 << 20)


def test_maps_of_more_bytes_than_a_table_may_have_are_refused(unpacked, monkeypatch):
    monkeypatch.setattr(rows, "MAX_TABLE_BYTES", 50 << 20)
    with pytest.raises(SubmissionError, match="its maps are too many bytes"):
        unpacked(amplified(1 << 20, 1000))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not limit processor time")
def test_a_process_that_takes_too_long_is_ended(unpacked, monkeypatch, tmp_path):
    limited = f"import runpy\nrunpy.run_path({str(rows._PROCESS)!r})['_limit'](1 << 40, 1)\nwhile True:\n    pass\n"
    (tmp_path / "process.py").write_text(limited)
    monkeypatch.setattr(rows, "_PROCESS", tmp_path / "process.py")
    with pytest.raises(SubmissionError, match="more than 1 s of processor time"):
        unpacked(b"", seconds=1)


@pytest.mark.parametrize("end", ["os.abort()", "os._exit(0)", "print('\\xff' * 10**6)", "os.write(1, bytes(4))"])
def test_a_library_that_falls_down_takes_nobody_along(unpacked, monkeypatch, tmp_path, end):
    (tmp_path / "process.py").write_text(f"import os\n{end}\n")
    monkeypatch.setattr(rows, "_PROCESS", tmp_path / "process.py")
    with pytest.raises(SubmissionError):
        unpacked(b"")


def test_a_page_that_is_not_what_its_checksum_says_is_refused(unpacked):
    data = handed_in.table_bytes(compression="none", write_page_checksum=True, use_dictionary=False)
    at = data.index(b"pix2pix/rem_1")
    damaged = data[:at] + b"P" + data[at + 1 :]
    with pytest.raises(SubmissionError, match="its rows cannot be unpacked"):
        unpacked(damaged)


def test_a_page_that_unpacks_to_other_than_it_says_is_refused(unpacked):
    data = with_page(handed_in.table_bytes(compression="zstd"), "score", lambda page: grow(page[2]), number=1)
    footer, _ = footer_of(data)
    assert chunk_of(footer, "score")[4].value == 6
    with pytest.raises(SubmissionError, match="its rows cannot be unpacked"):
        unpacked(data)


def grow(node):
    node.value += 1
