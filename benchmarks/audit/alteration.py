"""What an edit did to the voxels of its box, as far as a writer might be told by it."""

from dataclasses import dataclass

import numpy as np

from benchmarks.audit.histogram import Values
from m3dsynth_dataset.types import Patch, PatchMask

RANGE_HU = (-1024, 3071)
"""What twelve bits hold."""
STEPS = range(2, 17)
"""Of combs that are looked for, in HU."""


@dataclass(frozen=True)
class Alteration:
    """An edit against the same voxels before."""

    voxels: int
    """That came from the inpainter."""
    outside: int
    """Voxels outside the mask that changed."""
    impossible: int
    """Voxels with a value that neither the scan holds anywhere nor twelve bits do."""
    beyond_hu: int
    """By how much the edit goes beyond the scan's own range."""
    step: int
    """On which the scan's values lie; 1 where it takes every value."""
    off_grid: float
    """Share of voxels that do not lie on it."""
    comb: float
    """By how much the most frequent remainder of any step is more frequent than before."""
    comb_step: int
    piled: float
    """By how much the most frequent value is more frequent than before, as a share of the voxels."""
    shift_hu: float
    """Mean change."""


def alteration(base: Patch, patch: Patch, mask: PatchMask, scan: Values) -> Alteration:
    """Compare an edit with what was there.

    Args:
        base: The box before.
        patch: The box afterwards.
        mask: Voxels that came from the inpainter; a share of nothing is 0.
        scan: Those of the whole scan before.
    """
    before, after = base[mask].astype(np.int64), patch[mask].astype(np.int64)
    outside = int(np.count_nonzero((patch != base) & ~mask))
    if not len(after):
        return Alteration(0, outside, 0, 0, 1, 0.0, 0.0, 1, 0.0, 0.0)
    impossible = ~scan.holds(after) & ((after < RANGE_HU[0]) | (after > RANGE_HU[1]))
    (low, high), (step, remainder) = scan.range_hu, scan.grid
    comb, comb_step = _comb(before, after, step)
    return Alteration(
        len(after),
        outside,
        int(np.count_nonzero(impossible)),
        int(max(0, low - after.min(), after.max() - high)),
        step,
        float(np.mean(after % step != remainder)) if step > 1 else 0.0,
        comb,
        comb_step,
        _peak(after - after.min()) - _peak(before - before.min()),
        float(np.mean(after - before)),
    )


def _comb(before: np.ndarray, after: np.ndarray, own: int) -> tuple[float, int]:
    """The strongest comb that was not there before, and its step.

    A step is looked for only where the values spread over more than two of them: narrow tissue has few remainders too.
    """
    spread = min(np.subtract(*np.percentile(values, (75, 25))) for values in (before, after))
    steps = [step for step in STEPS if 2 * step <= spread and own % step]
    found = [(_peak(after % step) - _peak(before % step), step) for step in steps]
    return max(found, default=(0.0, 1))


def _peak(values: np.ndarray) -> float:
    """Share of the most frequent of some whole numbers from 0."""
    return float(np.bincount(values).max() / len(values))
