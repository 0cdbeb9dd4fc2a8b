"""Inpainting: a plain batch job over the store of cubes, and the only stage that wants a GPU."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int16

from builder.errors import BuilderError
from builder.filled import FilledCubes
from generation.cubes import CubeStore
from generation.filling import fill
from generation.identity import Identity
from generation.inpainter import Inpainter
from generation.weights import load as load_weights
from generation.zoo import discover, load_inpainter
from m3dsynth_dataset.schema import CONTROL, MANIPULATIONS, config_name
from m3dsynth_dataset.staging import staged


def choose_inpainters(weights: Path, names: Sequence[str] | None) -> dict[tuple[str, str], Path | None]:
    """The inpainters of a build, by generator and manipulation; the control is always one of them.

    Args:
        weights: Folder of weights.
        names: Generators to use; all that have weights there when omitted.

    Returns:
        The file of weights of each; None for the control, which has none.

    Raises:
        BuilderError: If a generator that was named has no weights there.
    """
    found = discover(weights) if weights.is_dir() else {}
    known = sorted({generator for generator, _ in found} | {CONTROL})
    for name in names or ():
        if name not in known:
            raise BuilderError(
                f"{weights}: no weights of the inpainter {name!r} there (known: {', '.join(known)}); "
                f"make them with `python -m generation train {name} injection`"
            )
    chosen: dict[tuple[str, str], Path | None] = {
        key: path for key, path in sorted(found.items()) if names is None or key[0] in names
    }
    return chosen | {(CONTROL, manipulation): None for manipulation in MANIPULATIONS[1:]}


def inpaint(
    store: CubeStore, inpainters: dict[tuple[str, str], Path | None], work: Path, device: str
) -> list[FilledCubes]:
    """Fill the cubes of all sites with every inpainter; what is ready in the work folder is not filled again.

    Args:
        store: The cubes.
        inpainters: From :func:`choose_inpainters`.
        work: Folder for the results.
        device: Such as cpu, cuda or cuda:1; auto takes a GPU where there is one.
    """
    place = _device(device)
    return [_inpaint_one(store, *key, weights, work, place) for key, weights in inpainters.items()]


def account_of(weights: Path | None) -> dict[str, Any]:
    """What the manifest says of an inpainter."""
    if weights is None:
        return {"control": "the original cube comes back; no generative model"}
    kept = load_weights(weights)
    return {"preset": kept.preset, "config": dict(kept.config), **asdict(kept.provenance)}


def _inpaint_one(
    store: CubeStore, generator: str, manipulation: str, weights: Path | None, work: Path, device: torch.device
) -> FilledCubes:
    inpainter: Inpainter = Identity() if weights is None else load_inpainter(weights, device=device)
    cubes, table = store.sites(manipulation)
    path = work / f"{config_name(generator, manipulation)}.npz"
    key = json.dumps([store.table_sha256, inpainter.weights_sha256])
    filled = _ready(path, key)
    if filled is None:
        filled = fill(inpainter, cubes, table["seed"].to_pylist())
        with staged(path) as place, place.open("wb") as file:
            np.savez(file, filled=filled, key=np.array(key))
    by_site = dict(zip(table["cube_id"].to_pylist(), filled, strict=True))
    return FilledCubes(generator, manipulation, inpainter.weights_sha256 or None, by_site)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise BuilderError(f"--device must be auto, cpu, cuda or cuda:N, got {name!r}") from error


def _ready(path: Path, key: str) -> Int16[np.ndarray, "n 32 32 32"] | None:
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return np.asarray(arrays["filled"]) if str(arrays["key"]) == key else None
