import io

import handed_in
import pandas
import pyarrow as pa
import pytest
from thrift_tree import BINARY, I32, STRUCT, Node, chunk_of, decode, footer_of, with_footer

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission import as_table
from m3dsynth_dataset.submission.parquet.footer import read_footer


def table(count=10, **options):
    return handed_in.table_bytes(as_table(handed_in.predictions(count)), row_group_size=4, **options)


def refusal(data):
    with pytest.raises(SubmissionError) as caught:
        read_footer(io.BytesIO(data))
    return str(caught.value)


def edited(edit):
    """What is said of a table whose footer was changed."""
    data = table()
    footer, _ = footer_of(data)
    edit(footer)
    return refusal(with_footer(data, footer))


def test_the_chunks_of_a_table_are_found():
    chunks = read_footer(io.BytesIO(table()))
    assert [chunk.rows for chunk in chunks] == [4] * 10 + [2] * 5
    assert chunks[0].start == 4
    assert [chunk.stop for chunk in chunks[:-1]] == [chunk.start for chunk in chunks[1:]]
    assert chunks[2].name == "box_start_zyx in row group 0"
    # Of four rows two have a map: three numbers each, and one word for none.
    assert [chunk.values for chunk in chunks[:5]] == [4, 4, 8, 8, 4]


@pytest.mark.parametrize(
    "data", [b"", b"PAR1", b"PAR1PAR1", b"PAR1\0\0\0\0PAR1", b"PK\x03\x04" * 9, b"PARE" + bytes(40)]
)
def test_other_files_are_no_parquet(data):
    refusal(data)


def test_a_cut_file_is_no_parquet():
    data = table()
    assert "only a part of one" in refusal(data[:-1])
    assert "only a part of one" in refusal(data[1:])


def test_a_footer_larger_than_its_file_is_not_read():
    data = table()
    for size in (len(data), 2**32 - 1):
        assert "larger than the file" in refusal(data[:-8] + size.to_bytes(4, "little") + b"PAR1")


@pytest.mark.parametrize("rows", [-1, 100_001, 2**62])
def test_absurd_numbers_of_rows_are_refused(rows):
    assert "the number of rows must be 0 to 100000" in edited(lambda footer: set_(footer[3], rows))
    assert "row group must be 0 to" in edited(lambda footer: set_(footer[4][0][3], rows))


def test_row_groups_that_do_not_add_up_are_refused():
    assert "are not 11 in all" in edited(lambda footer: set_(footer[3], 11))


def test_absurd_numbers_of_row_groups_are_refused():
    def bloat(footer):
        empty = Node(
            STRUCT, [Node(each.kind, [] if each.field == 1 else 0, each.field) for each in footer[4][0].value[:3]]
        )
        footer[4].value = [*footer[4].value, *[empty] * 5000]

    assert "it has 5003 row groups" in edited(bloat)


def test_a_footer_of_too_many_values_is_refused(monkeypatch):
    monkeypatch.setattr("m3dsynth_dataset.submission.parquet.footer.MAX_FOOTER_VALUES", 100)
    assert "more values than any table" in refusal(table())


def test_strings_of_ten_gigabytes_are_claims_that_are_not_believed():
    data = table()
    footer, start = footer_of(data)
    plain = data[start:-8]
    name = footer[6].value
    at = plain.index(name) - 1
    assert plain[at] == len(name)
    claimed = plain[:at] + b"\x80\x80\x80\x80\x28" + plain[at + 1 :]
    assert "ends too early" in refusal(with_footer(data, claimed))


def set_(node, value):
    node.value = value


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (5, 10**6, "number of values of score in row group 0 must be 0 to 4"),
        (5, 3, "score in row group 0 has 3 values for 4 rows"),
        (6, 2**40, "unpacked size of score"),
        (6, -1, "unpacked size of score"),
        (7, 2**62, "size of score"),
        (7, 200_000, "lies outside the file's data, or over another column's"),
        (9, -5, "offset of score"),
        (11, 4, "lies outside the file's data, or over another column's"),
        (1, 6, "not of the type or the place"),
    ],
)
def test_claims_about_a_column_are_held_against_limits_and_file(field, value, message):
    assert message in edited(lambda footer: set_(chunk_of(footer, "score")[field], value))


def test_more_values_than_three_a_row_are_no_boxes():
    assert "must be 0 to 12" in edited(lambda footer: set_(chunk_of(footer, "box_start_zyx")[5], 13))


