"""Training: one loop for all models, and what is kept of it."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Int16, Int64
from torch import Tensor
from tqdm import tqdm

from generation import montage, weights
from generation.augmentation import augment
from generation.checkpoint import Checkpoint
from generation.cubes import TRAINING_SIDE, CubeStore, SiteCubes, TrainingCubes
from generation.descent import Descent
from generation.equalisation import Equalisation
from generation.errors import GenerationError
from generation.held_out import held_out
from generation.journal import Journal
from generation.mask import SIDE
from generation.processes import Processes
from generation.trainable import Config, Learner, TrainedInpainter
from generation.weights import Account, Provenance, Weights
from m3dsynth_dataset.interruption import between_steps

SHOW_EVERY = 10
"""Steps between two readings of the losses. Each makes the device wait."""
LOOKS = 5
"""How often a training validates and draws a picture, unless told."""
SAVE_SECONDS = 300
"""Between two checkpoints."""

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a training goes about its work, beside what its config says."""

    seed: int = 0
    """Source of all randomness, >= 0."""
    device: str = "cpu"
    """See ``generation.device.chosen``."""
    precision: Precision = "fp32"
    """bf16: mixed precision; the weights stay in 32 bits."""
    look_every: int | None = None
    """Steps between two looks at the held-out cubes; a fifth of all when omitted."""
    restart: bool = False
    """Give up the checkpoint that lies there, and begin anew."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise GenerationError(f"seed must be >= 0, got {self.seed}")
        if self.look_every is not None and self.look_every < 1:
            raise GenerationError(f"look_every must be >= 1, got {self.look_every}")


@dataclass(frozen=True, eq=False)
class Lesson:
    """The cubes of one manipulation: those to learn from, and those of other patients to judge by."""

    cubes: TrainingCubes = field(repr=False)
    examples: SiteCubes = field(repr=False)
    """Held-out cubes, cut to the size of a site; those to learn from where there is but one patient."""
    patients: tuple[str, ...]
    """Whose cubes are learned from."""

    @classmethod
    def of(cls, store: CubeStore, manipulation: str, share: float) -> Lesson:
        """The lesson of a store, with a share of the patients held out.

        Raises:
            GenerationError: If the store has no cubes to learn from.
        """
        cubes, table = _learnable(store, manipulation)
        aside = held_out(table, share)
        patients = table.filter(pa.array(~aside))["patient_id"].unique().to_pylist()
        return cls(cubes[~aside], centres(cubes[aside] if aside.any() else cubes), tuple(sorted(patients)))


def train(
    model: type[TrainedInpainter[Any]],
    manipulation: str,
    store: CubeStore,
    out: Path,
    *,
    preset: str,
    steps: int | None = None,
    options: Options | None = None,
) -> Path:
    """Train an inpainter on the cubes of one manipulation; keep its weights, and a picture of what it does.

    The same store, preset and seed give the same file, to the bit, on the same kind of CPU, whether or not the
    training was stopped in between: called again, it goes on from its last checkpoint.

    Args:
        model: Class of the inpainter.
        manipulation: injection or removal.
        store: Cubes to learn from.
        out: Folder for ``<name>-<manipulation>.safetensors`` and ``.png``, and a folder of that name with what the
            training shows while it runs.
        preset: Name of one of the model's configs.
        steps: Instead of the preset's number.
        options: Seed, device, precision and the like.

    Returns:
        The file of weights.

    Raises:
        GenerationError: If the store has no cubes to learn from, the preset is not known, the checkpoint is of
            another training, or this one diverges.
        KeyboardInterrupt: If it was asked to stop; a checkpoint is kept.
    """
    options = options or Options()
    config = configured(model, preset, steps)
    lesson = Lesson.of(store, manipulation, config.held_out)
    processes = Processes(options.device)
    path = weights.weights_path(out, model.name, manipulation)
    account = Account(
        inpainter=model.name,
        manipulation=manipulation,
        preset=preset,
        config=asdict(config),
        provenance=_provenance(store, lesson, options.seed, config.steps),
    )
    run = Run(model, config, lesson, account, path, options, processes)
    inpainter = run()
    with processes.main_first():
        if processes.is_main:
            _keep(inpainter, path, store, lesson)
            run.checkpoint.remove()
    return path


def configured(model: type[TrainedInpainter[Any]], preset: str, steps: int | None) -> Config:
    """A model's preset, with another number of steps if one is given."""
    if preset not in model.presets:
        raise GenerationError(
            f"inpainter '{model.name}' has no preset '{preset}' (known: {', '.join(sorted(model.presets))})"
        )
    config = model.presets[preset]
    return config if steps is None else replace(config, steps=steps)


