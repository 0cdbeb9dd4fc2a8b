"""Measurements: two ways to do the same work, in turn in one run, as a ratio."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
from tqdm import tqdm

from m3dsynth_dataset.staging import staged

Task = TypeVar("Task")


@dataclass(frozen=True)
class Measurement:
    """One line of ``build/perf.json``."""

    name: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    target: float | None
    """Of the ratio: at least this, or for one that says how much longer something takes, at most. None: for
    comparison only."""
    against: str


def write_measurements(path: Path, measurements: Sequence[Measurement]) -> None:
    """Write them as JSON."""
    with staged(path) as place:
        place.write_text(json.dumps([asdict(each) for each in measurements], indent=1) + "\n", encoding="utf-8")


def table(measurements: Iterable[Measurement]) -> str:
    """The measurements as lines of text."""
    return "\n".join(
        f"{each.name:<30} {each.ours:10.3f} {each.unit:<7} against {each.theirs:12.3f} {each.unit:<7}"
        f" ({each.against}): ratio {each.ratio:8.2f}" + ("" if each.target is None else f", target {each.target:g}")
        for each in measurements
    )


def in_turn(ways: Sequence[Callable[[Task], Any]], tasks: Sequence[Task], name: str) -> list[float]:
    """Median milliseconds of ways to read the same, in turn so that the machine's mood strikes all alike.

    Args:
        ways: Each takes a task and returns voxels.
        tasks: One measurement of each way for each.
        name: For the progress bar and errors.

    Raises:
        ValueError: If two ways read different voxels.
    """
    times: list[list[float]] = [[] for _ in ways]
    for task in tqdm(tasks, desc=name, leave=False, disable=None):
        results = []
        for way, spent in zip(ways, times, strict=True):
            begun = time.perf_counter()
            results.append(way(task))
            spent.append(1000 * (time.perf_counter() - begun))
        if not all(np.array_equal(results[0], result) for result in results[1:]):
            raise ValueError(f"{name}: two ways read different voxels at {task}")
    return [median(spent) for spent in times]
