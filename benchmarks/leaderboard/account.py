"""What somebody hands in about a submission: text of strangers, made fit to be shown."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

LONGEST = 300
"""Characters of a value that are shown; the result file beside the page has them all."""
MOST = 40
"""Keys that are shown."""
NAME = 60
FIRST = ("detector", "url", "paper", "code", "trained_on")
ELSEWHERE = {"name", "external_data", "format", "protocol", "release_digest", "split"}
"""Keys that the board, or the entry's own line, says already."""
NOT_STATED = "not stated"


@dataclass(frozen=True)
class Fact:
    """A key of the metadata."""

    key: str
    text: str
    url: str | None
    """Where the value is an address that a page may link."""


@dataclass(frozen=True)
class Account:
    """A submission in its submitter's words. All text is plain: one line, no control characters, of bounded length."""

    name: str
    """Empty where the metadata gives none."""
    trained_on: str
    external_data: str
    """``none``, ``not stated``, or what was used."""
    facts: tuple[Fact, ...]
    left_out: int
    """Keys that are not shown."""

    @property
    def uses_external_data(self) -> bool:
        """Whether it is said that there was any."""
        return self.external_data not in {"none", NOT_STATED}

    @property
    def source(self) -> str | None:
        """The first address of the entry's own page, paper or code."""
        urls = {fact.key: fact.url for fact in self.facts}
        return next((url for key in FIRST if (url := urls.get(key))), None)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Account:
        """Of ``metadata.json``, as a result quotes it."""
        keys = [*(key for key in FIRST if key in found), *sorted(found.keys() - {*FIRST, *ELSEWHERE})]
        name = found.get("name") or found.get("detector") or ""
        return cls(
            plain(name, NAME) if isinstance(name, str) else "",
            _words(found.get("trained_on")),
            _external(found),
            tuple(_fact(key, found[key]) for key in keys[:MOST]),
            max(0, len(keys) - MOST),
        )


def plain(text: str, longest: int = LONGEST) -> str:
    """Text as one line without control, format or half characters, cut where it is too long."""
    spaced = (" " if each.isspace() else each for each in text[: 4 * longest])
    shown = " ".join("".join(each for each in spaced if unicodedata.category(each)[0] != "C").split())
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def link(text: str) -> str | None:
    """The text, if it is the address of a page by http or https and nothing else."""
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > 2_000:
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    return text if parts.scheme in {"http", "https"} and host and "@" not in parts.netloc else None


def _fact(key: str, value: object) -> Fact:
    return Fact(plain(key, NAME), _words(value), link(value) if isinstance(value, str) else None)


def _words(value: object) -> str:
    """A value of any kind, in words."""
    if value is None:
        return ""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return plain(", ".join(value))
    return plain(json.dumps(value, sort_keys=True))


def _external(metadata: Mapping[str, Any]) -> str:
    value = metadata.get("external_data")
    if value is None or value == "":
        return NOT_STATED
    if value is True:
        return "yes"
    return _words(value) if value and str(value).strip().lower() not in {"none", "no"} else "none"
