"""Judging whole scans: the primary protocol of submissions, here for the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.errors import BenchmarkError
from benchmarks.network_detector import NetworkDetector
from benchmarks.prediction import Predicting
from benchmarks.run_folder import WEIGHTS
from m3dsynth_dataset import Release
from m3dsynth_dataset.manifest import record_file
from m3dsynth_dataset.schema import PRISTINE
from m3dsynth_dataset.scoring import Judgement, Truth, judge, truths
from m3dsynth_dataset.submission import PREDICTIONS, from_table


@dataclass(frozen=True)
class WholeScans:
    """A protocol of :func:`benchmarks.matrix.matrix`: each sample is a scan, whose score is that of its worst slice."""

    name: str = "whole scans"

    def judged(
        self, release: Release, detector: NetworkDetector, run: Path, split: str, generators: frozenset[str]
    ) -> list[Judgement]:
        """See ``matrix.Protocol``. The submission is kept in the folder of the run."""
        if not detector.searches:
            raise BenchmarkError(f"{detector.name} judges a place that is known, not whole scans: use benchmarks probe")

        def takes(truth: Truth) -> bool:
            return truth.label == PRISTINE or truth.generator in generators

        out = run / split
        if not (out / PREDICTIONS).is_file():
            key = f"{record_file(run / WEIGHTS).sha256} {sorted(generators)}"
            Predicting(release, split, detector, takes)(out, key=key)
        return judge(filter(takes, truths(release, split)), from_table(pq.read_table(out / PREDICTIONS)))
