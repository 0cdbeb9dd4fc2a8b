"""Reading speed and size, each as a ratio of two ways to do the same work, measured in turn in one run."""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
from tqdm import tqdm

from benchmarks.published_form import read_crop, write_slices
from m3dsynth_dataset import Release, Sample, open_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.lazy import EditedVolume
from m3dsynth_dataset.schema import PRISTINE
from m3dsynth_dataset.staging import staged
from m3dsynth_dataset.types import Triple
from m3dsynth_dataset.volume import open_voxels, write_volume

CROP = (96, 96, 96)


@dataclass(frozen=True)
class Measurement:
    """One line of ``build/perf.json``."""

    name: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    target: float
    """Of the ratio: at least this, or for an overhead at most."""
    against: str


def measure(path: Path, repeats: int) -> list[Measurement]:
    """Measure a release.

    Args:
        path: The release; its first edit is read.
        repeats: Measurements of each; the median counts.

    Raises:
        ReleaseNotFoundError: If there is no release.
    """
    release = open_release(path)
    sample = _first_edit(release)
    with tempfile.TemporaryDirectory() as folder:
        slices, copy = Path(folder, "slices"), Path(folder, "copy.zarr")
        voxels = sample.ct[...]
        write_slices(slices, voxels)
        write_volume(copy, voxels, {})
        return [
            _size(release, slices),
            _against_slices("random 96-voxel crop", sample, slices, _crop(sample), repeats, 150),
            _against_slices("random axial slice", sample, slices, (1, *sample.ct.shape[1:]), repeats, 4),
            _against_copy(sample, copy, repeats),
        ]


def write_measurements(path: Path, measurements: Sequence[Measurement]) -> None:
    """Write them as JSON."""
    with staged(path) as place:
        place.write_text(json.dumps([asdict(each) for each in measurements], indent=1) + "\n", encoding="utf-8")


def table(measurements: Sequence[Measurement]) -> str:
    """The measurements as lines of text."""
    return "\n".join(
        f"{each.name:<24} {each.ours:10.3f} {each.unit:<3} against {each.theirs:12.3f} {each.unit:<3}"
        f" ({each.against}): ratio {each.ratio:8.2f}, target {each.target:g}"
        for each in measurements
    )


def _size(release: Release, slices: Path) -> Measurement:
    """Bytes that one more tampered scan costs."""
    rows = [
        row
        for config, splits in release.splits.items()
        if config != PRISTINE
        for split in splits
        for row in release.rows(config, split, ["patch", "mask"]).to_pylist()
    ]
    ours = median(len(row["patch"]) + len(row["mask"]) for row in rows) / 1000
    theirs = sum(file.stat().st_size for file in slices.iterdir()) / 1000
    return Measurement("size of an edit", ours, theirs, "kB", theirs / ours, 1000, "published TIFF volume")


def _against_slices(name: str, sample: Sample, slices: Path, shape: Triple, repeats: int, target: float) -> Measurement:
    starts = _starts(sample, shape, repeats)
    ours, theirs = _in_turn(
        [lambda start: _read(sample, start, shape), lambda start: read_crop(slices, start, shape)], starts, name
    )
    return Measurement(name, ours, theirs, "ms", theirs / ours, target, "published TIFF form")


def _against_copy(sample: Sample, copy: Path, repeats: int) -> Measurement:
    """A crop on the edit, against the same crop of a stored copy of the tampered scan."""
    shape = _crop(sample)
    z, y, x = (
        int(np.clip(centre - length // 2, 0, whole - length))
        for centre, length, whole in zip(sample.row["centre_zyx"], shape, sample.ct.shape, strict=True)
    )
    start = (z, y, x)
    stored = EditedVolume(open_voxels(copy), None)
    box = Box(start, shape)
    ours, theirs = _in_turn(
        [lambda _: sample.ct.read(box), lambda _: stored.read(box)], [start] * repeats, "tampered crop"
    )
    return Measurement("overhead of an edit", ours, theirs, "ms", ours / theirs, 1.05, "the same crop, stored")


def _in_turn(
    ways: Sequence[Callable[[Triple], np.ndarray]], starts: Sequence[Triple], name: str
) -> tuple[float, float]:
    """Median milliseconds of two ways that read the same, in turn so that the machine's mood strikes both."""
    times: list[list[float]] = [[], []]
    for start in tqdm(starts, desc=name, leave=False, disable=None):
        results = []
        for way, spent in zip(ways, times, strict=True):
            begun = time.perf_counter()
            results.append(way(start))
            spent.append(1000 * (time.perf_counter() - begun))
        if not np.array_equal(np.maximum(results[0], -1024), np.maximum(results[1], -1024)):
            raise ValueError(f"{name}: the two ways read different voxels at {start}")
    return median(times[0]), median(times[1])


def _read(sample: Sample, start: Triple, shape: Triple) -> np.ndarray:
    box = tuple(slice(first, first + length) for first, length in zip(start, shape, strict=True))
    return np.asarray(sample.ct[box])


def _starts(sample: Sample, shape: Triple, count: int) -> list[Triple]:
    rng = np.random.default_rng(0)
    room = np.subtract(sample.ct.shape, shape) + 1
    return [(int(z), int(y), int(x)) for z, y, x in rng.integers(0, room, (count, 3))]


def _crop(sample: Sample) -> Triple:
    """96 voxels a side, or what a thin scan has of them."""
    z, y, x = (min(want, whole) for want, whole in zip(CROP, sample.ct.shape, strict=True))
    return z, y, x


def _first_edit(release: Release) -> Sample:
    config, split = next(
        (config, splits[0]) for config, splits in release.splits.items() if config != PRISTINE and splits
    )
    return release.sample(release.rows(config, split, ["sample_id"])["sample_id"][0].as_py())
