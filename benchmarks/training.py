"""Training: one loop for all detectors."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from benchmarks.course import Course
from benchmarks.detectors.network import Network, Recipe
from benchmarks.detectors.zoo import network
from benchmarks.errors import BenchmarkError
from benchmarks.run_folder import CHECKPOINT, Account, save_network
from benchmarks.slabs import SlabDraws, Slabs, augmented, collate
from benchmarks.validation import Validation
from m3dsynth_dataset import Release
from m3dsynth_dataset.configs import is_control
from m3dsynth_dataset.interruption import between_steps
from m3dsynth_dataset.staging import staged

LOOKS = 5
"""How often a training looks at the validation split."""
SHOW_EVERY = 10
SAVE_SECONDS = 300
"""Between two checkpoints."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a training goes about its work, beside what its recipe says."""

    seed: int = 0
    precision: Literal["fp32", "bf16"] = "fp32"
    workers: int = 2
    """Processes that read; what they read does not depend on how many they are."""
    steps: int | None = None
    """Instead of the preset's."""
    restart: bool = False
    """Give up the checkpoint that lies there, and begin anew."""


@dataclass
class Best:
    """The weights of the best look so far."""

    figures: dict[str, float]
    weights: dict[str, Tensor]

    @property
    def merit(self) -> float:
        """Mean of what was measured."""
        return float(np.mean(list(self.figures.values()))) if self.figures else -1.0


def train(word: str, release: Release, configs: Sequence[str], out: Path, *, preset: str, options: Options) -> Path:
    """Train a detector; the weights of the step that did best on validation are kept.

    Stopped at any moment, the same call goes on from the last checkpoint. On a CPU it ends with the same weights.

    Args:
        word: Name of a detector, or ``package.module:Class``.
        release: To learn from: its train and validation splits.
        configs: Of the release.
        out: Folder of the run.
        preset: Of the detector.
        options: Seed, precision and the like.

    Returns:
        The folder.

    Raises:
        BenchmarkError: If there is no such detector, preset or config, or the checkpoint is of another training.
        KeyboardInterrupt: If it was asked to stop; a checkpoint is kept.
    """
    kind = network(word)
    if preset not in kind.presets:
        raise BenchmarkError(f"{word} has no preset {preset!r}; it has {', '.join(kind.presets)}")
    _check_configs(release, configs)
    recipe = kind.presets[preset]
    recipe = recipe if options.steps is None else replace(recipe, steps=options.steps)
    account = Account(word, preset, asdict(recipe), tuple(configs), release.manifest.digest, options.seed)
    Training(kind, recipe, release, account, out, options)()
    return out


