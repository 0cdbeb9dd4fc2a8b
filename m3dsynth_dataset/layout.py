"""How the bytes of a volume are arranged, as its metadata says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.types import Triple

METADATA = "zarr.json"
SHARD = "c/0/0/0"
"""Files of a volume, by their paths in it."""


@dataclass(frozen=True)
class Layout:
    """How a volume's bytes are arranged."""

    shape: Triple
    chunk: Triple
    dtype: np.dtype[Any]
    fill: int

    @property
    def grid(self) -> Triple:
        """Chunks along each axis."""
        z, y, x = (-(-length // chunk) for length, chunk in zip(self.shape, self.chunk, strict=True))
        return z, y, x

    @property
    def chunk_bytes(self) -> int:
        """Of a chunk once it is decompressed."""
        return int(np.prod(self.chunk)) * self.dtype.itemsize

    @classmethod
    def of(cls, metadata: Any) -> Layout | None:  # noqa: ANN401 (parsed JSON)
        """The layout that an array's metadata describes; None if it is not the one that this file reads."""
        try:
            (sharding,) = metadata["codecs"]
            inner = sharding["configuration"]
            z, y, x = metadata["shape"]
            layout = cls(
                (z, y, x), tuple(inner["chunk_shape"]), np.dtype(metadata["data_type"]), metadata["fill_value"]
            )
            shard = tuple(count * chunk for count, chunk in zip(layout.grid, layout.chunk, strict=True))
            known = (
                sharding["name"] == "sharding_indexed"
                and [codec["name"] for codec in inner["codecs"]] == ["bytes", "blosc", "crc32c"]
                and inner["codecs"][0].get("configuration", {"endian": "little"}) == {"endian": "little"}
                and [codec["name"] for codec in inner["index_codecs"]] == ["bytes", "crc32c"]
                and inner.get("index_location", "end") == "end"
                and tuple(metadata["chunk_grid"]["configuration"]["chunk_shape"]) == shard
                and metadata["chunk_key_encoding"]["name"] == "default"
                and not metadata.get("storage_transformers")
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        return layout if known else None


def layout_of(name: str, metadata: bytes) -> Layout | None:
    """How the bytes of a volume are arranged; None if not as this project writes them.

    Args:
        name: Of the volume, for errors.
        metadata: The content of its ``zarr.json``.

    Raises:
        DamagedReleaseError: If that is no metadata.
    """
    try:
        parsed = json.loads(metadata)
    except ValueError as error:
        raise DamagedReleaseError(f"{name}: no volume there (zarr.json cannot be read: {error})") from error
    if not isinstance(parsed, dict):
        raise DamagedReleaseError(f"{name}: no volume there (zarr.json must be an object, got {parsed!r})")
    return Layout.of(parsed)
