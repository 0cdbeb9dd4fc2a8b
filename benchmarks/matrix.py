"""The cross-generator matrix: train on each generator, test on all of them, and on the control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import torch

from benchmarks.errors import BenchmarkError
from benchmarks.network_detector import NetworkDetector
from benchmarks.prediction import Predicting
from benchmarks.run_folder import CONFIG, WEIGHTS, read_account
from benchmarks.training import Options, train
from m3dsynth_dataset import Release
from m3dsynth_dataset.manifest import record_file
from m3dsynth_dataset.schema import CONTROL, MANIPULATIONS, PRISTINE, config_name
from m3dsynth_dataset.scoring import Figures, Judgement, Scorecard, Truth, judge, scorecard, truths
from m3dsynth_dataset.submission import PREDICTIONS, from_table

MEASURES = {"f1": "F1", "iou": "IoU", "accuracy": "balanced accuracy", "pd": "Pd@1%", "auc": "AUC"}


@dataclass(frozen=True)
class Row:
    """A detector that was trained on one generator."""

    detector: str
    train_on: str
    card: Scorecard

    def figures(self, test_on: str) -> Figures | None:
        """On the samples of a generator."""
        return next((figures for figures in self.card.groups if figures.group == test_on), None)


@dataclass(frozen=True)
class Matrix:
    """Rows are training sets, columns are test sets. One checkpoint a row, chosen on validation alone."""

    release_digest: str
    preset: str
    rows: tuple[Row, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The generators that are tested on."""
        return tuple(dict.fromkeys(figures.group for row in self.rows for figures in row.card.groups[1:]))


def matrix(
    release: Release,
    detectors: Sequence[str],
    out: Path,
    *,
    preset: str,
    options: Options,
    device: torch.device,
    generators: Sequence[str] | None = None,
) -> Matrix:
    """Train and test. What is finished of it is not done again.

    Args:
        release: With train, validation and test.
        detectors: Names, or ``package.module:Class``.
        out: Folder for the runs and what they predicted.
        preset: Of all detectors.
        options: Of every training.
        device: Where whole scans are judged.
        generators: To train on, and to test on; all of the release but the control when omitted.

    Raises:
        BenchmarkError: If the release has no such rows.
    """
    wanted = tuple(generators or generators_of(release))
    rows = [
        Row(word, generator, _row(release, word, generator, wanted, out, preset, options, device))
        for word in detectors
        for generator in wanted
    ]
    return Matrix(release.manifest.digest, preset, tuple(rows))


def generators_of(release: Release) -> list[str]:
    """The generators of a release, but for the control."""
    names = dict.fromkeys(config.rpartition("-")[0] for config in release.configs if config != PRISTINE)
    return [name for name in names if name != CONTROL]


def _row(
    release: Release,
    word: str,
    generator: str,
    tested: Sequence[str],
    out: Path,
    preset: str,
    options: Options,
    device: torch.device,
) -> Scorecard:
    run = out / word.replace(":", ".") / generator
    if not (run / CONFIG).is_file():
        train(word, release, learnable(release, generator), run, preset=preset, options=options)
    account = read_account(run)
    if account.release_digest != release.manifest.digest:
        raise BenchmarkError(
            f"{run} was trained on another release ({account.release_digest[:16]}); name another --out"
        )
    detector = NetworkDetector.of_run(run, device)
    test = _judged(release, detector, run, "test", {*tested, CONTROL})
    validation = _judged(release, detector, run, "validation", set())
    return scorecard(test, calibration=validation, by=lambda judgement: judgement.generator)


def _judged(
    release: Release, detector: NetworkDetector, run: Path, split: str, generators: set[str]
) -> list[Judgement]:
    """The pristine scans of a split, and the samples of some generators."""

    def takes(truth: Truth) -> bool:
        return truth.label == PRISTINE or truth.generator in generators

    out = run / split
    if not (out / PREDICTIONS).is_file():
        key = f"{record_file(run / WEIGHTS).sha256} {sorted(generators)}"
        Predicting(release, split, detector, takes)(out, key=key)
    return judge(filter(takes, truths(release, split)), from_table(pq.read_table(out / PREDICTIONS)))


def learnable(release: Release, word: str) -> list[str]:
    """The configs to learn from that a generator, or a config, stands for: with rows to train on and to select by.

    Raises:
        BenchmarkError: If there are none.
    """
    names = [word, *(config_name(word, manipulation) for manipulation in MANIPULATIONS[1:])]
    found = [name for name in names if {"train", "validation"} <= set(release.splits.get(name, ()))]
    if not found:
        known = ", ".join(generators_of(release))
        raise BenchmarkError(f"{release.path} has no rows of {word!r} in both train and validation; it has {known}")
    return found
