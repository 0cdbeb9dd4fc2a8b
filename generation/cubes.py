"""The store of cubes: all that ``generation`` knows of the scans.

cubes.zarr/
  zarr.json       group; attributes format_version and, when known, source
  sites/          int16 (n, 32, 32, 32) HU on 1 mm voxels: cubes to edit
  training/       int16 (m, 40, 40, 40): cubes to learn from, with room for shifts and rotations
  table.parquet   one row per cube
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zarr
from jaxtyping import Int16
from zarr.codecs import BloscCodec

from generation.errors import GenerationError
from generation.mask import SIDE
from m3dsynth_dataset.staging import staged

FORMAT_VERSION = 1
TRAINING_SIDE = 40
"""A training cube is wider by 4 voxels on each side: shifts and rotations stay inside it."""
SIDES = {"site": SIDE, "training": TRAINING_SIDE}
ARRAYS = {"site": "sites", "training": "training"}
"""The name of each kind's array."""
CHUNK = {"site": 16, "training": 8}
"""Cubes per chunk: both give chunks of about 1 MiB."""
MANIPULATIONS = ("injection", "removal")
TISSUES = ("nodule", "parenchyma")
SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("index", pa.int64(), nullable=False),
        pa.field("cube_id", pa.string(), nullable=False),
        pa.field("scan_id", pa.string(), nullable=False),
        pa.field("patient_id", pa.string(), nullable=False),
        pa.field("manipulation", pa.string(), nullable=False),
        pa.field("tissue", pa.string(), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
    ]
)
"""``kind`` says which array and ``index`` where in it; ``cube_id`` is the site_id of a site."""
VOCABULARY = {"kind": tuple(ARRAYS), "manipulation": MANIPULATIONS, "tissue": TISSUES}

SiteCubes = Int16[np.ndarray, "n 32 32 32"]
TrainingCubes = Int16[np.ndarray, "m 40 40 40"]


@dataclass(frozen=True, eq=False)
class CubeStore:
    """A store that was opened; cubes are read when asked for."""

    path: Path
    table: pa.Table = field(repr=False)
    source: str
    """Where the scans come from, such as ``LIDC-IDRI`` or ``phantom``; empty when the store does not say."""
    group: zarr.Group = field(repr=False)

    @classmethod
    def open(cls, path: Path | str) -> CubeStore:
        """Open a store for reading.

        Raises:
            GenerationError: If there is none, or one of another format version, or one that contradicts itself.
        """
        path = Path(path)
        group = _open_group(path)
        store = cls(path, _read_table(path), str(group.attrs.get("source", "")), group)
        for kind, name in ARRAYS.items():
            _check_array(
                path, group.get(name), name, (store.table.filter(pc.field("kind") == kind).num_rows, SIDES[kind])
            )
        return store

    @classmethod
    def write(
        cls, path: Path | str, sites: SiteCubes, training: TrainingCubes, table: pa.Table, *, source: str = ""
    ) -> CubeStore:
        """Write a store beside ``path``, then rename; a store that is there already is replaced.

        Args:
            path: Folder to write, ``cubes.zarr`` by custom.
            sites: Cubes to edit. Memory maps are read piece by piece, never as a whole.
            training: Cubes to learn from.
            table: One row per cube, in any order; see SCHEMA.
            source: Where the scans come from.

        Raises:
            GenerationError: If table and cubes disagree, or ``path`` is something else than a store.
        """
        path = Path(path)
        table = _checked(table, {"site": len(sites), "training": len(training)})
        if path.exists() and not _is_store(path):
            raise GenerationError(f"{path}: is no store of cubes and will not be replaced; name another path")
        with staged(path) as place:
            group = zarr.create_group(place, attributes={"format_version": FORMAT_VERSION} | _named(source))
            _write_array(group, "site", sites)
            _write_array(group, "training", training)
            pq.write_table(table, place / "table.parquet")
        return cls.open(path)

    def sites(self, manipulation: str) -> tuple[SiteCubes, pa.Table]:
        """The cubes to edit and their rows, in the order of their index."""
        return self._cubes("site", manipulation)

    def training(self, manipulation: str) -> tuple[TrainingCubes, pa.Table]:
        """The cubes to learn from and their rows, in the order of their index."""
        return self._cubes("training", manipulation)

    @property
    def table_sha256(self) -> str:
        """Of the table's file: names the cubes that a model has learned from."""
        with (self.path / "table.parquet").open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _cubes(self, kind: str, manipulation: str) -> tuple[Int16[np.ndarray, "n z y x"], pa.Table]:
        if manipulation not in MANIPULATIONS:
            raise GenerationError(f"manipulation must be injection or removal, got {manipulation!r}")
        chosen = (pc.field("kind") == kind) & (pc.field("manipulation") == manipulation)
        table = self.table.filter(chosen).sort_by("index")
        array = self.group[ARRAYS[kind]]
        assert isinstance(array, zarr.Array)  # checked when the store was opened
        return _read(array, table["index"].to_numpy()), table


