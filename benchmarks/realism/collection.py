"""Collections of places of one kind, each as what was measured there: a few hundred bytes, and never its voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int16, Shaped

from benchmarks.realism.correlation import AXES, LAGS, Correlation, autocorrelation, residual
from benchmarks.realism.frame import Frame
from benchmarks.realism.histogram import LOWEST_HU, VALUES, Counts, counted
from benchmarks.realism.spectrum import FINE, SHELLS, Spectrum, decibels, noise_power
from benchmarks.realism.traits import NOISE, TRAITS, Traits, traits


@dataclass(frozen=True, eq=False)
class Measures:
    """What is measured in a window."""

    power: Spectrum
    correlation: Correlation
    traits: Traits

    @classmethod
    def of(cls, voxels: Int16[np.ndarray, "d h w"], frame: Frame) -> Measures:
        """Measure a window.

        Args:
            voxels: HU.
            frame: Of the window.
        """
        power = noise_power(voxels[frame.slab.slices()], frame.spacing_mm)
        return cls(power, autocorrelation(residual(voxels, frame.core)), traits(voxels, frame))


@dataclass(eq=False)
class Collection:
    """Places of one kind, in the order in which they were found."""

    patients: list[str] = field(default_factory=list)
    powers: list[Spectrum] = field(default_factory=list)
    ratios: list[Spectrum] = field(default_factory=list)
    """Power against that of the surroundings, in decibels."""
    correlations: list[Correlation] = field(default_factory=list)
    traits: list[Traits] = field(default_factory=list)
    """Those of noise less the mean of the surroundings'."""
    features: list[Float64[np.ndarray, " features"]] = field(default_factory=list)
    """Of an embedding; empty without one."""
    counts: dict[str, Counts] = field(default_factory=dict)
    """HU in the mask, by patient."""

    def add(
        self,
        patient: str,
        found: Measures,
        around: Sequence[Measures],
        values: Int16[np.ndarray, " values"],
        spacing_mm: tuple[float, float, float],
    ) -> None:
        """Take in a place.

        Args:
            patient: Whose it is.
            found: What was measured there.
            around: In its surroundings; NaN stands for what is relative to them if there are none.
            values: HU in the mask.
            spacing_mm: Along z, y, x.
        """
        self.patients.append(patient)
        self.powers.append(found.power)
        self.ratios.append(_ratio(found, around, spacing_mm))
        self.correlations.append(found.correlation)
        self.traits.append(_relative(found, around))
        self.counts[patient] = self.counts.get(patient, np.zeros(VALUES, dtype=np.int64)) + counted(values)

    def __len__(self) -> int:
        return len(self.patients)

    @cached_property
    def ratio_rows(self) -> Float64[np.ndarray, "places shells"]:
        """Power against that of the surroundings, in decibels, a row for each place."""
        return np.array(self.ratios).reshape(len(self), SHELLS)

    @cached_property
    def correlation_rows(self) -> Float64[np.ndarray, "places axes lags"]:
        """Autocorrelations, of each place."""
        return np.array(self.correlations).reshape(len(self), len(AXES), len(LAGS))

    @cached_property
    def trait_rows(self) -> Float64[np.ndarray, "places traits"]:
        """Traits, a row for each place."""
        return np.array(self.traits).reshape(len(self), len(TRAITS))

    @cached_property
    def fine_noise_db(self) -> Float64[np.ndarray, " places"]:
        """Power over 5/16 per mm against that of the surroundings, of each place: under 0 it is too smooth."""
        return mean_of_known(self.ratio_rows[:, FINE].T)

    def histogram(self, patients: Sequence[str] | None = None) -> Counts:
        """HU of all patients, or of some."""
        chosen = self.counts if patients is None else [name for name in patients if name in self.counts]
        return np.asarray(np.sum([np.zeros(VALUES, dtype=np.int64), *(self.counts[name] for name in chosen)], axis=0))

    def quantiles_hu(self, shares: Sequence[float]) -> Float64[np.ndarray, " shares"]:
        """The HU under which a share of the voxels lies."""
        below = self.histogram().cumsum()
        return np.asarray(np.searchsorted(below, np.array(shares) * below[-1]) + LOWEST_HU, dtype=np.float64)


def mean_of_known(values: Shaped[np.ndarray, "n ..."]) -> np.ndarray:
    """Mean over the first axis of what is not NaN; NaN where it is known of none."""
    known: Bool[np.ndarray, "n ..."] = ~np.isnan(values)
    sums, counts = np.where(known, values, 0).sum(axis=0), known.sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _ratio(found: Measures, around: Sequence[Measures], spacing_mm: tuple[float, float, float]) -> Spectrum:
    if not around:
        return np.full(SHELLS, np.nan)
    # The mean of decibels is 0 for places that are alike, however many there are; that of powers is not.
    return mean_of_known(np.array([decibels(found.power, each.power, spacing_mm) for each in around]))


def _relative(found: Measures, around: Sequence[Measures]) -> Traits:
    values = found.traits.copy()
    values[NOISE] -= mean_of_known(np.array([each.traits[NOISE] for each in around])) if around else np.nan
    return values
