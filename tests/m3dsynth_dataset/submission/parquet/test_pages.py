import io

import handed_in
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from thrift_tree import chunk_of, decode, footer_of, with_footer, with_page

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission import as_table
from m3dsynth_dataset.submission.parquet.footer import read_footer
from m3dsynth_dataset.submission.parquet.pages import check_pages


def table(**options):
    return handed_in.table_bytes(as_table(handed_in.predictions(10)), **options)


def check(data):
    file = io.BytesIO(data)
    check_pages(file, read_footer(file))


def refusal(data):
    with pytest.raises(SubmissionError) as caught:
        check(data)
    return str(caught.value)


def edited(name, edit, *, number=0, **options):
    return refusal(with_page(table(**options), name, edit, number=number))


def set_(node, value):
    node.value = value


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4"])
def test_pages_of_every_codec_are_sound(version, compression):
    check(table(data_page_version=version, compression=compression, row_group_size=3))


def test_a_header_that_is_written_anew_is_sound_too():
    data = with_page(table(), "heatmap", lambda header: None)
    check(data)
    assert pq.read_table(io.BytesIO(data)).equals(as_table(handed_in.predictions(10)))


@pytest.mark.parametrize("size", [2**27 + 1, 2**31 - 1, -1])
def test_a_page_that_claims_to_unpack_to_too_much_is_refused(size):
    for number in (0, 1):  # the dictionary, then the data
        assert f"a page that unpacks to {size} bytes" in edited(
            "score", lambda page: set_(page[2], size), number=number
        )


def test_pages_that_unpack_to_too_much_together_are_refused(monkeypatch):
    data = table(row_group_size=1)
    check(data)
    monkeypatch.setattr("m3dsynth_dataset.submission.parquet.pages.MAX_TABLE_BYTES", 600)
    assert "or 600 bytes when unpacked" in refusal(data)


def test_too_many_pages_are_refused(monkeypatch):
    data = table(row_group_size=1)
    monkeypatch.setattr("m3dsynth_dataset.submission.parquet.pages.MAX_PAGES", 30)
    assert "more than 30" in refusal(data)


@pytest.mark.parametrize("size", [-1, 10**6])
def test_a_page_that_reaches_beyond_its_column_is_refused(size):
    assert "reaches beyond its column" in edited("score", lambda page: set_(page[3], size))


def test_what_is_not_compressed_does_not_grow():
    found = edited("heatmap", lambda page: set_(page[2], 5000), number=1, compression="none")
    assert "that unpacks to 5000 without a codec" in found


def test_more_values_than_the_footer_says_are_refused():
    found = edited("sample_id", lambda page: set_(page[5][1], 2**31 - 1), number=1)
    assert "a page of 2147483647 values, and its footer says 10 in all" in found
    found = edited("sample_id", lambda page: set_(page[5][1], 9), number=1)
    assert "hold 9 values, and its footer says 10" in found
    assert "a page of -1 values" in edited("sample_id", lambda page: set_(page[7][1], -1))


def test_encodings_that_unpack_to_more_than_their_bytes_are_refused():
    data = table(use_dictionary=False, column_encoding={"sample_id": "DELTA_BYTE_ARRAY"})
    assert "sample_id in row group 0 is in encoding 7; use PLAIN" in refusal(data)


def test_codecs_that_are_not_ours_are_refused():
    data = table(compression="brotli")
    assert "sample_id in row group 0 is in codec 4; use none" in refusal(data)


@pytest.mark.parametrize("kind", [1, 4, -1, 2**31 - 1])
def test_pages_of_another_kind_are_refused(kind):
    assert "has a page that holds no values" in edited("score", lambda page: set_(page[1], kind))


def test_a_page_without_what_goes_for_its_kind_is_refused():
    assert "does not say what it holds" in edited("score", lambda page: set_(page[1], 3), number=1)


def test_a_dictionary_comes_first():
    data = table(use_dictionary=["sample_id"], compression="none")
    footer, _ = footer_of(data)
    meta = chunk_of(footer, "sample_id")
    first, last = meta[11].value, meta[9].value
    dictionary, values = data[first:last], data[last : first + meta[7].value]
    swapped = data[:first] + values + dictionary + data[first + meta[7].value :]
    assert "a dictionary that is not its first page" in refusal(swapped)


def test_a_header_that_does_not_end_is_refused():
    data = table()
    footer, _ = footer_of(data)
    meta = chunk_of(footer, "score")
    start, stop = meta[11].value, meta[11].value + meta[7].value
    assert "cut short" in refusal(data[:start] + b"\x18\xff\x7f" + bytes(stop - start - 3) + data[stop:])
    refusal(data[:start] + b"\xff" * (stop - start) + data[stop:])


def test_a_long_header_is_read_whole():
    ids = pa.array([f"{letter * 3000}" for letter in "abcd"])
    data = handed_in.table_bytes(pa.table({"sample_id": ids, "score": [0.5] * 4}), use_dictionary=False)
    _, length = decode(data[4:])
    assert length > 3000  # the least and the greatest id stand in it
    check(data)


def test_a_column_chunk_without_pages_is_refused():
    data = table()
    footer, _ = footer_of(data)
    set_(chunk_of(footer, "score")[7], 0)
    assert "the pages of score in row group 0 hold 0 values, and its footer says 10" in refusal(
        with_footer(data, footer)
    )
