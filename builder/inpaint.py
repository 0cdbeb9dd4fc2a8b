"""Inpainting: a plain batch job over the store of cubes, and the only stage that wants a GPU."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int16

from builder.filled import FilledCubes
from generation.choice import Choice
from generation.cubes import CubeStore
from generation.device import chosen
from generation.filling import fill
from generation.weights import load as load_weights
from m3dsynth_dataset.schema import CONTROL, config_name
from m3dsynth_dataset.staging import staged


def inpaint(store: CubeStore, choices: Sequence[Choice], work: Path, device: str) -> list[FilledCubes]:
    """Fill the cubes of all sites with every inpainter; what is ready in the work folder is not filled again.

    Args:
        store: The cubes.
        choices: From :func:`generation.choice.choose`.
        work: Folder for the results.
        device: Such as cpu, cuda or cuda:1; auto takes a GPU where there is one.
    """
    place = chosen(device)
    return [_inpaint_one(store, choice, work, place) for choice in choices]


def account_of(choice: Choice) -> dict[str, Any]:
    """What the manifest says of an inpainter."""
    if choice.name == CONTROL:
        return {"control": "the original cube comes back; no generative model"}
    if choice.weights is None:
        return {"class": choice.word}
    kept = load_weights(choice.weights).account
    origin = asdict(kept.provenance) | {"patients": len(kept.provenance.patients)}
    return {"preset": kept.preset, "config": dict(kept.config), **origin}


def _inpaint_one(store: CubeStore, choice: Choice, work: Path, device: torch.device) -> FilledCubes:
    inpainter = choice.load(device)
    cubes, table = store.sites(choice.manipulation)
    path = work / f"{config_name(choice.name, choice.manipulation)}.npz"
    key = json.dumps([store.table_sha256, inpainter.weights_sha256])
    # What a user's own class does may have changed without a trace; weights leave one.
    filled = _ready(path, key) if choice.weights is not None or choice.name == CONTROL else None
    if filled is None:
        filled = fill(inpainter, cubes, table["seed"].to_pylist())
        with staged(path) as place, place.open("wb") as file:
            np.savez(file, filled=filled, key=np.array(key))
    by_site = dict(zip(table["cube_id"].to_pylist(), filled, strict=True))
    return FilledCubes(choice.name, choice.manipulation, inpainter.weights_sha256 or None, by_site)


def _ready(path: Path, key: str) -> Int16[np.ndarray, "n 32 32 32"] | None:
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return np.asarray(arrays["filled"]) if str(arrays["key"]) == key else None
