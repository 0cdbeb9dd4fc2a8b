"""One line of a board: what a result file says, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.leaderboard.account import Account, plain
from benchmarks.leaderboard.document import Part
from benchmarks.leaderboard.measure import CONTROL, MEASURES
from m3dsynth_dataset.metrics import Interval
from m3dsynth_dataset.scoring.scorecard import OVERALL

GROUP = r"overall|[A-Za-z0-9][A-Za-z0-9._-]{0,79}-(injection|removal)"
HASH = r"[0-9a-f]{64}"
A_HASH = "a sha256, 64 hexadecimal digits"
VERSION = r"[0-9][A-Za-z0-9.+!-]{0,39}"


@dataclass(frozen=True)
class Terms:
    """The terms under which a result came about. Only results of the same terms can be compared."""

    protocol: str
    split: str
    digest: str
    """Of the release."""
    labels: str | None
    """Checksum of sealed labels; None where the release's own were used."""
    scorer: str
    """Version of m3dsynth that scored."""
    calibrated_on: str
    """Whose pristine scans set the threshold of Pd@1%."""


@dataclass(frozen=True)
class Group:
    """The figures on one group of tampered samples; shares from 0 to 1, None where undefined."""

    name: str
    """``overall``, or a config such as ``dm-injection``."""
    tampered: int
    pristine: int
    figures: Mapping[str, Interval | None]
    """By the keys of MEASURES."""
    pooled_f1: float | None
    eer: float | None


@dataclass(frozen=True)
class Entry:
    """A scored submission."""

    file: str
    """Where it was read, for errors."""
    terms: Terms
    release_name: str
    is_phantom: bool
    submission: str
    """Checksum of its predictions."""
    samples: int
    account: Account
    """What was handed in about it."""
    groups: tuple[Group, ...]
    """Overall first."""
    control: Interval | None
    threshold: float
    """Of Pd@1%: an alarm is a score above it."""
    false_alarms: float
    """Share of this split's pristine scans above the threshold."""
    parity: Interval | None
    """Pd@1% overall, with the threshold as in the paper."""
    warnings: tuple[str, ...]
    document: Mapping[str, Any] = field(repr=False, compare=False)
    """The whole result."""

    def figure(self, measure: str, group: str) -> Interval | None:
        """A figure; None where it is undefined, or the group is not there.

        Args:
            measure: A key of MEASURES, or ``control``.
            group: ``overall`` or a config; of the control there is one figure alone.
        """
        if measure == CONTROL:
            return self.control
        return next((each.figures[measure] for each in self.groups if each.name == group), None)

    def worst(self, measure: str) -> tuple[str, Interval] | None:
        """The group where a measure is lowest, the first of several, and the measure there; None if there is none."""
        known = [(each.name, found) for each in self.groups[1:] if (found := each.figures[measure]) is not None]
        return min(known, key=lambda pair: pair[1].value, default=None)


def entry_of(document: Part) -> Entry:
    """The entry of a result.

    Args:
        document: What ``read_result`` gave.

    Raises:
        BenchmarkError: If a figure is no share, or a name, checksum or version is none, by file and key.
    """
    release, submission = document["release"], document["submission"]
    return Entry(
        document.file,
        _terms(document),
        plain(release["name"].value),
        release["phantom"].value,
        submission["sha256"].text(HASH, A_HASH),
        submission["samples"].count(),
        Account.of(submission["metadata"].value),
        _groups(document["groups"]),
        _interval(document["control"]),
        document["threshold"].value,
        document["false_alarms"].share(),
        _parity(document["parity"]["pd"]),
        tuple(plain(warning) for warning in document["warnings"].value),
        document.value,
    )


def _terms(document: Part) -> Terms:
    labels = document["labels"]
    return Terms(
        document["protocol"].text("volume|slab", "'volume' or 'slab'"),
        document["split"].text("train|validation|test", "train, validation or test"),
        document["release"]["digest"].text(HASH, A_HASH),
        None if labels.value is None else labels.text(HASH, f"null or {A_HASH}"),
        document["scorer"].text(VERSION, "a version such as 0.1.0"),
        document["calibrated_on"].text("validation|this split", "'validation' or 'this split'"),
    )


def _groups(part: Part) -> tuple[Group, ...]:
    found = tuple(_group(each) for each in part.items())
    names = [each.name for each in found]
    if names[:1] != [OVERALL] or len(set(names)) < len(names):
        part.refuse(f"groups of different names, {OVERALL!r} first")
    return found


def _group(part: Part) -> Group:
    return Group(
        part["group"].text(GROUP, "'overall', or GENERATOR-injection or GENERATOR-removal"),
        part["tampered"].count(),
        part["pristine"].count(),
        {measure: _interval(part[measure]) for measure in MEASURES},
        _share(part["pooled_f1"]),
        _share(part["eer"]),
    )


def _interval(part: Part) -> Interval | None:
    if part.value is None:
        return None
    found = Interval(part["value"].share(), part["low"].share(), part["high"].share())
    if found.low > found.high:
        part.refuse("an interval whose low is not above its high")
    return found


def _parity(part: Part) -> Interval | None:
    return _interval(part[OVERALL]) if OVERALL in part.value else None


def _share(part: Part) -> float | None:
    return None if part.value is None else part.share()
