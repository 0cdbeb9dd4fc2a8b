"""What differs from scanner to scanner: field of view, spacing, dose, kernel and how numbers are stored."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from builder.phantom.stature import FEET, HEAD, Size, Stature

MATRIX = {"small": 256, "full": 512}
SPACINGS = {"small": (1.0, 1.25, 1.5, 2.0, 2.5, 3.0), "full": (0.625, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)}
"""Slice spacings in mm."""
FIELDS = {"small": (180, 230), "full": (320, 455)}
"""Least and largest field of view in mm."""
PADDING = -2000
"""Stored value outside the circular field of view, where a scanner pads."""
NOISE = (10.0, 40.0)
"""Least and largest standard deviation in HU."""
AIR = -1024
"""Least HU."""


@dataclass(frozen=True)
class Storage:
    """How HU become stored numbers."""

    signed: bool
    intercept: int
    padded: bool
    """Whether the corners hold ``PADDING`` instead of air."""


STORAGES = (
    Storage(signed=True, intercept=-1024, padded=True),
    Storage(signed=False, intercept=-1024, padded=False),
    Storage(signed=True, intercept=0, padded=True),
    Storage(signed=True, intercept=-1024, padded=False),
    Storage(signed=True, intercept=0, padded=False),
)
"""Patients take turns, so that a few of them show several forms."""


@dataclass(frozen=True)
class Kernel:
    """A reconstruction kernel, by its modulation transfer."""

    name: str
    cutoff: float
    """Frequency in cycles/mm at which the apodisation falls to 1/e."""
    edge: float
    """Width of an edge in pixels."""
    noise: tuple[float, float]
    """HU at 2.5 mm slices, least and largest."""


KERNELS = (
    Kernel("STANDARD", 0.42, 1.6, (10.0, 15.0)),
    Kernel("LUNG", 0.62, 1.35, (13.0, 20.0)),
    Kernel("BONE", 0.75, 1.2, (16.0, 24.0)),
)


@dataclass(frozen=True)
class Scanner:
    """One acquisition. Positions are in mm of patient space, whose origin is the model's carina."""

    matrix: int
    pixel: float
    """Pixel spacing in mm."""
    spacing: float
    """From slice to slice in mm."""
    thickness: float
    slices: int
    bottom: float
    """Height of the most caudal slice."""
    centre: tuple[float, float]
    """The y and x of the field of view's middle."""
    offset: tuple[float, float, float]
    """What DICOM positions (z, y, x) add to patient space."""
    kernel: Kernel
    noise: float
    """Standard deviation in HU in the middle of the body."""
    storage: Storage
    descending: bool
    """Whether instance numbers run from the head to the feet."""
    kilovolts: int

    @property
    def edge(self) -> float:
        """Width of an edge in the image, in mm."""
        return self.kernel.edge * self.pixel

    @property
    def heights(self) -> Float64[np.ndarray, " slices"]:
        """Heights of the slices, ascending."""
        return self.bottom + self.spacing * np.arange(self.slices)

    @property
    def rows(self) -> Float64[np.ndarray, " rows"]:
        """The y of the rows."""
        return self.centre[0] + self.pixel * (np.arange(self.matrix) - (self.matrix - 1) / 2)

    @property
    def columns(self) -> Float64[np.ndarray, " columns"]:
        """The x of the columns."""
        return self.centre[1] + self.pixel * (np.arange(self.matrix) - (self.matrix - 1) / 2)

    def position(self, height: float) -> tuple[float, float, float]:
        """ImagePositionPatient (x, y, z) of the slice at a height, to a thousandth of a mm."""
        z, y, x = (a + b for a, b in zip((height, self.rows[0], self.columns[0]), self.offset, strict=True))
        return round(float(x), 3), round(float(y), 3), round(float(z), 3)


def draw_scanner(rng: np.random.Generator, size: Size, stature: Stature, number: int) -> Scanner:
    """How patient ``number`` (from 1) was scanned."""
    spacing = float(rng.choice(SPACINGS[size]))
    pixel = _pixel(rng, size, stature)
    height = stature.scale * stature.stretch[0]
    slices = int(height * (HEAD - FEET) / spacing) + 1
    kernel = KERNELS[int(rng.integers(len(KERNELS)))]
    low, high = kernel.noise
    return Scanner(
        matrix=MATRIX[size],
        pixel=pixel,
        spacing=spacing,
        thickness=spacing * float(rng.choice((1.0, 1.0, 1.25))),
        slices=slices,
        bottom=round(height * FEET, 2),
        centre=(float(rng.normal(0, 5)) * stature.scale, float(rng.normal(0, 5)) * stature.scale),
        offset=(round(float(rng.uniform(-400, 200)), 1), round(float(rng.uniform(-20, 20)), 1), 0.0),
        kernel=kernel,
        noise=float(np.clip(rng.uniform(low, high) * (2.5 / spacing) ** 0.35, *NOISE)),
        storage=STORAGES[(number - 1) % len(STORAGES)],
        descending=bool(rng.random() < 0.5),
        kilovolts=int(rng.choice((120, 120, 140))),
    )


def _pixel(rng: np.random.Generator, size: Size, stature: Stature) -> float:
    """Pixel spacing in mm: a whole number of mm around the body, over the matrix."""
    width = 2 * (stature.breadth + 34 + stature.fat) * stature.scale * stature.stretch[2]
    least, most = FIELDS[size]
    field = round(float(np.clip(width * rng.uniform(0.92, 1.15), least, most)))
    return round(field / MATRIX[size], 6)
