"""The measures of the report: what each says, which way is bad, and how its figure reads."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

from benchmarks.realism.assessment import Assessment, Distance
from m3dsynth_dataset.metrics import Interval

UNKNOWN = "-"
SEAM = 1.05
"""A jump that is larger by less is nothing to see."""


@dataclass(frozen=True)
class Figure:
    """A figure of a config, as it is read."""

    text: str
    """Value, and interval or unit."""
    against: str
    """What it is read beside."""
    is_bad: bool
    """Whether it is further from tissue than chance takes it."""


@dataclass(frozen=True)
class Measure:
    """A column of the report."""

    title: str
    says: str
    """In one sentence."""
    bad: str
    """Which direction is bad."""
    read: Callable[[Assessment], Figure]


def _distance(found: Distance, unit: str, digits: int) -> Figure:
    if isnan(found.value):
        return Figure("not measured", UNKNOWN, False)
    floor = found.floor
    against = UNKNOWN if isnan(floor.middle) else f"halves {floor.middle:.{digits}f}, to {floor.limit:.{digits}f}"
    return Figure(f"{found.value:.{digits}f}{unit}", against, found.is_beyond)


def said(found: Interval, digits: int, sign: str = "") -> str:
    """A figure with its interval."""
    if isnan(found.value):
        return "not measured"
    value, low, high = (f"{each:{sign}.{digits}f}" for each in (found.value, found.low, found.high))
    return f"{value} ({low} to {high})"


def _fine_noise(row: Assessment) -> Figure:
    ours, theirs = row.fine_noise_db, row.fine_noise_tissue_db
    apart = ours.low > theirs.high or ours.high < theirs.low
    return Figure(said(ours, 1, "+"), f"tissue {said(theirs, 1, '+')}", apart)


def _seam(row: Assessment) -> Figure:
    ours = row.seam_ratio
    return Figure(
        said(ours, 2),
        f"to windows beside {said(row.seam_beside_ratio, 2)}, before {said(row.seam_tissue_ratio, 2)}",
        ours.low > SEAM,
    )


def _auc(row: Assessment) -> Figure:
    floor = row.auc_floor
    against = "0.5" if isnan(floor.limit) else f"0.5; halves to {floor.limit:.2f}"
    return Figure(said(row.auc, 2), against, row.auc.low > 0.5 and not row.auc.value <= floor.limit)


MEASURES = (
    Measure(
        "fine noise",
        "Power of structure finer than 3 mm (over 5/16 cycles per mm) inside the edit, against its surroundings in the "
        "same slices, in decibels.",
        "Below tissue is too smooth, above is too noisy or shows a lattice.",
        _fine_noise,
    ),
    Measure(
        "spectrum",
        "By how many decibels the noise power spectrum, relative to the surroundings, differs from that of tissue, "
        "over all frequencies.",
        "Larger is worse.",
        lambda row: _distance(row.spectrum_db, " dB", 1),
    ),
    Measure(
        "correlation",
        "By how much the autocorrelation of the noise along z, y and x, at one to three voxels, differs from that of "
        "tissue.",
        "Larger is worse.",
        lambda row: _distance(row.correlation, "", 2),
    ),
    Measure(
        "seam",
        "Mean jump between neighbouring voxels across the border of the mask, as a ratio to the jump at the same faces "
        "before; and to that in windows beside, with what the place before has of the latter.",
        "Above 1 there is an edge to see; below 1 the border is smoothed, as where a nodule that reached it is gone.",
        _seam,
    ),
    Measure(
        "histogram",
        "By how many HU the voxels of edits differ from those of tissue, as distributions (1-Wasserstein).",
        "Larger is worse.",
        lambda row: _distance(row.histogram_hu, " HU", 0),
    ),
    Measure(
        "Fréchet",
        "Distance between edits and tissue in the features of the malignancy network; of few places it is too large, "
        "so it means something beside its floor only.",
        "Larger is worse.",
        lambda row: _distance(row.frechet, "", 2),
    ),
    Measure(
        "told apart",
        "AUC at which a linear classifier that has learned from other patients tells cubes of edits, 3 mm away from "
        "any edge, from cubes of tissue.",
        "0.5: it cannot; 1: always.",
        _auc,
    ),
)
