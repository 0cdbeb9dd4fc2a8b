"""What grows with a release: opening it, listing it, and reading from any of its volumes."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import zarr

from benchmarks.measurement import Measurement, in_turn
from benchmarks.simulated_release import FULL_EDITS, simulate
from m3dsynth_dataset import Release, Sample, open_release
from m3dsynth_dataset.schema import PRISTINE

FEW, MANY = 10, 1_000
CROP = (96, 96, 96)
READS = 100


def measure_growth(base: Release, folder: Path, repeats: int) -> Iterator[Measurement]:
    """The rows on releases of other sizes, made of a small one.

    Args:
        base: Release with an edit.
        folder: For the releases; on the base's file system they take little room.
        repeats: Measurements of opening; the fastest counts.
    """
    releases = [simulate(folder / str(scans), base, scans, 2 * scans) for scans in (FEW, MANY)]
    yield _crops(releases)
    yield from _opening(simulate(folder / "full", base), repeats)


def _crops(releases: list[Release]) -> Measurement:
    """A crop at a random place of a random sample that has been opened, as in training."""
    samples = [[release.sample(name) for name in _ids(release)] for release in releases]
    for each in (sample for group in samples for sample in group):
        each.ct.crop((0, 0, 0), (1, 1, 1))
    draws = list(np.random.default_rng(0).random((READS, 4)))
    few, many = in_turn([lambda draw: _size(samples[0], draw), lambda draw: _size(samples[1], draw)], draws, "growth")
    name = f"crop at {MANY:,} volumes"
    return Measurement(name, many, few, "ms", many / few, 1.2, f"at {FEW} volumes")


def _size(samples: list[Sample], draw: np.ndarray) -> int:
    """Read a crop. What it holds depends on how many samples there are, so only its size can be compared."""
    sample = samples[int(draw[0] * len(samples))]
    z, y, x = (int(fraction * max(0, whole - length)) for fraction, whole, length in
               zip(draw[1:], sample.ct.shape, CROP, strict=True))  # fmt: skip
    return sample.ct.crop((z, y, x), CROP).size


def _ids(release: Release) -> list[str]:
    """One sample of each scan."""
    found: dict[str, str] = {}
    for config, splits in release.splits.items():
        for split in splits if config != PRISTINE else ():
            rows = release.rows(config, split, ["sample_id", "scan_id"]).to_pylist()
            found |= {row["scan_id"]: row["sample_id"] for row in rows}
    return list(found.values())


def _opening(release: Release, repeats: int) -> Iterator[Measurement]:
    """Seconds to open and list a full release, held against one second."""
    name = f"{FULL_EDITS:,} edits"
    seconds = min(_open(release.path) for _ in range(repeats))
    yield Measurement(f"open and list {name}", seconds, 1.0, "s", seconds, 1.0, "one second")
    seconds = min(_open_store(release.path) for _ in range(repeats))
    yield Measurement(f"the same through zarr, {name}", seconds, 1.0, "s", seconds, 1.0, "one second")


def _open(path: Path) -> float:
    begun = time.perf_counter()
    release = open_release(path)
    ids = [row for config, splits in release.splits.items() for split in splits
           for row in release.rows(config, split, ["sample_id"])["sample_id"].to_pylist()]  # fmt: skip
    assert len(ids) > FULL_EDITS
    return time.perf_counter() - begun


def _open_store(path: Path) -> float:
    begun = time.perf_counter()
    root = zarr.open_group(open_release(path).store(), mode="r")
    ids = [f"{group.name}/{name}" for _, group in root.groups() for name in group.group_keys()]
    assert len(ids) > FULL_EDITS
    return time.perf_counter() - begun
