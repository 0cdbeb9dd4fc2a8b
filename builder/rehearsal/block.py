"""A block of phantom lung, scanned: the least of a chest that sites fit into."""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from builder.phantom.identity import Identity, implementation_uid
from builder.phantom.noise import Noise
from builder.phantom.scanner import KERNELS, STORAGES, Scanner
from builder.phantom.series import Series, draw_sequence, outside, stored
from m3dsynth_dataset.types import Triple

SLICES, MATRIX = 36, 96
SPACING_MM, PIXEL_MM = 2.0, 0.8
LUNG_HU, NODULE_HU = -860.0, 30.0
EDGE_MM = 0.8
"""Over which a nodule's surface fades."""


@dataclass(frozen=True)
class BlockIdentity(Identity):
    """One series; a patient may have two."""

    series: int = 0

    def uid(self, role: str) -> str:
        """A UID for each role, seed, patient and series."""
        return implementation_uid(f"block/{self.seed}/{self.number}/{self.series}/{role}")


@dataclass(frozen=True)
class Ball:
    """A nodule."""

    centre: Triple
    """Voxel of the stack that runs from the head down."""
    diameter_mm: float


def write_block(folder: Path, identity: Identity, nodules: Many[Ball], rng: np.random.Generator) -> None:
    """Write a series of a block of lung with nodules; scanners differ as those of the phantom.

    Args:
        folder: Of the DICOM files; made.
        identity: Whose.
        nodules: In it.
        rng: Source of the scanner and of its noise.
    """
    scanner = _scanner(identity.number, rng)
    folder.mkdir(parents=True)
    series = Series(folder, identity, scanner, draw_sequence(rng, scanner), contrast=False)
    noise, beyond = Noise(rng, scanner), outside(scanner)
    for index, plane in enumerate(_lung(nodules)[::-1]):  # scanners are fed from the feet up
        series.write(index, stored(plane + noise.plane() * np.float32(scanner.noise), scanner, beyond))


def _lung(nodules: Many[Ball]) -> Float32[np.ndarray, "z y x"]:
    volume = np.full((SLICES, MATRIX, MATRIX), LUNG_HU, dtype=np.float32)
    z, y, x = np.ogrid[:SLICES, :MATRIX, :MATRIX]
    for ball in nodules:
        z0, y0, x0 = ball.centre
        distance = np.sqrt(((z - z0) * SPACING_MM) ** 2 + ((y - y0) ** 2 + (x - x0) ** 2) * PIXEL_MM**2)
        share = 1 / (1 + np.exp(np.clip((distance - ball.diameter_mm / 2) / EDGE_MM * 4, -30, 30)))
        np.maximum(volume, LUNG_HU + (NODULE_HU - LUNG_HU) * share, out=volume, casting="same_kind")
    return volume


def _scanner(number: int, rng: np.random.Generator) -> Scanner:
    kernel = KERNELS[int(rng.integers(len(KERNELS)))]
    return Scanner(
        matrix=MATRIX,
        pixel=PIXEL_MM,
        spacing=SPACING_MM,
        thickness=SPACING_MM,
        slices=SLICES,
        bottom=round(float(rng.uniform(-150, 50)), 2),
        centre=(0.0, 0.0),
        offset=(round(float(rng.uniform(-400, 200)), 1), 0.0, 0.0),
        kernel=kernel,
        noise=float(rng.uniform(*kernel.noise)),
        storage=STORAGES[number % len(STORAGES)],
        descending=bool(rng.random() < 0.5),
        kilovolts=120,
    )
