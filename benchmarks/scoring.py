"""Scoring a full test's submission, against the plain way: whole maps and masks, volume after volume."""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measurement import Measurement, in_turn
from benchmarks.simulated_release import FULL_SCANS, simulate
from m3dsynth_dataset import Release, open_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.schema import PRISTINE, Split
from m3dsynth_dataset.scoring import Truth, result, score, truths
from m3dsynth_dataset.scoring.judgement import judgement
from m3dsynth_dataset.submission import PREDICTIONS, Heatmap, Prediction, as_table, read_submission, write_submission
from m3dsynth_dataset.submission.prediction import SCHEMA
from m3dsynth_dataset.submission.validation import expected_of, validate

VOLUMES = 2_823
"""Of the published test."""
FULL_SHAPE = (133, 512, 512)
"""Voxels of a scan of LIDC-IDRI, as many slices as half of them have at most; the plain way needs no others."""
PLAIN = 8
"""Volumes that the plain way is timed on."""
MARGIN = 6
"""Voxels by which a simulated map reaches beyond its edit, on every side."""
SPECKS = 300
"""Of false alarms in a map over all of a scan."""
MOST_MB = 1_000

Task = tuple[Truth, dict[str, Any]]
"""What is true of a sample, and its row of a submission."""


def measure_scoring(base: Release, folder: Path) -> Iterator[Measurement]:
    """The rows on a simulated submission of so many volumes, with maps.

    Args:
        base: Release with an edit.
        folder: For a release and a submission; on the base's file system they take little room.
    """
    split = _split(base)
    release = _release(folder / "release", base, split)
    submission = folder / "submission"
    _write(submission, release, split)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:  # of its own, so that its memory is its own, too
        seconds, megabytes = pool.submit(_score, release.path, submission, split).result()
    name = f"scoring {VOLUMES:,} volumes"
    against = "numpy on whole maps and masks, " + " x ".join(map(str, FULL_SHAPE))
    tasks = _tasks(release, submission, split)
    plain = VOLUMES * _in_turn(tasks, name)[1] / 1000
    yield Measurement(name, seconds, plain, "s", plain / seconds, 20, against)
    if megabytes is not None:
        yield Measurement(f"memory of {name}", megabytes, MOST_MB, "MB", megabytes / MOST_MB, 1.0, "1 GB")
    ours, theirs = _in_turn([_wide(task) for task in tasks], "a map over all of a scan")
    yield Measurement("scoring a map over all of a scan", ours, theirs, "ms", theirs / ours, None, against)


def _split(base: Release) -> str:
    """The split to score: test, if there are both kinds of samples in it."""
    for split in (Split.TEST, Split.TRAIN, Split.VALIDATION):
        if {"pristine", "tampered"} <= {truth.label for truth in truths(base, split)}:
            return split
    raise ValueError(f"{base.name} has no split with pristine and tampered samples")


def _release(out: Path, base: Release, split: str) -> Release:
    """A release whose split has as many samples as the published test: pristine ones and edits, dealt out in turn."""
    edits = [(each, truth.scan_id) for each, truth in _edits(base)]
    scans = len({scan_id for _, scan_id in edits})
    of_split = len({scan_id for each, scan_id in edits if each == split})
    copies = FULL_SCANS // scans
    places = [number for number, (each, _) in enumerate(edits) if each == split]
    rounds, rest = divmod(VOLUMES - copies * of_split, len(places))
    return simulate(out, base, copies * scans, rounds * len(edits) + (places[rest - 1] + 1 if rest else 0))


def _edits(base: Release) -> Iterator[tuple[str, Truth]]:
    """With their splits, in the order in which releases list them."""
    by_id = {truth.sample_id: truth for split in Split for truth in truths(base, split)}
    for config, splits in base.splits.items():
        for split in splits if config != PRISTINE else ():
            yield from (
                (split, by_id[name]) for name in base.rows(config, split, ["sample_id"])["sample_id"].to_pylist()
            )


