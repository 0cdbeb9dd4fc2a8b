"""How good an inpainter is, in numbers: what it does to cubes, and how far that is from real ones.

A distance between what is filled and what is real means little alone, as two sets of real cubes differ too. So
each comes with its floor: the same distance between the real cubes that an inpainter has not seen and those that
it has learned from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int16

from generation.errors import GenerationError
from generation.filling import fill, masked
from generation.inpainter import Inpainter
from generation.mask import core
from generation.montage import COLUMNS
from generation.nodule_size import diameter_mm, meets
from generation.spectrum import FREQUENCIES, Spectrum, radial_spectrum

INT16 = np.iinfo(np.int16)


@dataclass(frozen=True, eq=False)
class Quality:
    """The numbers of one inpainter; None where there were no cubes to take one from.

    *Real* cubes are held out: of the kind that the manipulation is to make, and never learned from. *Sites* are cubes
    to edit. *Reference* cubes are those that were learned from. All is measured in the hidden core, except for
    spectra and diameters, which are of the 16 mm core whatever is hidden.
    """

    generator: str
    """Name of the inpainter."""
    manipulation: str
    weights_sha256: str
    """Of the file of its weights; empty when it has none."""
    real_cubes: int
    site_cubes: int
    reference_cubes: int
    ring_error_hu: int
    """Largest change of a voxel that was not hidden, over all filled cubes; 0 is the only good value."""
    core_mae_hu: float | None
    """Mean absolute difference between real cores and what is filled in their place."""
    histogram_distance_hu: float | None
    """1-Wasserstein distance between the voxels of filled sites and of real cubes: by how many HU, on average."""
    histogram_floor_hu: float | None
    """The same between real and reference cubes."""
    frequency_per_mm: tuple[float, ...]
    """Shells of the spectra, in cycles per mm."""
    power_filled: tuple[float, ...] | None
    """Of filled sites, in HU^2 mm^3."""
    power_real: tuple[float, ...] | None
    spectrum_distance_db: float | None
    """Root mean square of the ratio of the two in decibels, over the shells but for the first."""
    spectrum_floor_db: float | None
    """The same between real and reference cubes."""
    diameters_filled_mm: tuple[float, ...] | None
    """One per filled site."""
    diameters_real_mm: tuple[float, ...] | None
    share_met: float | None
    """Share of filled sites whose nodule is over 10 mm (injection) or under 8 mm (removal)."""
    share_met_real: float | None
    """The same of real cubes."""
    shown: Mapping[str, Int16[np.ndarray, "shown 32 32 32"]] = field(repr=False)
    """A few cubes by row of a picture: input, masked, filled. Sites, or real cubes where there are no sites."""

    def numbers(self) -> dict[str, Any]:
        """All fields but the cubes, as JSON can say them."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "shown"}


def assess(
    inpainter: Inpainter,
    manipulation: str,
    *,
    truth: Int16[np.ndarray, "m 32 32 32"],
    truth_seeds: Sequence[int],
    sites: Int16[np.ndarray, "n 32 32 32"],
    site_seeds: Sequence[int],
    reference: Int16[np.ndarray, "k 32 32 32"],
) -> Quality:
    """Fill cubes and measure. Cubes are in HU on voxels of 1 mm; any of the three sets may be empty.

    Args:
        inpainter: What fills.
        manipulation: ``injection`` or ``removal``: what it has learned.
        truth: Real cubes, held out, of the kind that the manipulation is to make.
        truth_seeds: One per cube.
        sites: Cubes to edit.
        site_seeds: One per cube.
        reference: Real cubes that the inpainter has learned from.

    Raises:
        GenerationError: If there are neither real cubes nor sites, or there is no such manipulation.
    """
    if not len(truth) and not len(sites):
        raise GenerationError(
            f"there are neither sites nor held-out cubes for {manipulation} to judge '{inpainter.name}' by; "
            "extract cubes from more scans with `python -m builder extract`"
        )
    edited, redone = fill(inpainter, sites, site_seeds), fill(inpainter, truth, truth_seeds)
    where = inpainter.hidden if inpainter.hidden.any() else core()
    edited_power, truth_power, learned_power = (_spectrum(cubes) for cubes in (edited, truth, reference))
    edited_mm, truth_mm = _diameters(edited), _diameters(truth)
    return Quality(
        generator=inpainter.name,
        manipulation=manipulation,
        weights_sha256=inpainter.weights_sha256,
        real_cubes=len(truth),
        site_cubes=len(sites),
        reference_cubes=len(reference),
        ring_error_hu=max(_ring_error(inpainter, sites, edited), _ring_error(inpainter, truth, redone)),
        core_mae_hu=_mean_error(truth, redone, where),
        histogram_distance_hu=_histogram_distance(edited, truth, where),
        histogram_floor_hu=_histogram_distance(truth, reference, where),
        frequency_per_mm=FREQUENCIES,
        power_filled=_numbers(edited_power.power if edited_power else None),
        power_real=_numbers(truth_power.power if truth_power else None),
        spectrum_distance_db=_spectrum_distance(edited_power, truth_power),
        spectrum_floor_db=_spectrum_distance(truth_power, learned_power),
        diameters_filled_mm=_numbers(edited_mm),
        diameters_real_mm=_numbers(truth_mm),
        share_met=_share(manipulation, edited_mm),
        share_met_real=_share(manipulation, truth_mm),
        shown=_shown(inpainter, sites, edited) if len(sites) else _shown(inpainter, truth, redone),
    )


