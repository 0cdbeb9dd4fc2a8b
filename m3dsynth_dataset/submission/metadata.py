"""``metadata.json``: what was judged, by what; and its JSON Schema, which is all that says what it must hold."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NoReturn

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission.limits import MAX_METADATA_BYTES
from m3dsynth_dataset.submission.prediction import METADATA
from m3dsynth_dataset.verification.finding import Finding, brief

DEPTH = 16
_EXACT = 1 << 53
"""Integers beyond it are other numbers to programs that read JSON as floats."""
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
}
_REMEDY = "write it as `m3dsynth validate --schema` says"


@cache
def metadata_schema() -> dict[str, Any]:
    """The JSON Schema, 2020-12."""
    text = files("m3dsynth_dataset.submission").joinpath("metadata.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def parse_metadata(data: bytes) -> dict[str, Any]:
    """The object of a ``metadata.json``, whatever its keys.

    Raises:
        SubmissionError: If it is not plain JSON: no key twice, no NaN, no number that others would read as another,
            not deep, all of it text that can be written again.
    """
    if len(data) > MAX_METADATA_BYTES:
        raise SubmissionError(f"{METADATA}: must have at most {MAX_METADATA_BYTES} bytes, got {len(data)}")
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_object, parse_int=_int, parse_float=_float, parse_constant=_refuse
        )
        _check_text(value)
    except RecursionError:
        raise SubmissionError(f"{METADATA}: it is nested deeper than {DEPTH}") from None
    except ValueError as error:
        raise SubmissionError(f"{METADATA}: it is no JSON of this format ({error})") from error
    if not isinstance(value, dict):
        raise SubmissionError(f"{METADATA}: must be an object, got {brief(value)}")
    return value


def metadata_problems(metadata: Mapping[str, Any]) -> Iterator[Finding]:
    """All in which an object differs from the schema."""
    schema = metadata_schema()
    for key in schema["required"]:
        if key not in metadata:
            yield Finding(METADATA, f"it has the key {key}", "none", _REMEDY)
    for key, rules in schema["properties"].items():
        if key in metadata:
            for rule in _broken(metadata[key], rules):
                yield Finding(METADATA, f"{key} {rule}", brief(metadata[key]), _REMEDY)


def _broken(value: object, rules: Mapping[str, Any]) -> Iterator[str]:
    """The keywords of a schema that a value breaks, in words. Those that our schema uses, and no others."""
    if "enum" in rules and value not in rules["enum"]:
        yield f"is one of {', '.join(rules['enum'])}"
    kinds = rules.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, _TYPES[kind]) for kind in kinds):
        yield f"is of type {' or '.join(kinds)}"
    if isinstance(value, str):
        yield from _broken_by_text(value, rules)
    if isinstance(value, list):
        if len(value) > rules.get("maxItems", math.inf):
            yield f"has at most {rules['maxItems']} items"
        broken = {rule for each in value for rule in _broken(each, rules.get("items", {}))}
        yield from (f"has items, each of which {rule}" for rule in sorted(broken))


def _broken_by_text(value: str, rules: Mapping[str, Any]) -> Iterator[str]:
    if not rules.get("minLength", 0) <= len(value) <= rules.get("maxLength", math.inf):
        yield f"has {rules.get('minLength', 0)} to {rules['maxLength']} characters"
    # JSON Schema's `$` is the end of the text, Python's also stands before a line break there.
    elif "pattern" in rules and not re.search(rules["pattern"].removesuffix("$") + r"\Z", value):
        yield f"matches {rules['pattern']}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {brief(key)} comes twice")
    return found


def _int(text: str) -> int:
    if len(text) > len(str(-_EXACT)) or abs(int(text)) > _EXACT:
        raise ValueError(f"the integer {brief(text)} is beyond 2^53")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {brief(text)} is too large")
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _check_text(value: object) -> None:
    """Depth, and halves of characters, which JSON can write and UTF-8 cannot."""
    level = [value]
    for _ in range(DEPTH):
        for each in level:
            if isinstance(each, str):
                each.encode("utf-8")
        level = [inner for each in level for inner in _inner(each)]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {DEPTH}")


def _inner(value: object) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []
