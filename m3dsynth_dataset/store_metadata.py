"""A release as a zarr v3 hierarchy: which groups and arrays there are, and what their ``zarr.json`` says."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from m3dsynth_dataset.schema import AIR_HU, CHUNK
from m3dsynth_dataset.types import Triple

METADATA = "zarr.json"
CT, MASK = "ct", "mask"
ARRAYS = (CT, MASK)
"""Of the group of a sample."""


@dataclass(frozen=True)
class Entry:
    """What the hierarchy says of a sample."""

    shape: Triple
    attributes: Mapping[str, Any]
    arrays: tuple[str, ...] = ARRAYS
    """The CT alone, if the mask is sealed."""


@dataclass(frozen=True)
class Hierarchy:
    """The groups and arrays of samples."""

    entries: Mapping[str, Entry]
    """By sample id, whose parts between slashes are groups."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Of the root."""

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The names in every group, and in the root, which is called by the empty string."""
        names: dict[str, dict[str, None]] = defaultdict(dict)
        for sample_id, entry in self.entries.items():
            parts = sample_id.split("/")
            for depth, part in enumerate(parts):
                names["/".join(parts[:depth])][part] = None
            names[sample_id] = dict.fromkeys(entry.arrays)
        return {group: tuple(members) for group, members in names.items()}

    def has(self, path: str) -> bool:
        """Whether there is such a group or array."""
        return path in self.children or self._plain(path) is not None

    def document(self, path: str) -> str | None:
        """What ``zarr.json`` of a group or array says; None if there is no such node.

        A group's tells of all that is below it (consolidated metadata), so that one read is enough to list it.
        """
        if path not in self.children:
            return self._plain(path)
        # By hand: of a full release this is ten megabytes, most of them the same few strings.
        below = ",".join(f"{json.dumps(name)}:{text}" for name, text in self._below(path))
        consolidated = '{"kind":"inline","must_understand":false,"metadata":{' + below + "}}"
        return f'{str(self._plain(path))[:-1]},"consolidated_metadata":{consolidated}}}'

    @cached_property
    def root(self) -> bytes:
        """The document of the root."""
        return str(self.document("")).encode()

    def _below(self, path: str) -> Iterator[tuple[str, str]]:
        """Every group and array under a group: its path from there, and its document without those below."""
        for name in self.children[path]:
            child = f"{path}/{name}" if path else name
            yield name, str(self._plain(child))
            if child in self.children:
                yield from ((f"{name}/{further}", text) for further, text in self._below(child))

    def _plain(self, path: str) -> str | None:
        if path in self.children:
            entry = self.entries.get(path)
            attributes = self.attributes if not path else entry.attributes if entry else {}
            return f'{{"zarr_format":3,"node_type":"group","attributes":{json.dumps(dict(attributes))}}}'
        sample_id, _, name = path.rpartition("/")
        entry = self.entries.get(sample_id)
        return None if entry is None or name not in entry.arrays else _array(name, entry.shape)


@cache
def _array(name: str, shape: Triple) -> str:
    metadata = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": {CT: "int16", MASK: "bool"}[name],
        "fill_value": {CT: int(AIR_HU), MASK: False}[name],
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(CHUNK)}},
        "chunk_key_encoding": {"name": "default"},
        # Chunks are handed over as they are in memory: they are put together here, and decompressed once already.
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "dimension_names": ["z", "y", "x"],
        "attributes": {},
    }
    return json.dumps(metadata)
