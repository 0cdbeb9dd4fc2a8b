from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thrift_tree import BINARY, DOUBLE, FALSE, I16, I32, I64, LIST, STRUCT, TRUE, Node, encode, varint

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission.parquet.thrift import CutShortError, Reader

LONGS = st.builds(Node, st.just(I64), st.integers(-(2**63), 2**63 - 1))
INTEGERS = LONGS | st.builds(Node, st.just(I32), st.integers(-(2**31), 2**31 - 1))
LEAVES = INTEGERS | st.builds(Node, st.just(BINARY), st.binary(max_size=40))


def structs(values):
    numbers = st.lists(st.integers(-100, 400), unique=True, max_size=6)
    return numbers.flatmap(
        lambda found: st.tuples(*[values] * len(found)).map(
            lambda nodes: Node(STRUCT, [Node(node.kind, node.value, at) for at, node in zip(found, nodes, strict=True)])
        )
    )


TREES = st.recursive(
    LEAVES,
    lambda inner: structs(inner) | st.lists(LONGS, max_size=20).map(lambda nodes: Node(LIST, nodes)),
    max_leaves=20,
)


def plain(node):
    """What the reader makes of a tree."""
    if node.kind == STRUCT:
        return {each.field: plain(each) for each in node.value}
    return [plain(each) for each in node.value] if node.kind == LIST else node.value


@settings(max_examples=40, deadline=None)
@given(structs(TREES))
def test_structs_come_back_as_they_were_written(tree):
    data = encode(tree)
    reader = Reader(data + b"more", 10_000)
    assert reader.struct() == plain(tree)
    assert reader.at == len(data)


@settings(max_examples=40, deadline=None)
@given(structs(TREES), st.data())
def test_structs_that_are_cut_anywhere_are_an_error(tree, data):
    whole = encode(tree)
    with pytest.raises(CutShortError):
        Reader(whole[: data.draw(st.integers(0, len(whole) - 1))], 10_000).struct()


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_struct_or_a_submission_error(data):
    with suppress(SubmissionError):
        assert isinstance(Reader(data, 100).struct(), dict)


def field(kind, data, number=1):
    return bytes([number << 4 | kind]) + data + b"\0"


def test_bools_and_doubles_are_read():
    doubles = Node(STRUCT, [Node(TRUE, None, 1), Node(FALSE, None, 2), Node(DOUBLE, b"\0\0\0\0\0\0\xf8?", 3)])
    assert Reader(encode(doubles), 10).struct() == {1: True, 2: False, 3: 1.5}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (field(BINARY, varint(10 * 2**30) + b"x"), "ends too early"),
        (field(LIST, b"\xf5" + varint(2**40)), "ends too early"),
        (field(11, varint(2**40) + b"\x55"), "ends too early"),
        (field(I32, varint(2**32)), "more than 32 bits"),
        (field(I16, varint(2**16)), "more than 16 bits"),
        (field(I64, b"\xff" * 9 + b"\x7f"), "more than 64 bits"),
        (field(I64, b"\x80" * 11 + b"\0"), "more than 64 bits"),
        (b"\x15\0\x05\x02\0\0", "field 1 of a struct comes twice"),
        (b"\x1c" * 100, "nested deeper"),
        (b"\x19" + b"\x19" * 100, "nested deeper"),
        (field(13, b""), "type 13 is none"),
        (field(LIST, b"\x1f\0"), "type 15 is none"),
    ],
)
def test_what_no_writer_writes_is_refused(data, message):
    with pytest.raises(SubmissionError, match=message):
        Reader(data, 100).struct()


def test_a_struct_of_too_many_values_is_refused():
    data = field(LIST, b"\xfc" + varint(5000) + bytes(5000))
    assert Reader(data, 5001).struct() == {1: [{}] * 5000}
    with pytest.raises(SubmissionError, match="more values than any table"):
        Reader(data, 5000).struct()
