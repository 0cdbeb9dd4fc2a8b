"""Samples as zarr groups that hold every voxel, for tools that know nothing of edits."""

from pathlib import Path
from typing import Any

import numpy as np
import zarr

from m3dsynth_dataset.export.notice import is_synthetic, notice
from m3dsynth_dataset.export.place import placed, record_of
from m3dsynth_dataset.manifest import Manifest
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import SEALED
from m3dsynth_dataset.volume import write_volume

OME_VERSION = "0.5"
"""Of OME-Zarr, the one for zarr v3."""
COLUMNS = ("scan_id", "patient_id", "source", "spacing_mm", "origin_mm", "direction")


def export_zarr(sample: Sample, out: Path) -> Path:
    """Write a zarr v3 group with the arrays ``ct`` (int16 HU) and ``mask`` (uint8), both (z, y, x), whole.

    A sealed sample has no mask.

    Pristine and tampered voxels go through the writer of the release's own volumes. The group's attributes hold the
    geometry, and say it to readers of OME-Zarr too, as far as OME-Zarr can: spacing in mm, no direction.
    """
    attributes = {name: sample.row[name] for name in COLUMNS}
    record = record_of(sample.id, "zarr", Manifest.read(sample.release).digest)
    with placed(out, record) as (place, folder):
        write_volume(place / "ct", sample.ct[...], {**attributes, "unit": "HU"})
        if sample.label != SEALED:
            write_volume(place / "mask", sample.mask[...].astype(np.uint8), attributes, fill_value=0)
        zarr.create_group(str(place), attributes=_described(sample) | attributes | {"export": record})
    return folder


def _described(sample: Sample) -> dict[str, Any]:
    return {
        "sample_id": sample.id,
        "label": sample.label,
        "manipulation": sample.manipulation,
        "generator": sample.row["generator"] or SEALED,
        "synthetic": is_synthetic(sample),
        "notice": notice(sample),
        "ome": {"version": OME_VERSION, "multiscales": [_multiscale(sample, name) for name in _arrays(sample)]},
    }


def _arrays(sample: Sample) -> tuple[str, ...]:
    return ("ct",) if sample.label == SEALED else ("ct", "mask")


def _multiscale(sample: Sample, name: str) -> dict[str, Any]:
    scale = {"type": "scale", "scale": list(sample.geometry.spacing_mm)}
    return {
        "name": name,
        "axes": [{"name": axis, "type": "space", "unit": "millimeter"} for axis in "zyx"],
        "datasets": [{"path": name, "coordinateTransformations": [scale]}],
    }
