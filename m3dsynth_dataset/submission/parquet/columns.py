"""The columns of predictions as Parquet declares them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission.parquet.thrift import Struct

PHYSICAL = ("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
_INT32, _INT64, _FLOAT, _DOUBLE, _BYTE_ARRAY = (
    PHYSICAL.index(name) for name in ("INT32", "INT64", "FLOAT", "DOUBLE", "BYTE_ARRAY")
)
_REPEATED = 2
_UTF8, _STRING = 0, 1
"""In the old and in the new way of saying that bytes are text."""

KINDS: Mapping[str, str] = {
    "sample_id": "text",
    "score": "float64 or float32",
    "box_start_zyx": "a list of int32 or int64",
    "box_shape_zyx": "a list of int32 or int64",
    "heatmap": "bytes",
}
REQUIRED = ("sample_id", "score")
"""A detector that says nothing of where may leave out the rest."""


@dataclass(frozen=True)
class Column:
    """One that holds values."""

    name: str
    path: tuple[bytes, ...]
    physical: int
    is_triple: bool
    is_text: bool
    has_other_meaning: bool
    """Whether its numbers or bytes are declared to stand for something else, such as dates."""

    @property
    def kind(self) -> str:
        """What it holds, as far as the format knows it."""
        if self.is_triple:
            fits = self.physical in (_INT32, _INT64) and not self.has_other_meaning
            return KINDS["box_start_zyx"] if fits else f"a list of {self._physical}"
        if self.physical == _BYTE_ARRAY and not self.has_other_meaning:
            return KINDS["sample_id"] if self.is_text else KINDS["heatmap"]
        fits = self.physical in (_DOUBLE, _FLOAT) and not self.has_other_meaning
        return KINDS["score"] if fits else self._physical

    @property
    def _physical(self) -> str:
        name = PHYSICAL[self.physical] if 0 <= self.physical < len(PHYSICAL) else "no type of Parquet"
        return f"{name} that stands for something else" if self.has_other_meaning else name


def columns_of(schema: Sequence[Struct]) -> list[Column]:
    """The columns of a table.

    Args:
        schema: Of the footer: the tree, root first, flattened.

    Raises:
        SubmissionError: If they are not those of predictions; it names every one that is not.
    """
    columns = list(_top(schema))
    problems = list(_problems(columns))
    if problems:
        raise SubmissionError("; ".join(problems))
    return columns


def _problems(columns: Sequence[Column]) -> Iterator[str]:
    names = [column.name for column in columns]
    wanted = REQUIRED if set(names) <= set(REQUIRED) else tuple(KINDS)
    if missing := [name for name in wanted if name not in names]:
        yield f"columns are missing: {', '.join(missing)}"
    if foreign := sorted({ascii(name)[:100] for name in names if name not in KINDS}):
        yield f"columns are none of the format's, leave them out: {', '.join(foreign[:10])}"
    if doubled := sorted({name for name in names if name in KINDS and names.count(name) > 1}):
        yield f"columns come twice: {', '.join(doubled)}"
    for column in columns:
        if column.name in KINDS and column.kind != KINDS[column.name]:
            yield f"column {column.name} must be {KINDS[column.name]}, got {column.kind}"


def _top(schema: Sequence[Struct]) -> Iterator[Column]:
    """The columns below the root; what is deeper than a list of values is refused."""
    if not schema or schema[0].get(5) is None:
        raise SubmissionError("its schema has no columns")
    at, count = 1, 0
    while at < len(schema):
        column, at = _column(schema, at)
        count += 1
        yield column
    if count != schema[0][5]:
        raise SubmissionError(f"its schema has {count} columns, and says {_shown(schema[0][5])}")


def _column(schema: Sequence[Struct], at: int) -> tuple[Column, int]:
    """The column that begins at an element, and where the next begins."""
    name = _name(schema[at])
    if not schema[at].get(5):
        if schema[at].get(3) == _REPEATED:
            raise SubmissionError(f"column {name!a} is repeated, which this format does not use")
        return _leaf(schema[at : at + 1]), at + 1
    nodes = schema[at : at + 3]
    is_list = (
        len(nodes) == 3
        and [node.get(5) or 0 for node in nodes] == [1, 1, 0]
        and [node.get(3) == _REPEATED for node in nodes] == [False, True, False]
    )
    if not is_list:
        raise SubmissionError(f"column {ascii(name)[:100]} is nested, and is no list of values")
    return _leaf(nodes), at + 3


def _leaf(nodes: Sequence[Struct]) -> Column:
    leaf = nodes[-1]
    physical, old, new = leaf.get(1), leaf.get(6), leaf.get(10)
    is_text = old == _UTF8 or (isinstance(new, dict) and _STRING in new)
    if type(physical) is not int:
        raise SubmissionError(f"column {ascii(_name(nodes[0]))[:100]} has no type")
    return Column(
        _name(nodes[0]),
        tuple(_bytes(node.get(4)) for node in nodes),
        physical,
        len(nodes) > 1,
        is_text,
        not is_text and not _is_plain(old, new),
    )


def _is_plain(old: Any, new: Any) -> bool:  # noqa: ANN401 (what a file holds)
    """Whether values are declared to be themselves: not at all, or as signed integers of their own width."""
    signed = (None, 17, 18)  # none, INT_32, INT_64
    return old in signed and (new is None or (isinstance(new, dict) and set(new) <= {10} and old is not None))


def _name(node: Struct) -> str:
    return _bytes(node.get(4)).decode("utf-8", "backslashreplace")


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise SubmissionError("its schema has a column without a name")
    return value


def _shown(value: object) -> str:
    return str(value) if type(value) is int else "something else"
