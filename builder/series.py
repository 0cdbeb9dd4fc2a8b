"""CT series: the headers of a stack of slices, checked before a voxel is read."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from builder.errors import SeriesError
from m3dsynth_dataset.volume import Geometry

AXIAL = np.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
ANGLE_TOLERANCE = 1e-3
"""Of a direction cosine: a twentieth of a degree."""
POSITION_TOLERANCE_MM = 0.02
"""Headers round positions to a few decimals."""
SPACING_TOLERANCE = 0.02
"""How much a gap between slices may differ from the usual one, as a share of it."""


@dataclass(frozen=True)
class Slice:
    """The header of one file of a series."""

    path: Path
    position_mm: tuple[float, float, float]
    """x, y, z of the centre of the first voxel."""
    orientation: tuple[float, ...]
    """Direction cosines of the rows, then of the columns."""
    spacing_mm: tuple[float, ...]
    """Between rows (y) and between columns (x)."""
    shape: tuple[int, ...]
    """Rows and columns."""
    slope: float = 1.0
    intercept: float = 0.0
    """Of the line from stored values to HU."""
    range_hu: tuple[float, float] = (-math.inf, math.inf)
    """What its stored bits, rescaled, can say."""
    is_compressed: bool = False
    is_lossy: bool = False
    """Whether compression has altered its pixels."""


@dataclass(frozen=True)
class Series:
    """The files of one CT series, from the head down."""

    scan_id: str
    """SeriesInstanceUID."""
    patient_id: str
    slices: tuple[Slice, ...]

    @property
    def folder(self) -> Path:
        """Where its first file lies."""
        return self.slices[0].path.parent

    @property
    def positions_mm(self) -> Float64[np.ndarray, " slices"]:
        """Position of every slice along z, descending."""
        return np.array([each.position_mm[2] for each in self.slices])

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Voxels along z, y, x."""
        rows, columns = self.slices[0].shape
        return len(self.slices), rows, columns

    @property
    def geometry(self) -> Geometry:
        """Where the voxels lie; the spacing of slices comes from their positions, not from their thickness."""
        first, last = self.slices[0], self.slices[-1]
        gap = (first.position_mm[2] - last.position_mm[2]) / (len(self.slices) - 1)
        row, column = np.reshape(first.orientation, (2, 3)).round()
        direction = np.column_stack([row, column, [0.0, 0.0, -1.0]])
        return Geometry(
            (gap, first.spacing_mm[0], first.spacing_mm[1]), first.position_mm, tuple(direction.ravel().tolist())
        )

    @property
    def is_lossy(self) -> bool:
        """Whether compression has altered the pixels of a slice."""
        return any(each.is_lossy for each in self.slices)

    def check(self) -> None:
        """See whether the files make a scan.

        Raises:
            SeriesError: If the slices do not form one regular, axial stack.
        """
        self._check_number()
        self._check_same("size", lambda each: each.shape)
        self._check_same("pixel spacing", lambda each: each.spacing_mm)
        self._check_same("orientation", lambda each: each.orientation)
        self._check_axial()
        self._check_aligned()
        self._check_gaps()

    def _check_number(self) -> None:
        if len(self.slices) < 2:
            path = self.slices[0].path
            raise SeriesError(path, f"series {self.scan_id} has a single slice", "a scan needs at least two")

    def _check_same(self, name: str, of: Callable[[Slice], tuple[float, ...]]) -> None:
        first = self.slices[0]
        for each in self.slices:
            if not np.allclose(of(each), of(first), rtol=0, atol=1e-4):
                reason = f"its {name} {of(each)} is not that of {first.path.name} in the same series, {of(first)}"
                raise SeriesError(each.path, reason, "keep the files of one reconstruction only")

    def _check_axial(self) -> None:
        first = self.slices[0]
        if np.abs(np.abs(first.orientation) - AXIAL).max() > ANGLE_TOLERANCE:
            reason = f"orientation {first.orientation} is not axial (a tilted gantry, or another plane)"
            raise SeriesError(first.path, reason, "resample the series to axial slices, or leave it out")

    def _check_aligned(self) -> None:
        corners = np.array([each.position_mm[:2] for each in self.slices])
        shifts = np.abs(corners - corners[0]).max(axis=1)
        if shifts.max() > min(self.slices[0].spacing_mm) / 2:
            worst = self.slices[int(shifts.argmax())]
            reason = f"the slice lies {shifts.max():.2f} mm beside the first (a tilted gantry)"
            raise SeriesError(worst.path, reason, "resample the series to axial slices, or leave it out")

    def _check_gaps(self) -> None:
        gaps = -np.diff(self.positions_mm)
        usual = float(np.median(gaps))
        for (upper, lower), gap in zip(pairwise(self.slices), gaps.tolist(), strict=True):
            self._check_gap(upper, lower, gap, usual)

    @staticmethod
    def _check_gap(upper: Slice, lower: Slice, gap: float, usual: float) -> None:
        below = f"below {upper.path.name} (z = {upper.position_mm[2]:g} mm), usually {usual:g} mm"
        if gap < POSITION_TOLERANCE_MM:
            reason = f"duplicated slice: at z = {lower.position_mm[2]:g} mm, where {upper.path.name} lies too"
            raise SeriesError(lower.path, reason, "remove one of the two files")
        if gap > 1.5 * usual:
            raise SeriesError(
                lower.path, f"slice missing: {gap:g} mm {below}", "fetch the series again; slices are never made up"
            )
        if abs(gap - usual) > max(SPACING_TOLERANCE * usual, POSITION_TOLERANCE_MM):
            raise SeriesError(
                lower.path, f"uneven spacing: {gap:g} mm {below}", "resample the series to even slices, or leave it out"
            )
