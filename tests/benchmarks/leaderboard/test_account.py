import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.leaderboard.account import LONGEST, Account, link, plain

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["name", "detector", "url", "paper", "code", "trained_on", "external_data"]) | st.text()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_whatever_is_handed_in_becomes_one_bounded_line_of_plain_text(metadata):
    found = Account.of(json.loads(json.dumps(metadata)))
    texts = [found.name, found.trained_on, found.external_data]
    texts += [text for fact in found.facts for text in (fact.key, fact.text)]
    for text in texts:
        assert len(text) <= LONGEST
        assert not any(unicodedata.category(each).startswith("C") for each in text)
        text.encode()
    for fact in found.facts:
        assert fact.url is None or fact.url.startswith(("http://", "https://", "HTTP", "Http"))


@pytest.mark.parametrize("url", ["https://example.org", "http://example.org/a?b=c&d=e#f", "https://example.org:8080/x"])
def test_addresses_of_pages_are_links(url):
    assert link(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.org",
        "ftp://example.org",
        "https://",
        "https:example.org",
        "http://[",
        " https://example.org",
        "https://exa mple.org",
        "https://example.org\n",
        "https://example.org/\x00",
        "https://trusted.org@evil.org/",
        "https://ex\u00e4mple.org",
        "example.org",
        "",
        "https://example.org/" + "a" * 2000,
    ],
)
def test_nothing_else_is(text):
    assert link(text) is None


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, "not stated"),
        ({"external_data": None}, "not stated"),
        ({"external_data": ""}, "not stated"),
        ({"external_data": False}, "none"),
        ({"external_data": []}, "none"),
        ({"external_data": "None"}, "none"),
        ({"external_data": True}, "yes"),
        ({"external_data": "ImageNet"}, "ImageNet"),
        ({"external_data": ["a", "b"]}, "a, b"),
    ],
)
def test_external_data_is_none_only_where_that_is_said(metadata, said):
    found = Account.of(metadata)
    assert found.external_data == said
    assert found.uses_external_data == (said not in {"none", "not stated"})


def test_the_name_falls_back_on_the_detector_and_known_keys_come_first():
    found = Account.of({"zeta": 1, "alpha": {"b": [1]}, "code": "https://a.org", "detector": "unet", "split": "test"})
    assert found.name == "unet"
    assert [fact.key for fact in found.facts] == ["detector", "code", "alpha", "zeta"]
    assert found.facts[2].text == '{"b": [1]}'
    assert found.source == "https://a.org"


def test_masses_of_keys_are_left_out_and_counted():
    found = Account.of({f"key{number:03}": number for number in range(100)})
    assert (len(found.facts), found.left_out) == (40, 60)


def test_text_that_turns_what_follows_around_is_stripped():
    assert plain("safe\u202egnp.exe\u0000\n next\ud800") == "safegnp.exe next"
    assert plain("x" * 1000) == "x" * 299 + "\N{HORIZONTAL ELLIPSIS}"
