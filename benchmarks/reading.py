"""Reading a tampered scan: from the release, and from every other form in which it could be stored."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean

import nibabel as nib
import numpy as np
import zarr

from benchmarks.measurement import Measurement, in_turn
from benchmarks.published_form import OFFSET_HU, read_crop, write_slices
from benchmarks.simulated_release import FULL_EDITS
from m3dsynth_dataset import Release, Sample
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.lazy import EditedVolume
from m3dsynth_dataset.schema import PRISTINE
from m3dsynth_dataset.types import Triple
from m3dsynth_dataset.volume import open_voxels, write_volume

CROP = (96, 96, 96)
PUBLISHED_BYTES = 379e9
"""Of 8,577 tampered volumes as LZMA TIFF, estimated from the published tables and three real scans."""
PUBLISHED = "published TIFF form"

Read = Callable[[Box], np.ndarray]


@dataclass(frozen=True)
class Copies:
    """A tampered scan, materialised in other forms."""

    slices: Path
    array: Path
    nifti: Path
    raw: Path

    @classmethod
    def write(cls, folder: Path, voxels: np.ndarray) -> "Copies":
        """Write all of them."""
        folder.mkdir(parents=True, exist_ok=True)
        copies = cls(folder / "slices", folder / "copy.zarr", folder / "copy.nii.gz", folder / "copy.npy")
        write_slices(copies.slices, voxels)
        write_volume(copies.array, voxels, {})
        nib.Nifti1Image(voxels, np.eye(4)).to_filename(copies.nifti)
        np.save(copies.raw, voxels)
        return copies

    def bytes_of_slices(self) -> int:
        """What the published form takes."""
        return sum(file.stat().st_size for file in self.slices.iterdir())


def measure_reading(release: Release, folder: Path, repeats: int) -> Iterator[Measurement]:
    """The rows on reading one sample, and on the size of edits.

    Args:
        release: Its first edit is read.
        folder: For the other forms.
        repeats: Measurements of each; the median counts.
    """
    sample = _first_edit(release)
    copies = Copies.write(folder, sample.ct[...])
    yield from _sizes(release, copies)
    z, y, x = (min(want, whole) for want, whole in zip(CROP, sample.ct.shape, strict=True))
    crop, plane = (z, y, x), (1, *sample.ct.shape[1:])
    yield from _against_slices("random 96-voxel crop", sample, copies, crop, repeats, 150)
    yield from _against_slices("random axial slice", sample, copies, plane, repeats, 4)
    yield from _against_copy(sample, copies, crop, repeats)
    yield from _against_others(sample, copies, crop, plane, repeats)
    yield _store(release, sample, copies, crop, repeats)


def _sizes(release: Release, copies: Copies) -> Iterator[Measurement]:
    sizes = [
        len(row["patch"]) + len(row["mask"])
        for config, splits in release.splits.items()
        if config != PRISTINE
        for split in splits
        for row in release.rows(config, split, ["patch", "mask"]).to_pylist()
    ]
    ours, theirs = mean(sizes) / 1000, copies.bytes_of_slices() / 1000
    yield Measurement("size of an edit", ours, theirs, "kB", theirs / ours, 1000, "published TIFF volume")
    total = mean(sizes) * FULL_EDITS
    name = f"size of {FULL_EDITS:,} edits"
    yield Measurement(name, total / 1e9, PUBLISHED_BYTES / 1e9, "GB", PUBLISHED_BYTES / total, 1000, "published, est.")


def _against_slices(
    name: str, sample: Sample, copies: Copies, shape: Triple, repeats: int, target: float
) -> Iterator[Measurement]:
    # The published form cannot hold what lies under its offset.
    ways = [
        lambda box: np.maximum(sample.ct.read(box), -OFFSET_HU),
        lambda box: read_crop(copies.slices, box.start, box.shape),
    ]
    ours, theirs = in_turn(ways, _boxes(sample, shape, repeats), name)
    yield Measurement(name, ours, theirs, "ms", theirs / ours, target, PUBLISHED)


def _against_copy(sample: Sample, copies: Copies, shape: Triple, repeats: int) -> Iterator[Measurement]:
    """A crop on the edit, against the same crop of a stored copy of the tampered scan."""
    z, y, x = (
        int(np.clip(centre - length // 2, 0, whole - length))
        for centre, length, whole in zip(sample.row["centre_zyx"], shape, sample.ct.shape, strict=True)
    )
    stored = EditedVolume(open_voxels(copies.array), None)
    ours, theirs = in_turn([sample.ct.read, stored.read], [Box((z, y, x), shape)] * repeats, "tampered crop")
    yield Measurement("overhead of an edit", ours, theirs, "ms", ours / theirs, 1.05, "the same crop, stored")


def _against_others(sample: Sample, copies: Copies, crop: Triple, plane: Triple, repeats: int) -> Iterator[Measurement]:
    array = zarr.open_array(str(copies.array), mode="r")
    raw = np.load(copies.raw, mmap_mode="r")
    others: list[tuple[str, Read]] = [
        ("zarr-python, stored", lambda box: np.asarray(array[box.slices()])),
        ("NIfTI (.nii.gz), nibabel", partial(_read_nifti, copies.nifti)),
        ("raw memory map", lambda box: np.array(raw[box.slices()])),
    ]
    for name, shape in (("96-voxel crop", crop), ("axial slice", plane)):
        # Few are enough: NIfTI is decompressed whole each time.
        boxes = _boxes(sample, shape, max(3, repeats // 3))
        times = in_turn([sample.ct.read, *(read for _, read in others)], boxes, name)
        for (against, _), theirs in zip(others, times[1:], strict=True):
            yield Measurement(name, times[0], theirs, "ms", theirs / times[0], None, against)


def _read_nifti(path: Path, box: Box) -> np.ndarray:
    return np.asarray(nib.Nifti1Image.from_filename(path).dataobj[box.slices()])


def _store(release: Release, sample: Sample, copies: Copies, shape: Triple, repeats: int) -> Measurement:
    """The release as a zarr store, against a stored copy, both read by zarr-python."""
    ours = zarr.open_array(release.store(), path=f"{sample.id}/ct", mode="r")
    theirs = zarr.open_array(str(copies.array), mode="r")
    reads: Sequence[Read] = [lambda box: np.asarray(ours[box.slices()]), lambda box: np.asarray(theirs[box.slices()])]
    mine, stored = in_turn(reads, _boxes(sample, shape, repeats), "zarr store")
    return Measurement("crop through release.store()", mine, stored, "ms", mine / stored, 1.1, "zarr-python, stored")


def _boxes(sample: Sample, shape: Triple, count: int) -> list[Box]:
    rng = np.random.default_rng(0)
    room = np.subtract(sample.ct.shape, shape) + 1
    return [Box((int(z), int(y), int(x)), shape) for z, y, x in rng.integers(0, room, (count, 3))]


def _first_edit(release: Release) -> Sample:
    config, split = next(
        (config, splits[0]) for config, splits in release.splits.items() if config != PRISTINE and splits
    )
    return release.sample(release.rows(config, split, ["sample_id"])["sample_id"][0].as_py())
