"""Files of rows: their names and columns."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
from datasets import Features

from m3dsynth_dataset.schema import (
    FEATURES,
    FORMAT_VERSION,
    MANIPULATIONS,
    PRISTINE,
    SEALED,
    Split,
    arrow_schema,
    data_file,
)
from m3dsynth_dataset.verification.finding import MADE_WRONG, Finding


@dataclass(frozen=True)
class Table:
    """A Parquet file of a release, and where its name says that it belongs."""

    path: str
    config: str
    split: str


def place_of(name: str) -> Table | None:
    """Where a file of rows belongs by its name; None if no such config and split may be."""
    for split in Split:
        config = PurePosixPath(name).parent.name
        generator, _, manipulation = config.rpartition("-")
        if name == data_file(config, split) and (
            config in (PRISTINE, SEALED) or (generator and manipulation in MANIPULATIONS[1:])
        ):
            return Table(name, config, str(split))
    return None


def check_schema(name: str, schema: pa.Schema, version: str) -> Iterator[Finding]:
    """Whether a file of rows has the columns of the schema."""
    expected = arrow_schema()
    for column in expected.names:
        if schema.get_all_field_indices(column) != [schema.get_field_index(column)]:
            found = len(schema.get_all_field_indices(column))
            yield Finding(name, f"has the column {column}", f"{found} of that name", MADE_WRONG)
        elif schema.field(column).type != expected.field(column).type:
            rule = f"column {column} is of type {expected.field(column).type}"
            yield Finding(name, rule, str(schema.field(column).type), MADE_WRONG)
    if not _is_newer(version):
        for column in sorted(set(schema.names) - set(expected.names)):
            yield Finding(name, "has the columns of the schema only", f"a column {column}", MADE_WRONG)
    features = Features.from_arrow_schema(schema)
    for column in ("label", "manipulation"):
        if column in features and features[column] != FEATURES[column]:
            rule = f"tells datasets that the classes of {column} are {', '.join(FEATURES[column].names)}"
            yield Finding(name, rule, repr(features[column]), MADE_WRONG)


def _is_newer(version: str) -> bool:
    """Whether a release may have columns that this version does not know."""
    return [int(part) for part in re.findall(r"\d{1,9}", version)] > [int(part) for part in FORMAT_VERSION.split(".")]
