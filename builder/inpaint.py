"""Inpainting: a plain batch job over the store of cubes, and the only stage that wants a GPU.

Every batch that is done is kept in the work folder under a name made of all that it came from: cubes, seeds, weights,
code, versions, and the kind of device. A run that is started again takes those, and composes the rest as the first run
would have.

On a CPU a batch is filled by one thread: the last bits of a convolution depend on how many share it. Cores are put to
use by filling several batches at a time, in processes of their own.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import torch
import zarr
from jaxtyping import Int16

from builder.code import code_sha256
from builder.engine import Crew, Engine
from builder.filled import FilledCubes, KeptCubes
from builder.one_thread import one_blas_thread
from builder.progress import progress
from builder.versions import versions_of
from generation.choice import Choice
from generation.cubes import ARRAYS, CubeStore
from generation.filling import CPU_BATCH, GPU_BATCH, fill
from generation.inpainter import Inpainter
from generation.weights import load as load_weights
from generation.zoo import named
from m3dsynth_dataset.schema import CONTROL, config_name
from m3dsynth_dataset.staging import staged

PAINTERS = ("m3dsynth", "numpy", "torch", "monai", "diffusers")
"""Another version of one of these may fill a cube in another way."""


@dataclass(frozen=True)
class Batch:
    """Cubes that are filled together, and stay in their store until they are."""

    store: Path
    indices: tuple[int, ...]
    site_ids: tuple[str, ...]
    seeds: tuple[int, ...]

    def cubes(self) -> Int16[np.ndarray, "n 32 32 32"]:
        """The cubes, in HU."""
        array = zarr.open_array(self.store / ARRAYS["site"], mode="r", zarr_format=3)
        return np.asarray(array.oindex[np.array(self.indices)], dtype=np.int16)


@dataclass(frozen=True)
class Painter:
    """Makes an inpainter, in whichever process it is wanted."""

    choice: Choice
    device: str
    stamp: tuple[int, int] | None
    """Size and time of the weights: those that were trained anew are others."""

    @classmethod
    def of(cls, choice: Choice, device: str) -> "Painter":
        """The one of a choice."""
        status = choice.weights.stat() if choice.weights is not None else None
        return cls(choice, device, (status.st_size, status.st_mtime_ns) if status else None)

    def __call__(self) -> Inpainter:
        """Load it."""
        return self.choice.load(self.device)


def inpaint(
    store: CubeStore,
    choices: Sequence[Choice],
    work: Path,
    device: str,
    engine: Engine,
    count: Callable[[int, bool], None] | None = None,
) -> list[FilledCubes]:
    """Fill the cubes of all sites with every inpainter; what is ready in the work folder is not filled again.

    Args:
        store: The cubes.
        choices: From :func:`generation.choice.choose`.
        work: Folder for the results.
        device: Such as cpu, cuda or cuda:1; auto takes a GPU where there is one.
        engine: What spreads the batches.
        count: Is told of every batch how many cubes it has, and whether they were ready.
    """
    place = engine.device(device)
    total = sum(_rows(store, choice.manipulation).num_rows for choice in choices)
    with progress(total, "inpainting", "cube") as advance:

        def counted(cubes: int, was_ready: bool) -> None:
            advance(cubes)
            if count is not None:
                count(cubes, was_ready)

        with engine.crew(place) as crew:
            # Inpainters of the same manipulation fill the same cubes, which are read for their names once.
            batches = cache(partial(_batches, store))
            return [_inpaint_one(batches, choice, work, place, crew, counted) for choice in choices]


def account_of(choice: Choice) -> dict[str, Any]:
    """What the manifest says of an inpainter."""
    if choice.name == CONTROL:
        return {"control": "the original cube comes back; no generative model"}
    if choice.weights is None:
        return {"class": choice.word}
    kept = load_weights(choice.weights).account
    origin = asdict(kept.provenance) | {"patients": len(kept.provenance.patients)}
    return {"preset": kept.preset, "config": dict(kept.config), **origin}


def _inpaint_one(
    batches_of: Callable[[str, int], list[tuple[str, Batch]]],
    choice: Choice,
    work: Path,
    device: str,
    crew: Crew,
    count: Callable[[int, bool], None],
) -> FilledCubes:
    painter = Painter.of(choice, device)
    weights_sha256, place = crew.ask(painter, _described)
    # Of a class that was typed into an interpreter nobody can tell whether it is still the same.
    code = code_sha256(named(choice.word))
    maker = [choice.word, choice.manipulation, weights_sha256, place, code, versions_of(PAINTERS)]
    folder = work / config_name(choice.name, choice.manipulation)
    batches = {
        folder / f"{_key(batch, cubes_sha256, maker)}.npy": batch
        for cubes_sha256, batch in batches_of(choice.manipulation, CPU_BATCH if place == "cpu" else GPU_BATCH)
    }
    # A folder that is listed, and not files that are asked for one by one: what a network file system has not found
    # once it may not find for half a minute, although another node has written it by then.
    ready = batches.keys() & set(folder.glob("*.npy")) if code is not None else set()
    count(sum(len(batches[path].seeds) for path in ready), True)
    jobs = [(batch, path) for path, batch in batches.items() if path not in ready]
    for filled in crew.each(painter, _fill, jobs):
        count(filled, False)
    places = {site: (path, row) for path, batch in batches.items() for row, site in enumerate(batch.site_ids)}
    return FilledCubes(choice.name, choice.manipulation, weights_sha256 or None, KeptCubes(places))


def _described(inpainter: Inpainter) -> tuple[str, str]:
    return inpainter.weights_sha256, torch.device(getattr(inpainter, "device", "cpu")).type


def _fill(inpainter: Inpainter, batch: Batch, path: Path) -> int:
    with one_blas_thread(), _one_torch_thread():
        filled = fill(inpainter, batch.cubes(), batch.seeds)
    buffer = BytesIO()  # numpy does not say of a file that it could not write that the disk is full
    np.save(buffer, filled)
    with staged(path) as place:
        place.write_bytes(buffer.getvalue())
    return len(filled)


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _rows(store: CubeStore, manipulation: str) -> Any:  # noqa: ANN401 - pyarrow has no types
    return store.table.filter((pc.field("kind") == "site") & (pc.field("manipulation") == manipulation)).sort_by(
        "index"
    )


def _batches(store: CubeStore, manipulation: str, size: int) -> list[tuple[str, Batch]]:
    """Each with a checksum of its cubes.

    Always the same ones for the same store, so that bits do not depend on where a run was stopped.
    """
    table, found = _rows(store, manipulation), []
    for start in range(0, table.num_rows, size):
        columns = (table.slice(start, size)[name].to_pylist() for name in ("index", "cube_id", "seed"))
        batch = Batch(store.path, *map(tuple, columns))
        found.append((hashlib.sha256(batch.cubes().tobytes()).hexdigest(), batch))
    return found


def _key(batch: Batch, cubes_sha256: str, maker: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps([maker, batch.seeds, cubes_sha256]).encode()).hexdigest()
