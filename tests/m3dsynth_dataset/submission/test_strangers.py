"""Files that nobody would write: whatever they hold, a submission error is all that comes of it."""

import copy
import json
import os
import random
from contextlib import suppress

import handed_in
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from thrift_tree import BINARY, I16, I32, I64, LIST, STRUCT, decode, encode, footer_of, with_footer

from m3dsynth_dataset import open_release
from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission import as_table, expected_of, read_submission, validate
from m3dsynth_dataset.submission.parquet import rows
from m3dsynth_dataset.submission.prediction import METADATA, PREDICTIONS

EXAMPLES = int(os.environ.get("M3DSYNTH_FUZZ_EXAMPLES", "20"))
"""Of each test; a longer run is asked for by hand."""
TABLE = as_table(handed_in.predictions(9))
TABLES = (
    handed_in.table_bytes(TABLE, compression="none", use_dictionary=False),
    handed_in.table_bytes(TABLE, compression="zstd", row_group_size=4, write_page_checksum=True),
    handed_in.table_bytes(TABLE, compression="snappy", data_page_version="2.0"),
    handed_in.table_bytes(TABLE.select(["sample_id", "score"]), compression="gzip"),
)
EXTREMES = (-(2**63), -(2**31), -1, 0, 1, 2, 3, 7, 8, 127, 255, 2**16, 2**27, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1)

NO_ROWS = handed_in.table_bytes(TABLE[:0])


