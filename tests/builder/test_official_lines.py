import pytest

from builder.errors import BuilderError
from builder.official_lines import LineError, TableReader, number, one_of, text_of, whole_number


@pytest.fixture
def reader(tmp_path):
    def read(text, name="t.csv"):
        (tmp_path / name).write_bytes(text)
        return TableReader(tmp_path, {name: ("a", "b")})

    return read


def parse(line):
    return text_of(line, "a"), whole_number(line, "b")


def test_lines_are_counted_as_an_editor_counts_them(reader):
    table = reader(b"a,b\nx,1\ny,2.0\n")
    assert list(table.unique("t.csv", parse).items()) == [("x", ("t.csv, line 2", 1)), ("y", ("t.csv, line 3", 2))]
    assert table.findings == []


def test_a_mark_at_the_beginning_other_columns_and_their_order_do_not_matter(reader):
    table = reader(b"\xef\xbb\xbfmore,b,a\r\n?, 1 ,x\r\n")
    assert table.unique("t.csv", parse) == {"x": ("t.csv, line 2", 1)}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x,1.5", "b must be a whole number, got '1.5'"),
        (b"x,nan", "b must be a whole number, got 'nan'"),
        (b"x,one", "b must be a number, got 'one'"),
        (b"x", "b must be a number, got ''"),
        (b",1", "no a"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_the_next_is_read(reader, line, reason):
    table = reader(b"a,b\n" + line + b"\ny,2\n")
    assert list(table.unique("t.csv", parse)) == ["y"]
    (finding,) = table.findings
    assert (finding.path, finding.reason) == ("t.csv, line 2", reason)


def test_of_two_lines_with_a_key_the_first_counts_and_the_second_is_named(reader):
    table = reader(b"a,b\nx,1\nx,1\nx,2\n")
    assert table.unique("t.csv", parse) == {"x": ("t.csv, line 2", 1)}
    assert [str(finding) for finding in table.findings] == [
        f"t.csv, line {line}: doubled row: x stands in t.csv, line 2, {what}; the first one counts; "
        "compare the table with the published one"
        for line, what in ((3, "the same again"), (4, "with other values"))
    ]


def test_a_name_must_be_one_of_those_that_are_known():
    assert one_of({"inj": "injection"}, {"ty": "inj"}, "ty") == "injection"
    with pytest.raises(LineError, match="unknown ty 'add': must be one of inj"):
        one_of({"inj": "injection"}, {"ty": "add"}, "ty")
    assert number({"z": "153.5"}, "z") == 153.5


def test_a_table_without_a_column_is_an_error_that_names_it(reader):
    with pytest.raises(BuilderError, match=r"t\.csv: the table lacks b; it must have the columns a, b"):
        reader(b"a,c\nx,1\n").unique("t.csv", parse)


def test_a_file_that_is_no_table_is_an_error(reader):
    with pytest.raises(BuilderError, match="cannot be read as a CSV file"):
        reader(b"a,b\n\xff\xfe\x00,1\n").unique("t.csv", parse)
