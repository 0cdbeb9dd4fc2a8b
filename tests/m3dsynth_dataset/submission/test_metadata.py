import json

import handed_in
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission.metadata import DEPTH, metadata_problems, metadata_schema, parse_metadata


def refusal(data):
    with pytest.raises(SubmissionError) as caught:
        parse_metadata(data)
    assert str(caught.value).startswith("metadata.json: ")
    return str(caught.value)


def problems(**changes):
    return [str(finding) for finding in metadata_problems(handed_in.metadata(**changes))]


def test_an_object_comes_back_as_it_was_written():
    value = handed_in.metadata(free={"key": [1, -2.5, None, True, "ä"]}, large=2**53, name="HP-FCN")
    assert parse_metadata(json.dumps(value).encode()) == value
    assert not list(metadata_problems(value))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' comes twice"),
        (b'{"a": NaN}', "NaN is no number of JSON"),
        (b'{"a": [-Infinity]}', "-Infinity is no number of JSON"),
        (b'{"a": 1e999}', "the number '1e999' is too large"),
        (b'{"a": 9007199254740993}', "beyond 2^53"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "beyond 2^53"),
        (b'{"a": "\\ud800"}', "no JSON of this format"),
        (b'{"\\udfff": 1}', "no JSON of this format"),
        (b'{"a": "\xff"}', "no JSON of this format"),
        (b'\xef\xbb\xbf{"a": 1}', "no JSON of this format"),
        (b'{"a": 1', "no JSON of this format"),
        (b"", "no JSON of this format"),
        (b"[1]", "must be an object"),
        (b'{"a":' * 100_000, "nested deeper"),
        (b"[" * 200_000, "nested deeper"),
        (b'{"a":' + b"[" * DEPTH + b"]" * DEPTH + b"}", "nested deeper"),
        (b'{"a": "' + b"x" * (1 << 20) + b'"}', "must have at most 1048576 bytes"),
        (b"\0" * 100, "no JSON of this format"),
        (b"cos\nsystem\n(S'true'\ntR.", "no JSON of this format"),
    ],
)
def test_what_is_no_plain_json_is_refused(data, message):
    assert message in refusal(data)


def test_as_deep_as_allowed_is_not_too_deep():
    parse_metadata(b'{"a":' + b"[" * (DEPTH - 2) + b"1" + b"]" * (DEPTH - 2) + b"}")


def test_a_hundred_thousand_keys_that_come_twice_are_refused_at_once():
    keys = ", ".join(f'"{number}": 0' for number in [*range(60_000), 59_999])
    assert "the key '59999' comes twice" in refusal(f"{{{keys}}}".encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: json.dumps({"a": text}).encode()))
def test_any_bytes_are_an_object_or_a_submission_error(data):
    try:
        value = parse_metadata(data)
    except SubmissionError:
        return
    assert parse_metadata(json.dumps(value).encode()) == value
    list(metadata_problems(value))


@pytest.mark.parametrize("key", ["format", "detector", "release_digest", "split"])
def test_every_key_that_is_missing_is_named(key):
    meta = handed_in.metadata()
    del meta[key]
    (finding,) = metadata_problems(meta)
    assert f"it has the key {key}" in str(finding)


def test_all_that_is_wrong_is_found():
    found = problems(format="2.0", detector="", split="dev", url="javascript:alert(1)", trained_on=[1, "x" * 2001])
    assert [line.split(";")[0] for line in found] == [
        r"metadata.json: format matches ^1\.[0-9]{1,4}$",
        "metadata.json: detector has 1 to 200 characters",
        "metadata.json: split is one of train, validation, test",
        "metadata.json: url matches ^https?://[!-~]+$",
        "metadata.json: trained_on has items, each of which has 0 to 2000 characters",
        "metadata.json: trained_on has items, each of which is of type string",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "1.0\n"},
        {"release_digest": "0" * 63},
        {"release_digest": "A" * 64},
        {"split": ["test"]},
        {"split": {}},
        {"detector": None},
        {"detector": "x" * 201},
        {"protocol": None},
        {"url": "https://a b"},
        {"url": "x\nhttps://a"},
        {"trained_on": {"a": 1}},
        {"trained_on": ["x"] * 1001},
        {"external_data": 1},
    ],
)
def test_values_that_the_schema_does_not_allow_are_found(changes):
    assert len(problems(**changes)) == 1


def test_values_that_the_schema_allows_are_not():
    assert not problems(
        external_data=False, trained_on=["dm-injection"], url="https://example.org/?a=b", protocol="slab"
    )


def test_the_schema_says_nothing_that_is_not_held():
    """A keyword that :mod:`metadata` does not know would be a rule that nobody checks."""
    schema = metadata_schema()
    held = {"description", "type", "pattern", "minLength", "maxLength", "enum", "items", "maxItems"}
    for rules in schema["properties"].values():
        assert set(rules) <= held
        assert set(rules.get("items", {})) <= held
    known = {"$schema", "$id", "title", "description", "type", "required", "properties"}
    assert set(schema) == known
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