def _named(source: str) -> dict[str, str]:
    return {"source": source} if source else {}


def _is_store(path: Path) -> bool:
    return (path / "table.parquet").is_file() and (path / "zarr.json").is_file()


def _open_group(path: Path) -> zarr.Group:
    if not path.is_dir():
        raise GenerationError(f"{path}: no store of cubes there; make one with `python -m builder extract`")
    if not _is_store(path):
        raise GenerationError(f"{path}: is no store of cubes (it lacks zarr.json or table.parquet)")
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
    except (ValueError, KeyError, FileNotFoundError, TypeError) as error:
        raise GenerationError(f"{path}: is no store of cubes that can be read ({error})") from error
    version = group.attrs.get("format_version")
    if version != FORMAT_VERSION:
        raise GenerationError(
            f"{path}: format_version must be {FORMAT_VERSION}, got {version}; extract the cubes again with this version"
        )
    return group


def _read_table(path: Path) -> pa.Table:
    try:
        return _cast(pq.read_table(path / "table.parquet"))
    except (pa.ArrowException, OSError, GenerationError) as error:
        raise GenerationError(f"{path}: table.parquet cannot be read ({error})") from error


def _cast(table: pa.Table) -> pa.Table:
    if missing := [name for name in SCHEMA.names if name not in table.column_names]:
        raise GenerationError(f"the table of cubes lacks {', '.join(missing)}; it has {', '.join(table.column_names)}")
    try:
        return table.select(SCHEMA.names).cast(SCHEMA)
    except (pa.ArrowException, ValueError) as error:
        raise GenerationError(f"the table of cubes must have the columns of SCHEMA ({error})") from error


def _check_array(path: Path, array: object, name: str, expected: tuple[int, int]) -> None:
    count, side = expected
    shape = (count, side, side, side)
    if not isinstance(array, zarr.Array) or array.dtype != np.int16 or array.shape != shape:
        found = f"{array.dtype} {array.shape}" if isinstance(array, zarr.Array) else "none"
        raise GenerationError(f"{path}: array '{name}' must be int16 {shape} as the table says, got {found}")


def _checked(table: pa.Table, counts: dict[str, int]) -> pa.Table:
    table = _cast(table)
    for column, words in VOCABULARY.items():
        if unknown := sorted(set(table[column].unique().to_pylist()) - set(words)):
            raise GenerationError(f"{column} must be one of {', '.join(words)}, got {', '.join(unknown)}")
    for kind, count in counts.items():
        indices = table.filter(pc.field("kind") == kind)["index"].to_numpy()
        if not np.array_equal(np.sort(indices), np.arange(count)):
            raise GenerationError(
                f"the {kind} rows must name each of the {count} cubes once, got {len(indices)} rows"
                f" with {len(np.unique(indices))} different indices"
            )
    return table


def _write_array(group: zarr.Group, kind: str, cubes: Int16[np.ndarray, "n z y x"]) -> None:
    array = group.create_array(
        ARRAYS[kind],
        shape=cubes.shape,
        dtype=np.int16,
        chunks=(CHUNK[kind], *cubes.shape[1:]),
        compressors=BloscCodec(cname="zstd", clevel=5, shuffle="shuffle"),
    )
    for start in range(0, len(cubes), CHUNK[kind]):
        array[start : start + CHUNK[kind]] = cubes[start : start + CHUNK[kind]]


def _read(array: zarr.Array[Any], indices: np.ndarray) -> Int16[np.ndarray, "n z y x"]:
    """The cubes at rising indices; each chunk that holds one is decoded once."""
    cubes = np.empty((len(indices), *array.shape[1:]), dtype=np.int16)
    size = array.chunks[0]
    for chunk in np.unique(indices // size):
        here = np.flatnonzero(indices // size == chunk)
        start = int(chunk) * size
        cubes[here] = np.asarray(array[start : start + size])[indices[here] - start]
    return cubes
