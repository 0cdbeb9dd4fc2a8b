"""Which cubes inpainters are judged by: none of a patient that one of them has learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from generation.choice import Choice
from generation.cubes import MANIPULATIONS, CubeStore
from generation.errors import GenerationError
from generation.inpainter import Inpainter
from generation.quality import Quality, assess
from generation.trainable import TrainedInpainter
from generation.training import centres


def examine(choices: Sequence[Choice], store: CubeStore, device: torch.device | str = "cpu") -> Iterator[Quality]:
    """Assess inpainters, all on the same cubes, one after the other.

    Raises:
        GenerationError: If no patient of the store is left to judge by.
    """
    for manipulation in MANIPULATIONS:
        inpainters = [choice.load(device) for choice in choices if choice.manipulation == manipulation]
        learned_from = {patient for inpainter in inpainters for patient in _patients(inpainter)}
        yield from _examine(inpainters, manipulation, store, sorted(learned_from))


def _examine(
    inpainters: Sequence[Inpainter], manipulation: str, store: CubeStore, learned_from: Sequence[str]
) -> Iterator[Quality]:
    cubes, table = store.training(manipulation)
    cubes, seen = centres(cubes), _of(table, learned_from)
    sites, site_table = store.sites(manipulation)
    new = ~_of(site_table, learned_from)
    if not new.any() and seen.all():
        raise GenerationError(
            f"{store.path}: has no cube for {manipulation} of a patient that the inpainters have not learned from;"
            " extract scans of the validation or test split"
        )
    for inpainter in inpainters:
        yield assess(
            inpainter,
            manipulation,
            truth=cubes[~seen],
            truth_seeds=table["seed"].to_numpy()[~seen].tolist(),
            sites=sites[new],
            site_seeds=site_table["seed"].to_numpy()[new].tolist(),
            reference=cubes[seen],
        )


def _of(table: pa.Table, patients: Sequence[str]) -> np.ndarray:
    return np.asarray(pc.is_in(table["patient_id"], pa.array(patients, pa.string())).to_numpy(zero_copy_only=False))


def _patients(inpainter: Inpainter) -> tuple[str, ...]:
    account = inpainter.account if isinstance(inpainter, TrainedInpainter) else None
    return () if account is None else account.provenance.patients
