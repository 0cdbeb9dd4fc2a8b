"""Inpainting: a plain batch job over the store of cubes, and the only stage that wants a GPU.

Every batch that is done is kept in the work folder under a name made of all that it came from: cubes, seeds, weights,
code, versions, and the kind of device. A run that is started again takes those, and composes the rest as the first run
would have.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import torch
import zarr
from jaxtyping import Int16

from builder.code import code_sha256
from builder.filled import FilledCubes, KeptCubes
from builder.progress import progress
from builder.versions import versions_of
from generation.choice import Choice
from generation.cubes import ARRAYS, CubeStore
from generation.device import chosen
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
    """Cubes that are filled together."""

    site_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    cubes: Int16[np.ndarray, "n 32 32 32"]


def inpaint(
    store: CubeStore,
    choices: Sequence[Choice],
    work: Path,
    device: str,
    count: Callable[[int, bool], None] | None = None,
) -> list[FilledCubes]:
    """Fill the cubes of all sites with every inpainter; what is ready in the work folder is not filled again.

    Args:
        store: The cubes.
        choices: From :func:`generation.choice.choose`.
        work: Folder for the results.
        device: Such as cpu, cuda or cuda:1; auto takes a GPU where there is one.
        count: Is told of every batch how many cubes it has, and whether they were ready.
    """
    place = chosen(device)
    total = sum(_rows(store, choice.manipulation).num_rows for choice in choices)
    with progress(total, "inpainting", "cube") as advance:

        def counted(cubes: int, was_ready: bool) -> None:
            advance(cubes)
            if count is not None:
                count(cubes, was_ready)

        return [_inpaint_one(store, choice, work, place, counted) for choice in choices]


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
    store: CubeStore, choice: Choice, work: Path, device: torch.device, count: Callable[[int, bool], None]
) -> FilledCubes:
    inpainter = choice.load(device)
    place = torch.device(getattr(inpainter, "device", "cpu"))
    # Of a class that was typed into an interpreter nobody can tell whether it is still the same.
    code = code_sha256(named(choice.word))
    maker = [choice.word, choice.manipulation, inpainter.weights_sha256, place.type, code, versions_of(PAINTERS)]
    folder = work / config_name(choice.name, choice.manipulation)
    places: dict[str, tuple[Path, int]] = {}
    for batch in _batches(store, choice.manipulation, CPU_BATCH if place.type == "cpu" else GPU_BATCH):
        path = folder / f"{_key(batch, maker)}.npy"
        was_ready = code is not None and path.is_file()
        if not was_ready:
            _fill(inpainter, batch, path)
        places |= {site_id: (path, number) for number, site_id in enumerate(batch.site_ids)}
        count(len(batch.cubes), was_ready)
    return FilledCubes(choice.name, choice.manipulation, inpainter.weights_sha256 or None, KeptCubes(places))


def _fill(inpainter: Inpainter, batch: Batch, path: Path) -> None:
    buffer = BytesIO()  # numpy does not say of a file that it could not write that the disk is full
    np.save(buffer, fill(inpainter, batch.cubes, batch.seeds))
    with staged(path) as place:
        place.write_bytes(buffer.getvalue())


def _rows(store: CubeStore, manipulation: str) -> Any:  # noqa: ANN401 - pyarrow has no types
    return store.table.filter((pc.field("kind") == "site") & (pc.field("manipulation") == manipulation)).sort_by(
        "index"
    )


def _batches(store: CubeStore, manipulation: str, size: int) -> Iterator[Batch]:
    """Always the same ones for the same store, so that bits do not depend on where a run was stopped."""
    table, array = _rows(store, manipulation), store.group[ARRAYS["site"]]
    assert isinstance(array, zarr.Array)  # checked when the store was opened
    for start in range(0, table.num_rows, size):
        part = table.slice(start, size)
        cubes = np.asarray(array.oindex[part["index"].to_numpy()], dtype=np.int16)
        yield Batch(tuple(part["cube_id"].to_pylist()), tuple(part["seed"].to_pylist()), cubes)


def _key(batch: Batch, maker: Sequence[object]) -> str:
    digest = hashlib.sha256(json.dumps([maker, batch.seeds]).encode())
    digest.update(batch.cubes.tobytes())
    return digest.hexdigest()
