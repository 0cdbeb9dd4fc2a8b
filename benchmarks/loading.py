"""How many crops a data loader gets from a release in a second, against the most that any form could give it."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from benchmarks.measurement import Measurement
from m3dsynth_dataset import Crop, Release
from m3dsynth_dataset.configs import is_control
from m3dsynth_dataset.crops import Crops
from m3dsynth_dataset.schema import PRISTINE

CROP = (96, 96, 96)
BATCH = 2
BATCHES = 40
WARM = 6
"""Batches before the clock starts: by then the workers are at work."""

Batch = dict[str, Any]


class RawCrops(Dataset[Crop]):
    """The same crops, of scans and masks that lie uncompressed in memory maps.

    Args:
        crops: Which.
        folder: To put the scans into.
    """

    def __init__(self, crops: Crops, folder: Path) -> None:
        items = [crops[index] for index in range(len(crops))]
        self._items = [(item["sample_id"], bool(index % 2), item["start_zyx"]) for index, item in enumerate(items)]
        self._folder = folder
        for sample_id, is_before, _ in self._items:
            path = self._path(sample_id, is_before)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                sample = crops.release.sample(sample_id)
                np.save(path, (sample.pristine if is_before else sample.ct)[...])
                np.save(path.with_suffix(".mask.npy"), sample.mask[...] & (not is_before))

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Crop:
        sample_id, is_before, start = self._items[index]
        path = self._path(sample_id, is_before)
        ct, mask = _cut(path, start, -1000), _cut(path.with_suffix(".mask.npy"), start, 0)
        return {"ct": ct, "mask": mask, "tampered": bool(mask.any()), "start_zyx": start, "sample_id": sample_id}

    def _path(self, sample_id: str, is_before: bool) -> Path:
        return self._folder / sample_id / f"{'before' if is_before else 'after'}.npy"


def measure_loading(release: Release, folder: Path, repeats: int) -> Iterator[Measurement]:
    """Crops per second of a torch loader.

    Args:
        release: With edits.
        folder: For the memory maps.
        repeats: Epochs of each; the median counts.
    """
    crops = _crops(release)
    raw = RawCrops(crops, folder)
    for index in range(len(crops)):
        ours, theirs = crops[index], raw[index]
        if not (np.array_equal(ours["ct"], theirs["ct"]) and np.array_equal(ours["mask"], theirs["mask"])):
            raise ValueError(f"crop {index} differs from the same crop of the memory map")
    for workers in (0, 2):
        rates: tuple[list[float], list[float]] = ([], [])
        for _ in tqdm(range(repeats), desc=f"loader, {workers} workers", leave=False, disable=None):
            for data, found in zip((crops, raw), rates, strict=True):
                found.append(_rate(data, workers))
        mine, limit = map(median, rates)
        name = f"96-voxel crops, {workers} workers"
        yield Measurement(name, mine, limit, "crops/s", mine / limit, 0.6, "raw memory map, same loader")


def _crops(release: Release) -> Crops:
    """Of the config and split with the most edits."""
    counts = {
        (config, split): release.rows(config, split, ["sample_id"]).num_rows
        for config, splits in release.splits.items()
        if config != PRISTINE and not is_control(config)
        for split in splits
    }
    config, split = max(counts, key=lambda key: counts[key])
    return release.crops(config, split, shape=CROP, seed=0)


def _rate(data: Any, workers: int) -> float:  # noqa: ANN401 (a map-style data set, torch's or not)
    """Crops per second, in batches of int16 and bool; the loader's start is not counted."""
    order = np.random.default_rng(0).integers(0, len(data), (WARM + BATCHES) * BATCH).tolist()
    loader = DataLoader(data, batch_size=BATCH, sampler=order, num_workers=workers, collate_fn=_collate)
    batches = iter(loader)
    for _ in range(WARM):
        next(batches)
    begun = time.perf_counter()
    count = sum(len(batch["ct"]) for batch in batches)
    return count / (time.perf_counter() - begun)


def _collate(items: list[Crop]) -> Batch:
    return {name: torch.stack([torch.from_numpy(item[name]) for item in items]) for name in ("ct", "mask")}


def _cut(path: Path, start: np.ndarray, outside: int) -> np.ndarray:
    """A crop of a memory map, which may reach beyond it."""
    voxels = np.load(path, mmap_mode="r")
    crop = np.full(CROP, outside, voxels.dtype)
    low, high = np.maximum(start, 0), np.minimum(start + CROP, voxels.shape)
    here = tuple(slice(*ends) for ends in zip(low - start, high - start, strict=True))
    crop[here] = voxels[tuple(slice(*ends) for ends in zip(low, high, strict=True))]
    return crop