class Training:
    """One training from its first or last step to its end."""

    def __init__(
        self,
        kind: type[Network[Any]],
        recipe: Recipe,
        release: Release,
        account: Account,
        out: Path,
        options: Options,
    ) -> None:
        self.recipe, self.account, self.out, self.options = recipe, account, out, options
        self.release = release
        self.accelerator = Accelerator(
            mixed_precision="bf16" if options.precision == "bf16" else "no",
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
        torch.manual_seed(options.seed)
        self.network = kind(recipe).train()
        self.optimizer = self.network.optimizer()
        shape = (kind.depth, recipe.crop, recipe.crop)
        controls = _controls(release) if kind.learns_from_control else []
        self.draws = SlabDraws(release, account.train_on, "train", shape, options.seed, controls)
        self.validation = Validation.of(release, account.train_on, shape, options.seed)
        self.best = Best({}, {})
        self.waited = 0.0
        """Seconds in which the network had nothing to do but wait for slabs."""

    def __call__(self) -> None:
        """The loop."""
        first = self._resumed()
        if not first:
            self.network.prepare(self.release, seed=self.options.seed)
        model, optimizer = self.accelerator.prepare(self.network, self.optimizer)
        course = Course(self.out, first) if self.accelerator.is_main_process else None
        saved = begun = time.monotonic()
        with between_steps() as stopping, self._progress(first) as bar:
            batches = self._batches(first)
            for step in bar:
                loss = self._step(model, optimizer, next(batches), step)
                done = step + 1
                if step % SHOW_EVERY == 0 or done == self.recipe.steps:
                    self._show(float(loss), step, time.monotonic() - begun, bar, course)
                if done % max(1, self.recipe.steps // LOOKS) == 0 or done == self.recipe.steps:
                    self._look(step, course)
                if stopping() or time.monotonic() - saved > SAVE_SECONDS:
                    self._save(done)
                    saved = time.monotonic()
                if stopping():
                    if course is not None:
                        course.close()
                    raise KeyboardInterrupt
        if course is not None:
            course.close()
            self._keep()
        self.accelerator.wait_for_everyone()

    def _step(self, model: torch.nn.Module, optimizer: Any, slabs: Slabs, step: int) -> Tensor:  # noqa: ANN401
        # A step draws from a seed of its own, so it needs nothing of those before it but what they have learned.
        seed = int(np.random.SeedSequence([self.options.seed, step]).generate_state(1)[0])
        torch.manual_seed(seed)
        source = torch.Generator().manual_seed(seed)
        slabs = self.network.practise(augmented(slabs, source), source)
        progress = step / self.recipe.steps
        self.network.at(progress)
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * self.network.learning_rate(progress)
        device = self.accelerator.device
        with self.accelerator.autocast():
            answer = model(slabs["ct"].to(device, non_blocking=True).float())
            loss: Tensor = self.network.loss(answer, slabs["mask"].to(device, non_blocking=True))
        if not torch.isfinite(loss):
            raise BenchmarkError(f"{self.account.detector}: the loss of step {step} is {float(loss)}; lower --lr")
        optimizer.zero_grad()
        self.accelerator.backward(loss)
        optimizer.step()
        return loss.detach()

    def _batches(self, first: int) -> Iterator[Slabs]:
        """One for each step, of this process's share of the numbers."""
        batch, count, rank = self.recipe.batch, self.accelerator.num_processes, self.accelerator.process_index
        numbers = [
            (step * count + rank) * batch + item for step in range(first, self.recipe.steps) for item in range(batch)
        ]
        loader = DataLoader(
            self.draws,
            batch_size=batch,
            sampler=numbers,
            collate_fn=collate,
            num_workers=self.options.workers,
            worker_init_fn=_deaf,
            pin_memory=self.accelerator.device.type == "cuda",
        )
        batches = iter(loader)
        while True:
            begun = time.monotonic()
            try:
                slabs = next(batches)
            except StopIteration:
                return
            self.waited += time.monotonic() - begun
            yield slabs

    def _look(self, step: int, course: Course | None) -> None:
        """Judge the validation slabs, and keep these weights if they do best."""
        if course is None:
            return
        figures = self.validation(self.network, self.accelerator.device, self.recipe.batch)
        course.note(figures, step)
        course.save()
        found = Best(figures, {name: value.detach().cpu().clone() for name, value in self.network.state_dict().items()})
        if found.merit >= self.best.merit and self.network.is_ready((step + 1) / self.recipe.steps):
            self.best = found

    def _show(self, loss: float, step: int, seconds: float, bar: tqdm[int], course: Course | None) -> None:
        waiting = self.waited / seconds if seconds else 0.0
        figures = {name: f"{value:.2f}" for name, value in self.best.figures.items()}
        bar.set_postfix({"loss": f"{loss:.3f}", "waiting": f"{waiting:.0%}", **figures})
        if course is not None:
            course.note({"loss": loss, "waiting for slabs": waiting}, step)

    def _progress(self, first: int) -> tqdm[int]:
        return tqdm(
            range(first, self.recipe.steps),
            initial=first,
            total=self.recipe.steps,
            desc=f"{self.account.detector} on {', '.join(self.account.train_on)}",
            unit="step",
            disable=None if self.accelerator.is_main_process else True,
        )

    def _keep(self) -> None:
        self.network.load_state_dict(self.best.weights)
        save_network(self.out, self.network, replace(self.account, selection=self.best.figures))
        (self.out / CHECKPOINT).unlink(missing_ok=True)

    def _save(self, step: int) -> None:
        if not self.accelerator.is_main_process:
            return
        state = {
            "account": asdict(self.account) | {"train_on": list(self.account.train_on)},
            "step": step,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": (self.best.figures, self.best.weights),
        }
        with staged(self.out / CHECKPOINT) as place:
            torch.save(state, place)

    def _resumed(self) -> int:
        """The step to begin with: after that of the checkpoint, if there is one."""
        path = self.out / CHECKPOINT
        if self.options.restart or not path.is_file():
            return 0
        state = torch.load(path, map_location="cpu", weights_only=True)
        wanted = asdict(self.account) | {"train_on": list(self.account.train_on)}
        if different := [name for name in wanted if state["account"].get(name) != wanted[name]]:
            raise BenchmarkError(
                f"{path} is of another training (in its {', '.join(different)}); name another --out, or --restart"
            )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best = Best(*state["best"])
        return int(state["step"])


def _deaf(worker: int) -> None:
    """A reader leaves stopping to the process that trains, which ends it after the step."""
    del worker
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _controls(release: Release) -> list[str]:
    return [name for name, splits in release.splits.items() if is_control(name) and "train" in splits]


def _check_configs(release: Release, configs: Sequence[str]) -> None:
    for config in configs:
        missing = {"train", "validation"} - set(release.splits.get(config, ()))
        if missing:
            known = ", ".join(name for name, splits in release.splits.items() if {"train", "validation"} <= set(splits))
            raise BenchmarkError(
                f"{release.path} has no rows of {config!r} in {' and '.join(sorted(missing))}; to train on: {known}"
            )
