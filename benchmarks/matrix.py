"""The cross-generator matrix: train on each generator, test on all of them, and on the control."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import runtime_checkable

import torch

from benchmarks.errors import BenchmarkError
from benchmarks.network_detector import NetworkDetector
from benchmarks.run_folder import CONFIG, read_account
from benchmarks.training import Options, train
from benchmarks.whole_scans import WholeScans
from m3dsynth_dataset import Release
from m3dsynth_dataset.schema import CONTROL, MANIPULATIONS, PRISTINE, SEALED, config_name
from m3dsynth_dataset.scoring import Figures, Judgement, Scorecard, scorecard

MEASURES = {"f1": "F1", "iou": "IoU", "accuracy": "balanced accuracy", "pd": "Pd@1%", "auc": "AUC"}


@runtime_checkable
class Protocol(typing.Protocol):
    """What is judged."""

    @property
    def name(self) -> str:
        """For tables."""

    def judged(
        self, release: Release, detector: NetworkDetector, run: Path, split: str, generators: frozenset[str]
    ) -> list[Judgement]:
        """Judge a split, or read what has been judged.

        Args:
            release: Which.
            detector: That of the run.
            run: Folder to keep verdicts in.
            split: train, validation or test.
            generators: Whose samples are judged beside what is pristine.
        """


@dataclass(frozen=True)
class Row:
    """A detector that was trained on one generator."""

    detector: str
    train_on: str
    card: Scorecard
    localises: bool
    """Whether it says where; F1 and IoU mean nothing of one that does not."""

    def figures(self, test_on: str) -> Figures | None:
        """On the samples of a generator."""
        return next((figures for figures in self.card.groups if figures.group == test_on), None)


@dataclass(frozen=True)
class Matrix:
    """Rows are training sets, columns are test sets. One checkpoint a row, chosen on validation alone."""

    release_digest: str
    preset: str
    rows: tuple[Row, ...]
    protocol: str

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
    protocol: Protocol | None = None,
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
        protocol: What is judged; whole scans when omitted.

    Raises:
        BenchmarkError: If the release has no such rows, or does not tell what is true of them.
    """
    if SEALED in release.configs:
        raise BenchmarkError(f"{release.path}: its test is sealed, and a matrix needs its labels; use the open release")
    wanted = tuple(generators or generators_of(release))
    asked = protocol or WholeScans()
    rows = [
        _row(release, word, generator, wanted, out, preset, options, device, asked)
        for word in detectors
        for generator in wanted
    ]
    return Matrix(release.manifest.digest, preset, tuple(rows), asked.name)


def generators_of(release: Release) -> list[str]:
    """The generators of a release, but for the control."""
    names = dict.fromkeys(config.rpartition("-")[0] for config in release.configs if config not in (PRISTINE, SEALED))
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
    protocol: Protocol,
) -> Row:
    run = out / word.replace(":", ".") / generator
    if not (run / CONFIG).is_file():
        train(word, release, learnable(release, generator), run, preset=preset, options=options)
    account = read_account(run)
    if account.release_digest != release.manifest.digest:
        raise BenchmarkError(
            f"{run} was trained on another release ({account.release_digest[:16]}); name another --out"
        )
    detector = NetworkDetector.of_run(run, device)
    test = protocol.judged(release, detector, run, "test", frozenset({*tested, CONTROL}))
    validation = protocol.judged(release, detector, run, "validation", frozenset())
    card = scorecard(test, calibration=validation, by=lambda judgement: judgement.generator)
    return Row(word, generator, card, detector.localises)


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
