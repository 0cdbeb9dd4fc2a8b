"""What a release knows of a sample, as lines to read."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from m3dsynth_dataset import Release
from m3dsynth_dataset.export.notice import PHANTOM
from m3dsynth_dataset.export.selection import Entry
from m3dsynth_dataset.sample import Sample

Facts = list[tuple[str, str]]

NOTICES = {
    "pristine": "Unaltered scan. Research image; not for diagnosis.",
    "tampered": "AI-tampered research image; not for diagnosis.",
    "control": "Control: resampled and blended without a generative model. Research image; not for diagnosis.",
}
PHANTOM_NOTICE = "Phantom: a computed scan, not a patient."


def notice(sample: Sample) -> str:
    """What every picture of a sample says of itself."""
    said = NOTICES[sample.label]
    return f"{said} {PHANTOM_NOTICE}" if sample.row["source"] == PHANTOM else said


def facts(release: Release, entry: Entry, sample: Sample) -> Facts:
    """The lines, those without a value left out.

    Args:
        release: Of the sample.
        entry: Where it stands in the release.
        sample: The sample itself.
    """
    row = sample.row
    said = {name: say(row[column]) for name, (column, say) in _COLUMNS.items() if row[column] is not None}
    return [
        ("sample", sample.id),
        ("label", sample.label),
        ("config", f"{entry.config}, {entry.split}"),
        *said.items(),
        *_change(sample),
        ("release", release.manifest.digest),
    ]


def _change(sample: Sample) -> Iterator[tuple[str, str]]:
    """What the edit changed, in HU."""
    if (box := sample.mask.edited) is None:
        return
    change = sample.ct[box.slices()].astype(int) - sample.pristine[box.slices()]
    inside = change[sample.mask[box.slices()]]
    yield "mask", f"{inside.size} voxels"
    yield "changed", f"{np.count_nonzero(change)} voxels"
    if inside.size:
        yield "change", f"{inside.mean():+.0f} HU on average, {inside.min():+d} to {inside.max():+d} HU"


def _triple(digits: int, unit: str = "") -> Callable[[Any], str]:
    return lambda values: ", ".join(f"{value:.{digits}f}" for value in values) + unit


_COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "generator": ("generator", str),
    "source": ("source", str),
    "patient": ("patient_id", str),
    "series": ("scan_id", str),
    "site": ("site_id", str),
    "nodule": ("nodule_diameter_mm", lambda value: f"{value:.1f} mm"),
    "malignancy": ("malignancy", lambda value: f"{value:.1f} of 5"),
    "readers": ("readers", str),
    "centre, z y x": ("centre_zyx", _triple(0)),
    "centre, LPS": ("centre_mm", _triple(1, " mm")),
    "voxels, z y x": ("shape_zyx", _triple(0)),
    "spacing, z y x": ("spacing_mm", _triple(3, " mm")),
    "box from, z y x": ("box_start_zyx", _triple(0)),
    "box, z y x": ("box_shape_zyx", _triple(0)),
    "seed": ("seed", str),
    "weights": ("weights_sha256", str),
    "base": ("base_sha256", str),
}