def fuzz(share):
    """As many examples as are asked for, or a share of them where each is unpacked in a process of its own."""
    return settings(
        max_examples=max(1, int(EXAMPLES * share)),
        deadline=None,
        # The folder is written anew for every example.
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@pytest.fixture
def outcome(tmp_path, release_path, monkeypatch):
    """Read a submission in every way there is; True if it was sound for all of them."""
    expected = expected_of(open_release(release_path), "test")
    monkeypatch.setattr(rows.unpack, "__kwdefaults__", {"memory": rows.MEMORY, "seconds": 10})

    def of(table=None, meta=None):
        place = handed_in.folder(tmp_path / "s", table, meta)
        findings = list(validate(place, expected))
        assert all(str(finding).isprintable() for finding in findings)
        try:
            for prediction in read_submission(place).predictions():
                assert 0 <= prediction.score <= 1
                assert prediction.heatmap is None or prediction.heatmap.values.shape == prediction.heatmap.box.shape
        except SubmissionError:
            assert findings
        assert not any("brings down" in finding.found for finding in findings)
        return not findings

    return of


@st.composite
def damaged(draw, files=TABLES):
    """A file with flipped bits, another end, or a part that was cut out, doubled, or taken from another file."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.sampled_from((1, 2, 4, 8, 50, 1000)))
        kind = draw(st.sampled_from(("flip", "set", "cut", "double", "end", "splice")))
        if kind == "flip" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set":
            data[at : at + length] = draw(st.sampled_from((b"\0", b"\xff", b"\x80", b"\x7f"))) * length
        elif kind == "cut":
            del data[at : at + length]
        elif kind == "double":
            data[at:at] = data[at : at + length]
        elif kind == "end":
            del data[at:]
        else:
            other = draw(st.sampled_from(files))
            start = draw(st.integers(0, len(other)))
            data[at : at + length] = other[start : start + length]
    return bytes(data)


def changed(rng, node):
    """One value somewhere in a tree becomes another: an extreme number, other bytes, a list longer or shorter."""
    node = rng.choice(list(node.walk()))
    if node.kind in (I16, I32, I64):
        bits = {I16: 16, I32: 32, I64: 64}[node.kind]
        value = rng.choice((*EXTREMES, node.value + 1, node.value - 1, node.value * 2))
        node.value = max(-(2 ** (bits - 1)), min(value, 2 ** (bits - 1) - 1))
    elif node.kind == BINARY:
        node.value = rng.choice((b"", b"x" * 10_000, b"\xff" + node.value, node.value[:-1], b"score", b"heatmap"))
    elif node.kind in (LIST, STRUCT) and node.value:
        at = rng.randrange(len(node.value))
        rng.choice((lambda: node.value.pop(at), lambda: node.value.insert(at, copy.deepcopy(node.value[at]))))()


@st.composite
def edited(draw):
    """A file whose footer, or one of whose page headers, says something else, and is well-formed still."""
    data = draw(st.sampled_from(TABLES))
    rng = random.Random(draw(st.integers(0, 2**32)))
    footer, end = footer_of(data)
    if rng.random() < 0.5:
        for _ in range(rng.randint(1, 2)):
            changed(rng, footer)
        return with_footer(data, footer)
    meta = rng.choice([chunk[3] for group in footer[4].value for chunk in group[1].value])
    start = min(meta[field].value for field in (9, 11) if field in meta and meta[field].value)
    header, length = decode(data[start:end])
    changed(rng, header)
    # In place, the page's bytes moved or cut: sizes and places of the other columns stay true.
    room = meta[7].value
    page = (encode(header) + data[start + length : start + room])[:room].ljust(room, b"\0")
    return data[:start] + page + data[start + room :]


@fuzz(1)
@given(damaged())
def test_damaged_tables_are_submission_errors(outcome, table):
    outcome(table)


@fuzz(0.5)
@given(edited())
def test_tables_that_claim_nonsense_are_submission_errors(outcome, table):
    outcome(table)


def triples(numbers):
    return st.lists(numbers, min_size=3, max_size=3)


@fuzz(0.15)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "sample_id": st.none() | st.sampled_from(handed_in.IDS) | st.text(max_size=20),
                "score": st.none() | st.floats() | st.floats(0, 1),
                "box_start_zyx": st.none() | triples(st.integers(-(2**31), 2**31 - 1) | st.just(1)),
                "box_shape_zyx": st.none() | triples(st.sampled_from((*range(-1, 7), 2**31 - 1))),
                "heatmap": st.none() | st.binary(max_size=30) | st.just(handed_in.rows()[1]["heatmap"])
                | damaged((handed_in.rows()[1]["heatmap"],)),
            }
        ),
        min_size=20,
        max_size=60,
    )
)  # fmt: skip
def test_rows_of_nonsense_are_submission_errors(outcome, rows):
    schema = handed_in.nullable_schema()
    outcome(handed_in.table_bytes(handed_in.from_rows(rows, schema)))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ("format", "detector", "release_digest", "split", "protocol", "url", "trained_on", "external_data")
)


@fuzz(3)
@given(
    damaged((json.dumps(handed_in.metadata(url="https://a.org", trained_on=["x"], more={"a": [1.5]})).encode(),))
    | st.dictionaries(KEYS | st.text(max_size=8), JSON, max_size=8).map(
        lambda value: json.dumps(handed_in.metadata() | value).encode()
    )
)
def test_metadata_of_nonsense_are_submission_errors(outcome, meta):
    outcome(NO_ROWS, meta)


@fuzz(1)
@given(st.data())
def test_damaged_zips_are_submission_errors(tmp_path, data):
    members = [(PREDICTIONS, TABLES[3]), (METADATA, json.dumps(handed_in.metadata()))]
    whole = handed_in.zipped(tmp_path / "s.zip", members).read_bytes()
    (tmp_path / "s.zip").write_bytes(data.draw(damaged((whole, whole[-300:]))))
    with suppress(SubmissionError):
        list(read_submission(tmp_path / "s.zip").predictions())


def test_the_tables_that_are_damaged_are_sound_before(outcome, release_path, tmp_path):
    meta = json.dumps(handed_in.metadata(release_path)).encode()
    assert outcome(handed_in.table_bytes(), meta)
    for table in TABLES:
        assert len(list(read_submission(handed_in.folder(tmp_path / "s", table)).predictions())) == 9
