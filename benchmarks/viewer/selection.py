"""Which samples are shown, and in which order."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest

from benchmarks.errors import BenchmarkError
from m3dsynth_dataset import Release
from m3dsynth_dataset.configs import in_order, is_control
from m3dsynth_dataset.errors import ExportError
from m3dsynth_dataset.export.selection import Entry, select
from m3dsynth_dataset.schema import ALL

EVERY_SPLIT = "all"


def choose(
    release: Release, configs: Sequence[str] = (), split: str = EVERY_SPLIT, limit: int | None = None
) -> list[Entry]:
    """The samples to show, those of a patient and of a site beside each other.

    Args:
        release: Which.
        configs: Such as ``dm-injection``, or ``all``; every config and the control's when empty.
        split: train, validation, test, or ``all``.
        limit: Most samples; taken from all configs in turn.

    Raises:
        BenchmarkError: If the release has no such rows, or the limit leaves nothing.
    """
    if limit is not None and limit < 1:
        raise BenchmarkError(f"--limit must be >= 1 sample, got {limit}")
    parts = [_rows(release, config, split) for config in _named(release, configs, split)]
    in_turn = [entry for entry in chain.from_iterable(zip_longest(*parts)) if entry is not None]
    once = list({entry.sample_id: entry for entry in in_turn}.values())
    return sorted(once[:limit], key=_order)


def _named(release: Release, configs: Sequence[str], split: str) -> list[str]:
    """Configs that have rows of their own; one that was named stays, if only to be refused."""
    there = [name for name in release.configs if split == EVERY_SPLIT or split in release.splits[name]]
    meant = {ALL: [name for name in there if not is_control(name)]}
    named = {name for config in configs for name in meant.get(config, [config])} if configs else set(there)
    if not named:
        known = sorted({each for splits in release.splits.values() for each in splits})
        raise BenchmarkError(f"{release.name} has no rows of split {split!r}; it has {', '.join(known)}")
    return in_order(named)


def _rows(release: Release, config: str, split: str) -> list[Entry]:
    try:
        return select(release, config=config, split=None if split == EVERY_SPLIT else split)
    except ExportError as error:
        raise BenchmarkError(f"{error}; or {ALL!r} for all but the control") from error


def _order(entry: Entry) -> tuple[str, bool, list[tuple[int, str]], bool, str]:
    site = entry.sample_id.partition("/")[2]
    return entry.patient_id, entry.label != "pristine", _natural(site), entry.label == "control", entry.generator


def _natural(name: str) -> list[tuple[int, str]]:
    """A name to sort by, in which inj_9 comes before inj_12."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def slugs(sample_ids: Sequence[str]) -> Iterator[str]:
    """A name for each sample that is fit for a file and an address, whatever a release calls it."""
    taken: set[str] = set()
    for sample_id in sample_ids:
        stem = re.sub(r"[^A-Za-z0-9.-]+", "_", sample_id).strip("._-")[:100] or "sample"
        number = 1
        while (slug := stem if number == 1 else f"{stem}~{number}").lower() in taken:
            number += 1
        taken.add(slug.lower())
        yield slug
