"""The sites of a release, with what is known of their nodules, and every version of each.

A site of a removal lies on its nodule. A site of an injection lies 5 voxels beside a small one in y and in x: a release
has no other places, so that is where the classifier learns and judges. Shifts in its training make up for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.errors import BenchmarkError
from m3dsynth_dataset import Release
from m3dsynth_dataset.configs import in_order
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import MANIPULATIONS, PRISTINE, SEALED, class_name
from m3dsynth_dataset.types import Triple

COLUMNS = [
    "sample_id", "site_id", "scan_id", "patient_id", "manipulation", "generator", "centre_zyx", "spacing_mm",
    "nodule_diameter_mm", "malignancy", "readers",
]  # fmt: skip


@dataclass(frozen=True)
class Site:
    """A place of a scan, its nodule, and the samples that were edited there."""

    site_id: str
    scan_id: str
    patient_id: str
    split: str
    manipulation: str
    centre_zyx: Triple
    spacing_mm: tuple[float, float, float]
    rating: float | None
    """Mean over readers, 1 to 5; None where no reader has rated it."""
    diameter_mm: float | None
    nodule: tuple[Any, ...]
    """Equal for the sites of one nodule."""
    samples: dict[str, str] = field(default_factory=dict)
    """Sample ids by generator."""

    def anyone(self, release: Release) -> Sample:
        """One of its samples, whose pristine scan is that of all."""
        return release.sample(next(iter(self.samples.values())))


def sites_of(release: Release, splits: Sequence[str] = ("train", "validation", "test")) -> list[Site]:
    """All sites of some splits, in the order of the release's rows.

    Raises:
        BenchmarkError: If the release does not tell what was edited, or has no sites there.
    """
    if SEALED in release.configs:
        raise BenchmarkError(
            f"{release.name}: its test is sealed, so nobody knows what was edited where; use the open release"
        )
    found: dict[tuple[str, str, str], Site] = {}
    for split, row in _rows(release, splits):
        key = (row["scan_id"], class_name(MANIPULATIONS, row["manipulation"]), row["site_id"])
        found.setdefault(key, _site(split, row)).samples[row["generator"]] = row["sample_id"]
    if not found:
        raise BenchmarkError(f"{release.name}: no edits in {', '.join(splits)}; build it with inpainters")
    return list(found.values())


def _rows(release: Release, splits: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for config in in_order(release.configs):
        for split in release.splits[config]:
            if config != PRISTINE and split in splits:
                for row in release.rows(config, split, COLUMNS).to_pylist():
                    yield str(split), row


def _site(split: str, row: dict[str, Any]) -> Site:
    z, y, x = (int(index) for index in row["centre_zyx"])
    dz, dy, dx = (float(step) for step in row["spacing_mm"])
    return Site(
        site_id=row["site_id"],
        scan_id=row["scan_id"],
        patient_id=row["patient_id"],
        split=split,
        manipulation=class_name(MANIPULATIONS, row["manipulation"]),
        centre_zyx=(z, y, x),
        spacing_mm=(dz, dy, dx),
        rating=row["malignancy"],
        diameter_mm=row["nodule_diameter_mm"],
        nodule=(row["scan_id"], row["nodule_diameter_mm"], row["malignancy"], row["readers"]),
    )
