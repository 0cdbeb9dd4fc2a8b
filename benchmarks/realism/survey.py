"""The way through a release: every edit, its place before, and places beside it; only boxes around edits are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from benchmarks.errors import BenchmarkError
from benchmarks.realism.collection import Collection
from benchmarks.realism.embedding import Embedding
from benchmarks.realism.seam import Jumps
from benchmarks.realism.setting import Setting
from benchmarks.realism.strip import Strip, strip
from m3dsynth_dataset import Release
from m3dsynth_dataset.configs import in_order
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import MANIPULATIONS, PRISTINE, SEALED, class_name

COLUMNS = [
    "sample_id", "scan_id", "patient_id", "site_id", "manipulation", "generator", "source", "box_start_zyx",
    "box_shape_zyx", "spacing_mm",
]  # fmt: skip
SHOWN = 4
"""Edits of a config that are shown as pictures."""

Row = dict[str, Any]


@dataclass(eq=False)
class Edits:
    """The edits of a config."""

    config: str
    generator: str
    manipulation: str
    collection: Collection = field(default_factory=Collection)
    seams: list[tuple[Jumps, Jumps, Jumps]] = field(default_factory=list)
    """Of each: in the edit, at the same faces before, and at those of windows beside it."""
    too_thin: list[str] = field(default_factory=list)
    """Samples in whose mask there is no room to measure."""
    strips: list[Strip] = field(default_factory=list)

    def add(self, sample: Sample, setting: Setting, embedding: Embedding | None) -> None:
        """Measure an edit in its setting."""
        setting.add_edit(self.collection, sample.ct, embedding)
        self.seams.append(setting.seam(sample.ct))
        if len(self.strips) < SHOWN and all(shown.patient != setting.patient for shown in self.strips):
            self.strips.append(strip(sample, setting.window))


@dataclass(eq=False)
class Survey:
    """What was measured in a release."""

    release: Release
    splits: tuple[str, ...]
    sources: tuple[str, ...]
    edits: list[Edits]
    before: dict[str, Collection]
    """The places of edits as they were, by manipulation."""
    beside: dict[str, Collection]
    """Their twins, by manipulation: see :mod:`benchmarks.realism.setting`."""


def survey(release: Release, splits: Sequence[str], embedding: Embedding | None = None) -> Survey:
    """Measure every edit of some splits.

    Args:
        release: Open.
        splits: Of ``train``, ``validation``, ``test``.
        embedding: Features of places, if there are to be any.

    Raises:
        BenchmarkError: If the release is sealed, has no edits there, or all are too thin to measure.
    """
    rows = _rows(release, splits)
    found = Survey(release, tuple(splits), tuple(sorted({row["source"] for row in rows})), _configs(rows), {}, {})
    sites = _sites(rows)
    for site in tqdm(sites, desc="places", unit="place", disable=None):
        _measure(found, site, embedding)
    if not any(len(each.collection) for each in found.edits):
        first = found.edits[0].too_thin[0]
        raise BenchmarkError(
            f"{release.name}: every mask is too thin to measure, such as that of {first}: a spectrum needs a box of 8 "
            "x 8 voxels in plane wholly inside the mask, and 4 x 4 of them 3 mm away from its border"
        )
    return found


def _rows(release: Release, splits: Sequence[str]) -> list[Row]:
    if SEALED in release.configs:
        raise BenchmarkError(
            f"{release.name}: its test is sealed, so nobody knows what was edited where; use the open release"
        )
    rows = [row for config, split in _parts(release, splits) for row in _read(release, config, split)]
    if not rows:
        raise BenchmarkError(
            f"{release.name}: no edits in {', '.join(splits)}; choose another --split, or build it with inpainters"
        )
    return rows


def _parts(release: Release, splits: Sequence[str]) -> Iterator[tuple[str, str]]:
    for config in in_order(release.configs):
        for split in release.splits[config]:
            if config != PRISTINE and split in splits:
                yield config, split


def _read(release: Release, config: str, split: str) -> list[Row]:
    rows: list[Row] = release.rows(config, split, COLUMNS).to_pylist()
    return [row | {"config": config, "manipulation": class_name(MANIPULATIONS, row["manipulation"])} for row in rows]


def _configs(rows: Sequence[Row]) -> list[Edits]:
    names = dict.fromkeys((row["config"], row["generator"], row["manipulation"]) for row in rows)
    return [Edits(*name) for name in names]


def _sites(rows: Sequence[Row]) -> list[list[Row]]:
    """Samples by place, and places by scan, so that a scan's chunks are read together."""
    sites: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = (row["scan_id"], row["manipulation"], *row["box_start_zyx"], *row["box_shape_zyx"])
        sites.setdefault(key, []).append(row)
    return [sites[key] for key in sorted(sites)]


def _measure(found: Survey, site: Sequence[Row], embedding: Embedding | None) -> None:
    """A place: what it was like is measured once, in the frame of its first sample."""
    setting: Setting | None = None
    for row in site:
        sample = found.release.sample(row["sample_id"])
        edits = next(each for each in found.edits if each.config == row["config"])
        is_first = setting is None
        if setting is None or not setting.fits(sample):
            setting = Setting.of(sample)
        if setting is None:
            edits.too_thin.append(sample.id)
            continue
        edits.add(sample, setting, embedding)
        if is_first:
            before = found.before.setdefault(edits.manipulation, Collection())
            setting.add_before(before, sample.pristine, embedding)
            beside = found.beside.setdefault(edits.manipulation, Collection())
            setting.add_twin(beside, sample.pristine, embedding)
