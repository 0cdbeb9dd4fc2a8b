"""A small data set in the published form of M3Dsynth: tables, LZMA TIFF folders, and the DICOM series they are of."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ct_series import UID_ROOT, CTSeries
from PIL import Image

from builder.official_tables import COLUMNS

SHAPE = (24, 90, 84)
SPACING = (2.5, 0.8, 0.7)
"""32 mm are 13 x 39 x 45 voxels."""
MODS = {"pix2pix": "pix2pix", "cyclegan": "cycle", "dm": "diffusion"}
SET = {"train": "train", "validation": "valid", "test": "test"}


@dataclass
class NoisySeries(CTSeries):
    """A series of noise, no two slices alike, with padding of -2000 outside its field of view."""

    shape: tuple[int, int, int] = SHAPE
    spacing_mm: tuple[float, float, float] = SPACING
    intercept: float = 0.0
    lowest: int = -1000
    padding: int = -2000

    @property
    def stored(self) -> np.ndarray:
        rng = np.random.default_rng(list(self.scan_id.encode()))
        values = rng.integers(self.lowest, 400, self.shape, dtype=np.int16)
        _, y, x = np.indices(self.shape)
        outside = np.hypot(y - self.shape[1] / 2, x - self.shape[2] / 2) > self.shape[2] / 2
        return np.where(outside, np.int16(self.padding), values)


def series(patient: str, number: int, **options: object) -> NoisySeries:
    """The series of a patient, with a SeriesNumber."""
    scan_id = f"{UID_ROOT}{patient[-4:]}.{number}"
    return NoisySeries(scan_id=scan_id, patient_id=patient, header={"SeriesNumber": number}, **options)


def edited(hu: np.ndarray, centre: tuple[int, int, int], change: int) -> tuple[np.ndarray, np.ndarray]:
    """A scan with a ball of changed voxels around a centre, and where they are."""
    distance = [
        ((np.arange(n) - middle) * step) ** 2 for n, middle, step in zip(hu.shape, centre, SPACING, strict=True)
    ]
    ball = distance[0][:, None, None] + distance[1][:, None] + distance[2] < 8.0**2
    return np.where(ball, hu + np.int16(change), hu), ball


def published(hu: np.ndarray, offset: int) -> np.ndarray:
    """HU as the published slices hold them."""
    return np.clip(hu.astype(np.int32) + offset, 0, 65_535).astype(np.uint16)


def write_slices(folder: Path, voxels: np.ndarray, compression: str = "lzma") -> Path:
    """Write 16-bit slices of a scan, or 1-bit slices of a label."""
    folder.mkdir(parents=True)
    for index, pixels in enumerate(voxels):
        write_slice(folder, index, pixels, compression)
    return folder


def write_slice(folder: Path, index: int, pixels: np.ndarray, compression: str = "lzma") -> None:
    """Write one of them."""
    Image.fromarray(pixels).save(folder / f"slide{index:04d}.tiff", compression=compression)


def read_slices(folder: Path) -> np.ndarray:
    """All slices of a folder."""
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.tiff"))])


def write_table(folder: Path, name: str, lines: list[tuple[object, ...]], columns: tuple[str, ...] = ()) -> None:
    """Write one of the four tables."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns or COLUMNS[name], *lines])


def write_tables(
    folder: Path,
    data: list[tuple[object, ...]],
    scans: list[tuple[str, int]],
    sets: dict[str, str],
    centres: list[tuple[object, ...]] = (),
) -> None:
    """Write all four."""
    write_table(folder, "data.csv", data)
    write_table(folder, "LIDC.csv", [(*scan, *SPACING) for scan in scans])
    write_table(folder, "sets.csv", [(patient, SET[split]) for patient, split in sets.items()])
    write_table(folder, "centers.csv", list(centres))
