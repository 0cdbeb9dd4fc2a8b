"""Training: one loop for all models, and what is kept of it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Int16, Int64
from torch import Tensor
from tqdm import tqdm

from generation import montage, weights
from generation.augmentation import augment
from generation.cubes import TRAINING_SIDE, CubeStore, SiteCubes, TrainingCubes
from generation.equalisation import Equalisation
from generation.errors import GenerationError
from generation.mask import SIDE
from generation.trainable import Config, Learner, TrainedInpainter
from generation.weights import Provenance, Weights

SHOW_EVERY = 10
"""Steps between two readings of the losses. Each makes the device wait."""


def train(
    model: type[TrainedInpainter[Any]],
    manipulation: str,
    store: CubeStore,
    out: Path,
    *,
    preset: str,
    steps: int | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Path:
    """Train an inpainter on the cubes of one manipulation; keep its weights, and a picture of what it does.

    The same store, preset and seed give the same file, to the bit, on the same kind of CPU.

    Args:
        model: Class of the inpainter.
        manipulation: injection or removal.
        store: Cubes to learn from.
        out: Folder for ``<name>-<manipulation>.safetensors`` and ``.png``.
        preset: Name of one of the model's configs.
        steps: Instead of the preset's number.
        seed: Source of all randomness, >= 0.
        device: Where to train.

    Returns:
        The file of weights.

    Raises:
        GenerationError: If the store has no cubes to learn from, the preset is not known, or training diverges.
    """
    config = configured(model, preset, steps)
    cubes, table = _learnable(store, manipulation)
    equalisation = Equalisation.fit(_centres(cubes))
    with _seeded(seed, 0, torch.device(device)):
        learner = model.learner(config).to(device)
    optimise(learner, config, cubes, equalisation, seed=seed)
    path = weights.weights_path(out, model.name, manipulation)
    kept = Weights(
        inpainter=model.name,
        manipulation=manipulation,
        preset=preset,
        config=asdict(config),
        provenance=_provenance(store, table, seed, config.steps),
        equalisation=equalisation,
        tensors=learner.network().state_dict(),
    )
    inpainter = model(learner.network(), config, equalisation, weights_sha256=weights.save(path, kept))
    examples, seeds = _examples(store, manipulation, cubes)
    title = f"{model.name} {manipulation}, {preset}, {config.steps} steps, synthetic"
    montage.show(inpainter, examples, seeds, path.with_suffix(".png"), title=title)
    return path


def configured(model: type[TrainedInpainter[Any]], preset: str, steps: int | None) -> Config:
    """A model's preset, with another number of steps if one is given."""
    if preset not in model.presets:
        raise GenerationError(
            f"inpainter '{model.name}' has no preset '{preset}' (known: {', '.join(sorted(model.presets))})"
        )
    config = model.presets[preset]
    return config if steps is None else replace(config, steps=steps)


def optimise(
    learner: Learner, config: Config, cubes: TrainingCubes, equalisation: Equalisation, *, seed: int
) -> dict[str, float]:
    """The loop: draw cubes, vary them, take a step.

    Every step draws from a seed of its own, made of ``seed`` and its number, so it needs nothing of the steps
    before it but what they have learned.

    Returns:
        The losses of the last step.
    """
    device = next(learner.parameters()).device
    on_device = torch.from_numpy(cubes).to(device)
    optimizers = learner.train().optimizers()
    losses: dict[str, float] = {}
    with _progress(config.steps) as bar:
        for step in bar:
            chosen = torch.from_numpy(batch_indices(step, config.batch, len(cubes), seed)).to(device)
            with _seeded(seed, step + 1, device) as rng:
                batch = equalisation.equalise(augment(on_device[chosen], rng))
                latest = learner.training_step(batch, optimizers, step=step, rng=rng)
            if step % SHOW_EVERY == 0 or step == config.steps - 1:
                losses = _finite(latest, step)
                bar.set_postfix({name: f"{loss:.3f}" for name, loss in losses.items()}, refresh=False)
    return losses


def batch_indices(step: int, batch: int, count: int, seed: int) -> Int64[np.ndarray, " batch"]:
    """Which of ``count`` cubes a step sees: each once in a shuffled round, then the next round."""
    places = np.arange(step * batch, (step + 1) * batch)
    rounds, inside = np.divmod(places, count)
    orders = {turn: np.random.default_rng([seed, turn]).permutation(count) for turn in np.unique(rounds).tolist()}
    return np.array([orders[turn][place] for turn, place in zip(rounds.tolist(), inside.tolist(), strict=True)])


@contextmanager
def _seeded(seed: int, step: int, device: torch.device) -> Iterator[torch.Generator]:
    """A generator for one step. Dropout and initialisation know only the global one: it is seeded and put back."""
    own, shared = np.random.SeedSequence([seed, step]).generate_state(2, np.uint64).tolist()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(shared)
        yield torch.Generator(device).manual_seed(own)


def _progress(steps: int) -> tqdm[int]:
    interval = 0.1 if sys.stderr.isatty() else 30.0
    return tqdm(range(steps), desc="training", unit="step", mininterval=interval, dynamic_ncols=True)


def _finite(losses: Mapping[str, Tensor], step: int) -> dict[str, float]:
    values = {name: loss.item() for name, loss in losses.items()}
    if not np.isfinite(list(values.values())).all():
        raise GenerationError(
            f"training has diverged at step {step}: {', '.join(f'{name} {loss}' for name, loss in values.items())};"
            " try another seed"
        )
    return values


def _learnable(store: CubeStore, manipulation: str) -> tuple[TrainingCubes, pa.Table]:
    cubes, table = store.training(manipulation)
    if not len(cubes):
        lesions = "nodules over 10 mm" if manipulation == "injection" else "nodules under 8 mm"
        raise GenerationError(
            f"{store.path}: has no training cubes for {manipulation};"
            f" extract scans of patients of the train split that have {lesions}"
        )
    return cubes, table


def _provenance(store: CubeStore, table: pa.Table, seed: int, steps: int) -> Provenance:
    return Provenance(
        trained_on=store.source,
        cubes=table.num_rows,
        patients=len(table["patient_id"].unique()),
        table_sha256=store.table_sha256,
        seed=seed,
        steps=steps,
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    )


def _examples(store: CubeStore, manipulation: str, cubes: TrainingCubes) -> tuple[SiteCubes, list[int]]:
    """Cubes to show: the sites of this manipulation, or what was learned from where there are none."""
    sites, table = store.sites(manipulation)
    if len(sites):
        return sites, table["seed"].to_pylist()
    return _centres(cubes), list(range(len(cubes)))


def _centres(cubes: TrainingCubes) -> Int16[np.ndarray, "m 32 32 32"]:
    margin = (TRAINING_SIDE - SIDE) // 2
    inner = slice(margin, margin + SIDE)
    return cubes[:, inner, inner, inner]