def test_columns_in_other_files_are_not_looked_for():
    def elsewhere(footer):
        footer[4][0][1][1].value.append(Node(BINARY, b"/etc/passwd", 1))

    assert "no path from a file is followed" in edited(elsewhere)


def test_encrypted_files_are_refused():
    assert "encrypted" in edited(lambda footer: footer.value.append(Node(STRUCT, [], 8)))
    assert "encrypted" in edited(lambda footer: footer[4][0][1][1].value.append(Node(STRUCT, [], 8)))


def test_two_columns_of_the_same_bytes_are_refused():
    def same(footer):
        score, other = chunk_of(footer, "score", 0), chunk_of(footer, "score", 1)
        for field in (7, 9, 11):
            other[field].value = score[field].value

    assert "over another column's" in edited(same)


def test_row_groups_without_their_columns_are_refused():
    assert "row group 0 has 4 column chunks for 5 columns" in edited(lambda footer: footer[4][0][1].value.pop())


def of_schema(**columns):
    return refusal(handed_in.table_bytes(pa.table(columns)))


def test_every_column_that_is_wrong_is_named():
    found = of_schema(sample_id=[1], score=["high"], pickle=[b"cos"], heatmap=["text"])
    assert "columns are missing: box_start_zyx, box_shape_zyx" in found
    assert "none of the format's, leave them out: 'pickle'" in found
    assert "column sample_id must be text, got INT64" in found
    assert "column score must be float64 or float32, got text" in found
    assert "column heatmap must be bytes, got text" in found


def test_nested_columns_are_refused():
    deep = [[[[1.0]]]]
    assert "column 'score' is nested" in of_schema(sample_id=["a"], score=deep)
    assert "column 'score' is nested" in of_schema(sample_id=["a"], score=[{"a": 1.0}])
    assert "column 'score' is nested" in of_schema(sample_id=["a"], score=[{"a": 1.0, "b": {"c": 2}}])
    assert "must be float64 or float32, got a list of DOUBLE" in of_schema(sample_id=["a"], score=[[1.0]])


def test_numbers_that_stand_for_dates_are_no_voxels():
    dates = pa.array([[1, 2, 3]], pa.list_(pa.int32())).cast(pa.list_(pa.date32()))
    table = as_table(handed_in.predictions(1)).set_column(2, "box_start_zyx", dates)
    found = refusal(handed_in.table_bytes(table))
    assert "column box_start_zyx must be a list of int32 or int64, got a list of INT32 that stands for" in found


def test_floats_where_voxels_should_be_are_named(tmp_path):
    as_table(handed_in.predictions(4)).to_pandas().to_parquet(tmp_path / "pandas.parquet")
    assert isinstance(pandas.read_parquet(tmp_path / "pandas.parquet"), pandas.DataFrame)
    found = refusal((tmp_path / "pandas.parquet").read_bytes())
    assert "column box_shape_zyx must be a list of int32 or int64, got a list of DOUBLE" in found


def test_a_column_that_comes_twice_is_refused():
    twice = pa.Table.from_arrays([pa.array(["a"]), pa.array([0.5]), pa.array([0.5])], ["sample_id", "score", "score"])
    assert "columns come twice: score" in refusal(handed_in.table_bytes(twice))


@pytest.mark.parametrize(
    "edit",
    [
        lambda schema: schema[0].value.clear(),
        lambda schema: set_(schema[0][5], 6),
        lambda schema: set_(schema[0][5], -1),
        lambda schema: set_(schema[3][5], 2**31 - 1),
        lambda schema: set_(schema[4][5], 0),
        lambda schema: set_(schema[1][1], 99),
        lambda schema: set_(schema[1][1], -9),
        lambda schema: set_(schema[1], schema[1].value[1:]),
        lambda schema: set_(schema[1][4], b"\xff\xfe"),
        lambda schema: set_(schema[2][3], 2),
        lambda schema: schema.value.clear(),
        lambda schema: schema.value.pop(),
    ],
)
def test_schemas_that_are_no_trees_of_columns_are_refused(edit):
    edited(lambda footer: edit(footer[2]))


def test_fields_of_another_kind_are_refused():
    for field in (2, 3, 4):
        edited(lambda footer, field=field: footer.value.__setitem__(field - 1, Node(I32, 5, field)))


def test_the_tests_own_reader_of_footers_reads_all_of_it():
    data = table()
    footer, start = footer_of(data)
    assert decode(data[start:-8])[1] == len(data) - 8 - start
    read_footer(io.BytesIO(with_footer(data, footer)))