def _write(out: Path, release: Release, split: str) -> None:
    """A submission of somebody whose maps are a little too large, with alarms on some pristine scans."""
    rng = np.random.default_rng(0)
    batches, found = [], truths(release, split)
    while batch := [_prediction(truth, rng) for truth in islice(found, 256)]:
        batches.append(as_table(batch))
    about = {"detector": "simulated", "release_digest": release.manifest.digest, "split": split}
    write_submission(out, pa.concat_tables(batches, promote_options="none").cast(SCHEMA), about)


def _prediction(truth: Truth, rng: np.random.Generator) -> Prediction:
    if truth.box is None and rng.random() < 0.5:
        return Prediction(truth.sample_id, float(rng.random()))
    place = truth.box or Box((truth.shape[0] // 3,) * 3, (8, 40, 40))
    wider = Box.between([first - MARGIN for first in place.start], [stop + MARGIN for stop in place.stop])
    box = wider.intersection(Box((0, 0, 0), truth.shape))
    values = rng.integers(64, 256, box.shape, dtype=np.uint8)
    return Prediction(truth.sample_id, float(rng.random()), Heatmap(box, values))


def _score(release: Path, submission: Path, split: str) -> tuple[float, float | None]:
    """Seconds that `m3dsynth score` takes, validation and intervals included, and the most memory in megabytes."""
    begun = time.perf_counter()
    opened = open_release(release)
    if findings := list(validate(submission, expected_of(opened, split))):
        raise ValueError(f"the simulated submission is not valid: {findings[0]}")
    scored = score(read_submission(submission), opened, split)
    result(scored.subject, scored.card)
    return time.perf_counter() - begun, _most_memory()


def _most_memory() -> float | None:
    """Of this process since it began; None where the system does not tell."""
    status = Path("/proc/self/status")
    if os.name != "posix" or not status.is_file():
        return None
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1000


def _in_turn(tasks: Sequence[Task], name: str) -> tuple[float, float]:
    """Milliseconds that a volume takes here and in the plain way, its map unpacked in both."""
    ours, theirs = in_turn([_here, _plainly], tasks, name)
    return ours, theirs


def _here(task: Task) -> list[int]:
    truth, row = task
    found = judgement(truth, Prediction(truth.sample_id, 0.0, Heatmap.from_row(row))).overlap
    return [found.hits, found.false_alarms, found.misses]


def _plainly(task: Task) -> list[int]:
    truth, row = task
    heatmap = Heatmap.from_row(row)
    values, mask = np.zeros(truth.shape, np.uint8), np.zeros(truth.shape, bool)
    if heatmap is not None:
        values[heatmap.box.slices()] = heatmap.values
    if truth.box is not None and truth.label == "tampered":
        mask[truth.box.slices()] = truth.mask()
    said = values > 127  # half of 255
    return [int((said & mask).sum()), int((said & ~mask).sum()), int((~said & mask).sum())]


def _tasks(release: Release, submission: Path, split: str) -> list[Task]:
    """Some rows of a submission, of all kinds, as of scans of full size."""
    known = {truth.sample_id: truth for truth in truths(release, split)}
    table = pq.read_table(submission / PREDICTIONS)
    rows = table.take(np.linspace(0, table.num_rows - 1, PLAIN).astype(np.int64)).to_pylist()
    return [(_at_full_size(known[row["sample_id"]]), row) for row in rows]


def _wide(task: Task) -> Task:
    """The same with a map that has something everywhere, as those of detectors with scattered false alarms do."""
    truth, row = task
    rng, heatmap = np.random.default_rng(0), Heatmap.from_row(row)
    values = np.zeros(truth.shape, np.uint8)
    for z, y, x in zip(*(rng.integers(0, length, SPECKS) for length in truth.shape), strict=True):
        values[z : z + 2, y : y + 8, x : x + 8] = rng.integers(64, 256)
    if heatmap is not None:
        values[heatmap.box.slices()] = heatmap.values
    return truth, Heatmap(Box((0, 0, 0), truth.shape), values).columns()


def _at_full_size(truth: Truth) -> Truth:
    depth, height, width = map(max, FULL_SHAPE, truth.shape)
    return replace(truth, shape=(depth, height, width))