def _ring_error(
    inpainter: Inpainter, before: Int16[np.ndarray, "n 32 32 32"], after: Int16[np.ndarray, "n 32 32 32"]
) -> int:
    kept = ~inpainter.hidden
    errors = (np.abs(new[kept].astype(np.int32) - old[kept]) for old, new in zip(before, after, strict=True))
    return max((int(error.max(initial=0)) for error in errors), default=0)


def _mean_error(
    real: Int16[np.ndarray, "m 32 32 32"], filled: Int16[np.ndarray, "m 32 32 32"], where: Bool[np.ndarray, "32 32 32"]
) -> float | None:
    if not len(real):
        return None
    return float(np.abs(filled[:, where].astype(np.int32) - real[:, where]).mean())


def _histogram_distance(
    ours: Int16[np.ndarray, "n 32 32 32"],
    theirs: Int16[np.ndarray, "m 32 32 32"],
    where: Bool[np.ndarray, "32 32 32"],
) -> float | None:
    """The area between the cumulative histograms, one bin per HU: exact."""
    if not len(ours) or not len(theirs):
        return None
    return float(np.abs(_cumulative(ours, where) - _cumulative(theirs, where)).sum())


def _cumulative(
    cubes: Int16[np.ndarray, "n 32 32 32"], where: Bool[np.ndarray, "32 32 32"]
) -> Float[np.ndarray, " values"]:
    """The share of voxels up to each int16 value."""
    counts = np.zeros(INT16.max - INT16.min + 1, dtype=np.int64)
    for cube in cubes:
        counts += np.bincount(cube[where].astype(np.int32) - INT16.min, minlength=len(counts))
    return np.asarray(counts.cumsum() / counts.sum())


def _spectrum(cubes: Int16[np.ndarray, "n 32 32 32"]) -> Spectrum | None:
    return radial_spectrum(cubes) if len(cubes) else None


def _spectrum_distance(ours: Spectrum | None, theirs: Spectrum | None) -> float | None:
    return ours.distance_db(theirs) if ours and theirs else None


def _diameters(cubes: Int16[np.ndarray, "n 32 32 32"]) -> Float[np.ndarray, " n"] | None:
    return diameter_mm(cubes) if len(cubes) else None


def _share(manipulation: str, diameters: Float[np.ndarray, " n"] | None) -> float | None:
    return None if diameters is None else float(meets(manipulation, diameters).mean())


def _numbers(values: Float[np.ndarray, " n"] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(values.tolist())


def _shown(
    inpainter: Inpainter, before: Int16[np.ndarray, "n 32 32 32"], after: Int16[np.ndarray, "n 32 32 32"]
) -> dict[str, Int16[np.ndarray, "shown 32 32 32"]]:
    """A few cubes, evenly chosen."""
    chosen = np.linspace(0, len(before) - 1, min(COLUMNS, len(before))).round().astype(int)
    return {"input": before[chosen], "masked": masked(inpainter, before[chosen]), "filled": after[chosen]}
