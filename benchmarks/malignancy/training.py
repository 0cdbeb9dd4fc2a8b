"""Training the classifier on the pristine scans of a release."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader
from tqdm import tqdm

from benchmarks.errors import BenchmarkError
from benchmarks.malignancy.classifier import PRESETS, Config, MalignancyClassifier
from benchmarks.malignancy.draws import Batch, CaseDraws, Nodule, collate, nodules_of
from benchmarks.malignancy.noisy_or import case_loss
from benchmarks.malignancy.ratings import Ratings
from benchmarks.malignancy.sites import Site
from benchmarks.malignancy.weights import FILE, Account, Provenance
from m3dsynth_dataset import Release
from m3dsynth_dataset.interruption import between_steps
from m3dsynth_dataset.staging import staged

CHECKPOINT = "checkpoint.pt"
SAVE_SECONDS = 300
DROPS = (50 / 160, 100 / 160, 140 / 160)
"""Shares of the training after which the learning rate falls to a tenth, as published."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a training goes about its work."""

    preset: str = "paper"
    ratings: Ratings = field(default_factory=Ratings)
    seed: int = 0
    steps: int | None = None
    """Instead of the preset's."""
    workers: int = 2
    """Processes that read; what they read does not depend on how many they are."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise BenchmarkError(f"--workers must be 0 or more, got {self.workers}")

    def config(self) -> Config:
        """Sizes and schedule.

        Raises:
            BenchmarkError: If there is no such preset.
        """
        if self.preset not in PRESETS:
            raise BenchmarkError(f"there is no preset {self.preset!r}; there are {', '.join(PRESETS)}")
        config = PRESETS[self.preset]
        return config if self.steps is None else replace(config, steps=self.steps)


def train(release: Release, sites: Sequence[Site], out: Path, options: Options) -> MalignancyClassifier:
    """Train a classifier, or read the one that the same training has left.

    Stopped at any moment, the same call goes on from the last checkpoint.

    Args:
        release: Whose pristine scans are looked at.
        sites: To learn from. Nobody else's nodules than these patients' may be judged by it.
        out: Folder of its weights.
        options: Preset, ratings, seed and the like.

    Returns:
        It, ready to judge.

    Raises:
        BenchmarkError: If the sites' nodules are all of one kind, or have no ratings; or if ``out`` is a file.
        KeyboardInterrupt: If it was asked to stop; a checkpoint is kept.
    """
    if out.exists() and not out.is_dir():
        raise BenchmarkError(f"{out}: is no folder; name another with --out")
    nodules = nodules_of(sites, options.ratings)
    account = _account(release, sites, nodules, options)
    if (out / FILE).is_file() and (kept := MalignancyClassifier.from_file(out / FILE)).account == account:
        return kept.to(options.device)
    return Training(release, nodules, account, out, options)()


class Training:
    """One training from its first or last step to its end."""

    def __init__(
        self, release: Release, nodules: dict[str, list[Nodule]], account: Account, out: Path, options: Options
    ) -> None:
        self._config = options.config()
        self._account, self._out, self._options = account, out, options
        torch.manual_seed(options.seed)
        self._classifier = MalignancyClassifier(self._config, account).to(options.device).train()
        self._optimizer = _optimizer(self._classifier, self._config)
        self._draws = CaseDraws(release, nodules, self._config, options.seed)

    def __call__(self) -> MalignancyClassifier:
        """The loop."""
        first, saved = self._resumed(), time.monotonic()
        steps = tqdm(range(first, self._config.steps), desc="malignancy", unit="step", disable=None)
        batches = self._batches(first)
        with between_steps() as stopping:
            for step in steps:
                steps.set_postfix(loss=f"{self._step(next(batches), step):.3f}", refresh=False)
                if stopping() or time.monotonic() - saved > SAVE_SECONDS:
                    self._save(step + 1)
                    saved = time.monotonic()
                if stopping():
                    raise KeyboardInterrupt
        self._classifier.eval().save_pretrained(self._out)
        (self._out / CHECKPOINT).unlink(missing_ok=True)
        return self._classifier

    def _step(self, batch: Batch, step: int) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = rate(self._config, step)
        # Every step has its own dropout, whether the training was stopped before it or not.
        torch.manual_seed(self._options.seed * 1_000_003 + step)
        device = self._options.device
        hu, locations, malignant, cases = (batch[name].to(device) for name in ("hu", "locations", "malignant", "cases"))
        logits = self._classifier(hu, locations)
        count = self._config.cases
        of_cases = torch.zeros(count, device=device).scatter_reduce(0, cases, malignant, "amax")
        loss = nodule_loss(logits, malignant) + case_loss(self._classifier.log_benign(logits, cases, count), of_cases)
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        self._optimizer.step()
        return loss.item()

    def _batches(self, first: int) -> Iterator[Batch]:
        size = self._config.cases
        loader = DataLoader(
            self._draws,
            batch_size=size,
            sampler=range(first * size, self._config.steps * size),
            num_workers=self._options.workers,
            collate_fn=collate,
            worker_init_fn=_deaf,
        )
        return iter(loader)

    def _save(self, step: int) -> None:
        state = {
            "account": repr(self._account),
            "step": step,
            "classifier": self._classifier.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        with staged(self._out / CHECKPOINT) as place:
            torch.save(state, place)

    def _resumed(self) -> int:
        """The step to begin with; a checkpoint of another training is given up."""
        path = self._out / CHECKPOINT
        if not path.is_file():
            return 0
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["account"] != repr(self._account):
            return 0
        self._classifier.load_state_dict(state["classifier"])
        self._optimizer.load_state_dict(state["optimizer"])
        return int(state["step"])


def _deaf(worker: int) -> None:
    """A reader leaves stopping to the process that trains, which ends it after the step."""
    del worker
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def rate(config: Config, step: int) -> float:
    """The learning rate of a step."""
    done = step / config.steps
    if config.optimizer == "adamw":
        return config.lr * (1 + math.cos(math.pi * done)) / 2
    return config.lr * 0.1 ** sum(done >= drop for drop in DROPS)


def _optimizer(classifier: MalignancyClassifier, config: Config) -> torch.optim.Optimizer:
    if config.optimizer == "adamw":
        return torch.optim.AdamW(classifier.parameters(), config.lr)
    return torch.optim.SGD(classifier.parameters(), config.lr, momentum=0.9, weight_decay=1e-4)


def nodule_loss(logits: Float[Tensor, " nodules"], malignant: Float[Tensor, " nodules"]) -> Float[Tensor, ""]:
    """Binary cross-entropy in which both kinds weigh the same, however many of each are in the batch.

    Args:
        logits: Of malignancy.
        malignant: 1 or 0.
    """
    each = functional.binary_cross_entropy_with_logits(logits, malignant, reduction="none")
    kinds = [each[malignant == kind] for kind in (0.0, 1.0)]
    return torch.stack([losses.mean() for losses in kinds if len(losses)]).mean()


def _account(release: Release, sites: Sequence[Site], nodules: dict[str, list[Nodule]], options: Options) -> Account:
    kinds = [nodule.is_malignant for of_scan in nodules.values() for nodule in of_scan]
    config = {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(options.config()).items()
    }
    provenance = Provenance(
        release_digest=release.manifest.digest,
        source=str(release.manifest.built.get("source", "")),
        patients=tuple(sorted({site.patient_id for site in sites if site.scan_id in nodules})),
        malignant=sum(kinds),
        benign=len(kinds) - sum(kinds),
        ratings=options.ratings,
        seed=options.seed,
    )
    return Account(options.preset, config, provenance)