class Run:
    """One training from its first or last step to its end.

    Every step draws from a seed of its own, made of the seed and its number, so it needs nothing of the steps before
    it but what they have learned.
    """

    def __init__(
        self,
        model: type[TrainedInpainter[Any]],
        config: Config,
        lesson: Lesson,
        account: Account,
        path: Path,
        options: Options,
        processes: Processes,
    ) -> None:
        self.model, self.config, self.lesson, self.account = model, config, lesson, account
        self.options, self.processes = options, processes
        self.folder = path.with_suffix("")
        self.checkpoint = Checkpoint(
            self.folder / "checkpoint.safetensors",
            asdict(account) | {"precision": options.precision, "processes": processes.count},
        )
        self.equalisation = Equalisation.fit(centres(lesson.cubes), config.straight)
        with _seeded(options.seed, 0, 0, processes.device):
            self.learner: Learner = model.learner(config).to(processes.device)
        if processes.device.type == "cuda":
            self.learner.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def __call__(self) -> TrainedInpainter[Any]:
        """The loop."""
        descend = Descent(self.learner.optimizers(), self.processes)
        first = self._first_step(descend)
        journal = Journal(self.folder, first) if self.processes.is_main else None
        on_device = torch.from_numpy(self.lesson.cubes).to(self.processes.device)
        saved = time.monotonic()
        with between_steps() as stopping, self._progress(first) as bar:
            for step in bar:
                descend.scale_rates(self.config.rate_at(step))
                losses = self._step(on_device, descend, step)
                done = step + 1
                if step % SHOW_EVERY == 0 or done == self.config.steps:
                    self._show(losses, step, bar, journal)
                looks = done % (self.options.look_every or max(1, self.config.steps // LOOKS)) == 0
                if looks and journal is not None:
                    self._look(done, journal)
                stop = self.processes.any(stopping()) if step % SHOW_EVERY == 0 or self.processes.count == 1 else False
                if stop or looks or time.monotonic() - saved > SAVE_SECONDS:
                    self._save(descend, done)
                    saved = time.monotonic()
                if stop:
                    raise KeyboardInterrupt
        if journal is not None:
            journal.close()
        return self._inpainter()

    def _first_step(self, descend: Descent) -> int:
        if self.options.restart and self.processes.is_main:
            self.checkpoint.remove()
        with self.processes.main_first():
            return self.checkpoint.restore(self.learner, descend.optimizers)

    def _step(self, cubes: Int16[Tensor, "m 40 40 40"], descend: Descent, step: int) -> dict[str, Tensor]:
        chosen = batch_indices(step, self.config.batch, len(cubes), self.options.seed)
        mine = torch.from_numpy(chosen[self.processes.share(len(chosen))]).to(cubes.device)
        with (
            _seeded(self.options.seed, step + 1, self.processes.rank, cubes.device) as rng,
            torch.autocast(cubes.device.type, torch.bfloat16, enabled=self.options.precision == "bf16"),
        ):
            batch = self.equalisation.equalise(augment(cubes[mine], rng))
            return self.learner.train().training_step(batch, descend, rng=rng)

    def _show(self, losses: Mapping[str, Tensor], step: int, bar: tqdm[int], journal: Journal | None) -> None:
        values = finite(losses, step)
        bar.set_postfix({name: f"{loss:.3f}" for name, loss in values.items()}, refresh=False)
        if journal is not None:
            journal.note({f"training/{name}": loss for name, loss in values.items()}, step)

    def _look(self, done: int, journal: Journal) -> None:
        """Validation loss and a picture, of held-out cubes."""
        inpainter, device = self._inpainter(), self.processes.device
        cubes = self.equalisation.equalise(torch.from_numpy(self.lesson.examples[:, None]).to(device))
        with torch.inference_mode(), _seeded(self.options.seed, 0, 0, device) as rng:
            journal.note({"validation/loss": self.learner.eval().validation_loss(cubes, rng=rng).item()}, done)
        path = journal.picture_path(done)
        seeds = list(range(len(self.lesson.examples)))
        montage.show(inpainter, self.lesson.examples, seeds, path, title=f"{self._title} after {done} steps")
        journal.note_picture(path, done)

    def _save(self, descend: Descent, done: int) -> None:
        if self.processes.is_main and done < self.config.steps:
            self.checkpoint.save(self.learner, descend.optimizers, done)

    def _inpainter(self) -> TrainedInpainter[Any]:
        return self.model(self.learner.network(), self.config, self.equalisation, account=self.account)

    @property
    def _title(self) -> str:
        return f"{self.model.name} {self.account.manipulation}, {self.account.preset}, held out, synthetic"

    def _progress(self, first: int) -> tqdm[int]:
        return tqdm(
            range(first, self.config.steps),
            desc=f"training {self.model.name}",
            unit="step",
            initial=first,
            total=self.config.steps,
            mininterval=0.1 if sys.stderr.isatty() else 30.0,
            dynamic_ncols=True,
            disable=not self.processes.is_main,
        )


def batch_indices(step: int, batch: int, count: int, seed: int) -> Int64[np.ndarray, " batch"]:
    """Which of ``count`` cubes a step sees: each once in a shuffled round, then the next round."""
    places = np.arange(step * batch, (step + 1) * batch)
    rounds, inside = np.divmod(places, count)
    orders = {turn: np.random.default_rng([seed, turn]).permutation(count) for turn in np.unique(rounds).tolist()}
    return np.array([orders[turn][place] for turn, place in zip(rounds.tolist(), inside.tolist(), strict=True)])


def finite(losses: Mapping[str, Tensor], step: int) -> dict[str, float]:
    """Losses as numbers.

    Raises:
        GenerationError: If one is NaN or infinite.
    """
    values = {name: loss.item() for name, loss in losses.items()}
    if not np.isfinite(list(values.values())).all():
        raise GenerationError(
            f"training has diverged at step {step}: {', '.join(f'{name} {loss}' for name, loss in values.items())};"
            " try another seed"
        )
    return values


def centres(cubes: TrainingCubes) -> Int16[np.ndarray, "m 32 32 32"]:
    """Training cubes without the room that augmentation needs."""
    margin = (TRAINING_SIDE - SIDE) // 2
    inner = slice(margin, margin + SIDE)
    return cubes[:, inner, inner, inner]


@contextmanager
def _seeded(seed: int, step: int, rank: int, device: torch.device) -> Iterator[torch.Generator]:
    """A generator for one step. Dropout and initialisation know only the global one: it is seeded and put back."""
    entropy = [seed, step, rank] if rank else [seed, step]
    own, shared = np.random.SeedSequence(entropy).generate_state(2, np.uint64).tolist()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(shared)
        yield torch.Generator(device).manual_seed(own)


def _learnable(store: CubeStore, manipulation: str) -> tuple[TrainingCubes, pa.Table]:
    cubes, table = store.training(manipulation)
    if not len(cubes):
        lesions = "nodules over 10 mm" if manipulation == "injection" else "nodules under 8 mm"
        raise GenerationError(
            f"{store.path}: has no training cubes for {manipulation};"
            f" extract scans of patients of the train split that have {lesions}"
        )
    return cubes, table


def _provenance(store: CubeStore, lesson: Lesson, seed: int, steps: int) -> Provenance:
    return Provenance(
        trained_on=store.source,
        cubes=len(lesson.cubes),
        patients=lesson.patients,
        table_sha256=store.table_sha256,
        seed=seed,
        steps=steps,
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    )


def _keep(inpainter: TrainedInpainter[Any], path: Path, store: CubeStore, lesson: Lesson) -> None:
    account = inpainter.account
    assert account is not None  # the run has given it
    weights.save(path, Weights(account, inpainter.equalisation, inpainter.network.state_dict()))
    examples, table = store.sites(account.manipulation)
    seeds = table["seed"].to_pylist()
    if not len(examples):
        examples, seeds = lesson.examples, list(range(len(lesson.examples)))
    title = f"{inpainter.name} {account.manipulation}, {account.preset}, {account.provenance.steps} steps, synthetic"
    montage.show(inpainter, examples, seeds, path.with_suffix(".png"), title=title)
