"""Sealed samples as a public release has them: a volume each, and a row that tells nothing but its geometry."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from tqdm import tqdm

from m3dsynth_dataset import Release, Sample
from m3dsynth_dataset.manifest import MANIFEST
from m3dsynth_dataset.schema import FEATURES, arrow_schema, volume_path
from m3dsynth_dataset.scoring import Truth
from m3dsynth_dataset.staging import staged
from m3dsynth_dataset.volume import write_volume

ORIGIN_MM = [0.0, 0.0, 0.0]
"""Of every sealed scan: its own is almost a name. Detectors need the spacing and the direction."""
KEPT = ("source", "shape_zyx", "spacing_mm", "direction")
"""Columns that a sealed row has of its source. The others would tell, or are another's."""


@dataclass(frozen=True)
class SealedSample:
    """One that goes out."""

    name: str
    """Of sample, scan and patient, which are one here."""
    truth: Truth
    """With the public ids."""
    source_id: str
    """In the release that is sealed."""


def write_volumes(release: Release, samples: Sequence[SealedSample], work: Path) -> Path:
    """Write the volumes of the samples, each as it was drawn, through the writer of the pristine ones.

    Args:
        release: That is sealed.
        samples: Those that go out, in the order of their names.
        work: Folder for the volumes; those that lie there are not written again.

    Returns:
        The folder, which has them at the paths that rows name.
    """
    # Files of one age: how long it took to write them is nobody's business.
    age = (release.path / MANIFEST).stat().st_mtime
    for sample in tqdm(samples, desc="sealing", unit="scan", disable=None):
        path = work / volume_path(sample.name)
        if not path.is_dir():
            source = release.sample(sample.source_id)
            with staged(path) as place:
                write_volume(place, source.ct[...], _attributes(sample, source))
                _set_age(place, age)
    return work


def sealed_rows(release: Release, samples: Sequence[SealedSample]) -> pa.Table:
    """The rows of the samples, in the order given."""
    rows = []
    for sample in samples:
        source = release.sample(sample.source_id).row
        known = {
            "sample_id": sample.truth.sample_id,
            "scan_id": sample.truth.scan_id,
            "patient_id": sample.truth.patient_id,
            "origin_mm": ORIGIN_MM,
            "volume": volume_path(sample.name),
        }
        rows.append(dict.fromkeys(FEATURES) | {name: source[name] for name in KEPT} | known)
    return pa.Table.from_pylist(rows, schema=arrow_schema())


def _attributes(sample: SealedSample, source: Sample) -> dict[str, Any]:
    """Those of any volume, in the same order."""
    return {
        "scan_id": sample.truth.scan_id,
        "patient_id": sample.truth.patient_id,
        "unit": "HU",
        "spacing_mm": list(source.row["spacing_mm"]),
        "origin_mm": ORIGIN_MM,
        "direction": list(source.row["direction"]),
    }


def _set_age(folder: Path, age: float) -> None:
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (age, age))
