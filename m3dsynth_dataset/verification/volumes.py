"""The volumes of a release: metadata, index, and where no file has a checksum, every voxel."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.schema import BLOSC_BLOCK, CHUNK
from m3dsynth_dataset.shard import VoxelSource
from m3dsynth_dataset.verification.agreement import Known
from m3dsynth_dataset.verification.files import is_inside
from m3dsynth_dataset.verification.finding import COPY_AGAIN, MADE_WRONG, Finding, brief, message
from m3dsynth_dataset.verification.side_by_side import each_of
from m3dsynth_dataset.volume import open_voxels

_SHARD = "shape of the one shard"


@dataclass(frozen=True)
class Volumes:
    """The volumes of a release."""

    release: Path
    version: str
    whole: bool
    """Whether to read every voxel, for want of a checksum of the file."""

    def findings(self, names: Iterable[str], known: Sequence[Known], workers: int) -> Iterator[Finding]:
        """What is wrong with the volumes that are stored, or that a row names."""
        rows: dict[str, list[Known]] = defaultdict(list)
        for row in known:
            rows[row.volume].append(row)
        stored = ("/".join(name.split("/")[:2]) for name in names if name.startswith("volumes/"))
        volumes = sorted({name for name in {*rows, *stored} if is_inside(name)})

        def check(name: str) -> list[Finding]:
            return list(self._check(name, rows.get(name, [])))

        for findings in each_of(check, volumes, workers, "volumes", "volume", lambda _: 1):
            yield from findings

    def _check(self, name: str, rows: Sequence[Known]) -> Iterator[Finding]:
        path = self.release / name
        try:
            metadata = json.loads((path / "zarr.json").read_bytes())
            facts, shape = _facts(metadata), tuple(metadata["shape"])
            expected = _expected_facts(shape, self.version)
        except Exception as error:
            found = f"{message(error)} ({len(rows)} samples need it)"
            yield Finding(f"{name}/zarr.json", "is the metadata of a volume", found, COPY_AGAIN)
            return
        for fact, value in expected.items():
            if facts[fact] != value:
                yield Finding(f"{name}/zarr.json", f"{fact} is {value}", brief(facts[fact]), MADE_WRONG)
        for row in rows:
            if row.shape and row.shape != shape:
                yield Finding(row.sample_id, f"shape_zyx is that of {name}, {shape}", str(row.shape), MADE_WRONG)
        try:
            _read(open_voxels(path), self.whole)
        except Exception as error:
            found = f"{message(error)} ({len(rows)} samples need it)"
            yield Finding(f"{name}/c/0/0/0", "is the shard of a volume", found, COPY_AGAIN)


def _read(source: VoxelSource, whole: bool) -> None:
    """Read a volume, chunk after chunk, or its first voxel: its index is read, too."""
    depth, height, width = source.shape
    if not whole:
        source.read(Box((0, 0, 0), (1, 1, 1)))
        return
    for first in range(0, depth, CHUNK[0]):
        source.read(Box.between((first, 0, 0), (min(first + CHUNK[0], depth), height, width)))


def _facts(metadata: Any) -> dict[str, object]:  # noqa: ANN401 (parsed JSON)
    (sharding,) = metadata["codecs"]
    inner = sharding["configuration"]
    settings = {codec["name"]: codec.get("configuration") for codec in inner["codecs"]}
    return {
        "data_type": metadata["data_type"],
        "chunk shape": tuple(inner["chunk_shape"]),
        _SHARD: tuple(metadata["chunk_grid"]["configuration"]["chunk_shape"]),
        "codecs of a chunk": list(settings),
        "compression": settings.get("blosc"),
        "format_version": metadata["attributes"].get("format_version"),
    }


def _expected_facts(shape: tuple[int, ...], version: str) -> dict[str, object]:
    return {
        "data_type": "int16",
        "chunk shape": CHUNK,
        _SHARD: tuple(-(-length // chunk) * chunk for length, chunk in zip(shape, CHUNK, strict=True)),
        "codecs of a chunk": ["bytes", "blosc", "crc32c"],
        "compression": {"typesize": 2, "cname": "zstd", "clevel": 5, "shuffle": "shuffle", "blocksize": BLOSC_BLOCK},
        "format_version": version,
    }
