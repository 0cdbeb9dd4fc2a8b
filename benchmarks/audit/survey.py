"""The survey: what the audit reads of a release, every volume and every edit once.

Of a volume stays a histogram while its edits are looked at, and a few numbers after that, so memory does not grow with
the length or the number of scans.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.audit.alteration import Alteration, alteration
from benchmarks.audit.fingerprint import slice_prints
from benchmarks.audit.histogram import Histogram, Values, histogram_of, histogram_of_volume, statistics
from m3dsynth_dataset import Release, Sample
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.layout import METADATA
from m3dsynth_dataset.schema import BINARY_COLUMNS, FEATURES, LABELS, MANIPULATIONS, SEALED, class_name
from m3dsynth_dataset.shard import VoxelSource
from m3dsynth_dataset.verification.side_by_side import each_of

WORKERS = min(4, os.cpu_count() or 1)
OF_THE_SCAN = frozenset(("scan_id", "patient_id", "spacing_mm", "origin_mm", "direction"))
"""Attributes of a volume that differ from scan to scan, and are columns of its rows."""

Row = dict[str, Any]
"""Columns of the release without patch and mask; ``config``, ``split``, ``index`` in its file, ``is_edited``, and the
names of label and manipulation instead of their numbers."""


@dataclass(frozen=True)
class Scanned:
    """A volume."""

    form: str
    """How it is stored: its metadata without what differs from scan to scan."""
    age: float | None
    """When its voxels were written, in seconds; None where the release is not on this machine."""
    prints: frozenset[str]
    """Of its slices; see :mod:`benchmarks.audit.fingerprint`."""
    statistics: dict[str, dict[str, float]]
    """Of every sample of it, by id, with its edit, in HU."""
    alterations: dict[str, Alteration]
    """What its edits did, by sample."""


@dataclass(frozen=True)
class Survey:
    """What the audit knows of a release."""

    release: Release
    rows: list[Row]
    volumes: dict[str, Scanned] = field(repr=False)
    """By path."""

    @property
    def is_sealed(self) -> bool:
        """Whether there are rows that do not tell what they are."""
        return any(row["label"] == SEALED for row in self.rows)

    def of(self, *labels: str) -> list[Row]:
        """The rows of some labels."""
        return [row for row in self.rows if row["label"] in labels]

    def alterations(self, *labels: str) -> list[tuple[Row, Alteration]]:
        """The edits of some labels."""
        return [
            (row, found)
            for row in self.of(*labels)
            if (found := self.volumes[row["volume"]].alterations.get(row["sample_id"]))
        ]

    def statistics(self, row: Row) -> dict[str, float]:
        """Of a sample's whole scan."""
        return self.volumes[row["volume"]].statistics[row["sample_id"]]


def survey(release: Release) -> Survey:
    """Read what the audit needs, with a progress bar on a terminal.

    Raises:
        DamagedReleaseError: If something cannot be read.
    """
    rows = list(_rows(release))
    by_volume: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_volume[row["volume"]].append(row)
    tasks = list(by_volume.items())
    found = each_of(lambda task: _scanned(release, *task), tasks, WORKERS, "auditing", "scan", lambda _: 1)
    return Survey(release, rows, {path: scanned for (path, _), scanned in zip(tasks, found, strict=True)})


def _rows(release: Release) -> Iterator[Row]:
    columns = [name for name in FEATURES if name not in BINARY_COLUMNS]
    for config, splits in release.splits.items():
        for split in splits:
            for index, row in enumerate(release.rows(config, split, columns).to_pylist()):
                names = {
                    "label": class_name(LABELS, row["label"]),
                    "manipulation": class_name(MANIPULATIONS, row["manipulation"]),
                }
                is_edited = row["box_start_zyx"] is not None
                yield row | names | {"config": config, "split": str(split), "index": index, "is_edited": is_edited}


def _scanned(release: Release, path: str, rows: list[Row]) -> Scanned:
    source = release.volumes.open(path)
    whole = Values(histogram_of_volume(source.read, source.shape))
    plain = statistics(whole.histogram)
    of_samples, alterations = {}, {}
    for row in rows:
        of_samples[row["sample_id"]] = plain
        if row["is_edited"]:
            edited, alterations[row["sample_id"]] = _edited(release.sample(row), source, whole)
            of_samples[row["sample_id"]] = statistics(edited)
    place = release.path / path
    return Scanned(_form(place), _age(place), slice_prints(source), of_samples, alterations)


def _edited(sample: Sample, source: VoxelSource, whole: Values) -> tuple[Histogram, Alteration]:
    """The histogram of a whole sample, for which only the edit's box is read, and what the edit did."""
    start, shape = (tuple(map(int, sample.row[name])) for name in ("box_start_zyx", "box_shape_zyx"))
    box = Box(start, shape)  # type: ignore[arg-type]  # three, by the schema
    base, patch = source.read(box), sample.ct[box.slices()]
    edited = whole.histogram - histogram_of(base) + histogram_of(patch)
    return edited, alteration(base, patch, sample.mask[box.slices()], whole)


def _form(volume: Path) -> str:
    """How a volume is stored; the shape and what follows from it belong to the scan."""
    if not (volume / METADATA).is_file():  # on the Hub; the reader has held it against the manifest
        return ""
    metadata = json.loads((volume / METADATA).read_bytes())
    metadata.pop("shape", None)
    metadata.pop("chunk_grid", None)
    attributes = metadata.get("attributes", {})
    metadata["attributes"] = {name: None if name in OF_THE_SCAN else value for name, value in attributes.items()}
    return json.dumps(metadata)


def _age(volume: Path) -> float | None:
    times = [path.stat().st_mtime for path in volume.rglob("*") if path.is_file()]
    return float(np.max(times)) if times else None
