"""Scans that are there twice under two names."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from benchmarks.audit.survey import Survey
from benchmarks.audit.verdict import Check, counted


def check_duplicates(survey: Survey) -> Iterator[Check]:
    """By the content of slices, so neither compression, order, mirroring nor an offset in HU hides a copy."""
    holders: dict[str, list[str]] = defaultdict(list)
    for path, volume in survey.volumes.items():
        for each in volume.prints:
            holders[each].append(path)
    shared = Counter(tuple(sorted(paths)) for paths in holders.values() if len(paths) > 1)
    splits = {row["volume"]: row["split"] for row in survey.rows}
    wrong = [
        f"{' = '.join(paths)} ({count} slices{'' if len({splits[path] for path in paths}) == 1 else ', two splits'})"
        for paths, count in sorted(shared.items())
    ]
    yield counted(
        "duplicated scans",
        "no slice is in two volumes, mirrored or shifted in HU either",
        wrong,
        f"{len(survey.volumes)} volumes, {len(holders)} slices",
        "keep one of each; a sealed sample beside its original can be subtracted from it",
    )
