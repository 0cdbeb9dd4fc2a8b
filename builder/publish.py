"""Publishing a release on the Hub: checked before and after, in parts that a stopped upload need not send again.

Volumes go first, some files to a commit. Rows, card and manifest go in the last one, and with it goes what an older
release left. So whatever commit a reader looks at has the rows of one release, and a manifest only if it is whole.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from builder.repository import Gate, HubFile, HubRepository, PublishError, check_login, hub_errors
from m3dsynth_dataset.manifest import MANIFEST, FileRecord, Manifest, record_file
from m3dsynth_dataset.schema import Split
from m3dsynth_dataset.verification import verify

FILES_PER_COMMIT = 250
"""The Hub takes long over commits of many files."""
SHOWN = 20
"""Findings that an error names; it counts the others."""

_MAY_BE_PUBLIC = ("LIDC-IDRI", "phantom")
_ATTRIBUTES = ".gitattributes"
_OF_A_RELEASE = re.compile(
    rf"data/[^/]+/({'|'.join(Split)})-00000-of-00001\.parquet|volumes/[^/]+\.zarr/.+"
    r"|README\.md|LICENSE|ATTRIBUTION\.md|croissant\.json|eval\.yaml|manifest\.json|statistics\.png"
)
"""Paths of the files that a release consists of."""

Records = dict[str, FileRecord]


@dataclass(frozen=True)
class PublishOptions:
    """How a release is published."""

    private: bool = False
    """Only its owners see it."""
    gate: Gate | None = None
    """Who is asked before they get the files."""
    branch: str | None = None
    """The main one when omitted."""
    message: str | None = None
    """Of the commits."""
    quick: bool = False
    """Check names and sizes only, before."""
    may_pass_on: bool = False
    """That the user's own scans, or what others published, may be public."""


@dataclass(frozen=True)
class Publication:
    """A release on the Hub."""

    repo_id: str
    commit: str
    tag: str
    """Names the commit; the same content has the same."""
    source: str
    """Of its scans; phantom for phantoms."""
    added: int
    """Files that were not there, or were others."""
    added_bytes: int
    deleted: int
    """Files of an older release."""
    left_alone: tuple[str, ...]
    """Files that are there and belong to no release."""

    def __str__(self) -> str:
        kind = "phantoms (computed scans of nobody)" if self.source == "phantom" else f"scans of {self.source}"
        lines = [
            f"{self.repo_id}: {kind}, {self.tag}, commit {self.commit[:12]}; {self.added} files of "
            f"{self.added_bytes:,} bytes added, {self.deleted} deleted; the Hub has what the manifest lists"
        ]
        if self.left_alone:
            lines.append(f"left alone, since they are of no release: {_shown(self.left_alone)}")
        return "\n".join(lines)


@dataclass(frozen=True)
class _Changes:
    """What makes a repository hold a release."""

    volumes: tuple[str, ...]
    """To send first; the others go in the last commit."""
    others: tuple[str, ...]
    stale: tuple[str, ...]
    """To delete."""
    retired: bool
    """Whether the older release's manifest must go before volumes that it lists are replaced."""

    def batches(self) -> list[tuple[str, ...]]:
        """What goes into each commit."""
        starts = range(0, len(self.volumes), FILES_PER_COMMIT)
        batches = [self.volumes[start : start + FILES_PER_COMMIT] for start in starts]
        if (self.others or self.stale) and batches and len(batches[-1]) + len(self.others) <= FILES_PER_COMMIT:
            batches[-1] += self.others
        elif self.others or self.stale:
            batches.append(self.others)
        return batches


def publish(release: Path, repo_id: str, options: PublishOptions = PublishOptions()) -> Publication:
    """Put a release on the Hub, or go on with it.

    Args:
        release: Its folder.
        repo_id: Such as ``ORG/NAME``; made if it is missing.
        options: How.

    Raises:
        ReleaseNotFoundError: If the folder is no release.
        PublishError: If the release does not hold to its manifest, the Hub refuses something, or has in the end
            something else than the manifest lists.
    """
    manifest = check_publishable(release, options)
    wanted = manifest.files | {MANIFEST: record_file(release / MANIFEST)}
    with hub_errors(repo_id):
        repository = HubRepository(repo_id, options.branch)
        repository.create(private=options.private, gate=options.gate)
        head = repository.head()
        there = repository.files(head)
        listed = repository.listed(head)
        if not listed:
            _check_replaceable(repo_id, there.keys() - wanted.keys())
        changes = _changes(release, wanted, there, listed)
        title = options.message or f"M3Dsynth release {manifest.digest[:16]}"
        commit = _upload(repository, head, release, wanted, changes, title)
        then = repository.files(commit)
        _check(repo_id, release, wanted, then, changes.stale)
        tag = f"v-{manifest.digest[:16]}"
        repository.tag(tag, commit)
    added = (*changes.volumes, *changes.others)
    return Publication(
        repo_id,
        commit,
        tag,
        str(manifest.built.get("source")),
        len(added),
        sum(wanted[name].size for name in added),
        len(changes.stale),
        tuple(sorted(then.keys() - wanted.keys() - {_ATTRIBUTES})),
    )


def check_publishable(release: Path, options: PublishOptions) -> Manifest:
    """See that a release may leave this machine; nothing is asked of the Hub.

    Raises:
        ReleaseNotFoundError: If the folder is no release.
        DamagedReleaseError: If its manifest cannot be read.
        FormatVersionError: If its format is another.
        PublishError: If it does not hold to its manifest, may not be passed on, or nobody is logged in.
    """
    check_login()
    manifest = Manifest.read(release)
    if not (options.private or options.may_pass_on) and (why := _why_not_public(manifest.built)):
        raise PublishError(f"{release} holds {why}: publish it with --private, or with --yes if you may make it public")
    findings = verify(release, quick=options.quick)
    if shown := list(islice(findings, SHOWN)):
        rest = sum(1 for _ in findings)
        lines = [*map(str, shown), *([f"and {rest} more"] if rest else [])]
        raise PublishError("\n".join([f"{release} is not published, since it does not hold to its manifest:", *lines]))
    return manifest


def _why_not_public(built: Mapping[str, Any]) -> str | None:
    """What in a release may not be its publisher's to give away."""
    if "imported" in built:
        return "what others published, under a licence that lets it be used without profit only (its LICENSE)"
    return None if built.get("source") in _MAY_BE_PUBLIC else "your own scans, which are their patients' and owners'"


def _changes(release: Path, wanted: Records, there: dict[str, HubFile], listed: frozenset[str]) -> _Changes:
    missing = [
        name for name, record in wanted.items() if name not in there or not there[name].holds(release / name, record)
    ]
    volumes = tuple(sorted(name for name in missing if name.startswith("volumes/")))
    others = {name for name in missing if not name.startswith("volumes/")}
    is_long = len(volumes) + len(others) > FILES_PER_COMMIT
    retired = is_long and MANIFEST in there and any(name in there for name in volumes)
    if retired:
        others.add(MANIFEST)
    unwanted = there.keys() - wanted.keys() - {_ATTRIBUTES}
    stale = [name for name in unwanted if name in listed or _OF_A_RELEASE.fullmatch(name)]
    return _Changes(volumes, tuple(sorted(others)), tuple(sorted(stale)), retired)


def _check_replaceable(repo_id: str, names: Iterable[str]) -> None:
    """Where no release is, a part of one may be there, but nothing else."""
    foreign = sorted(name for name in names if name != _ATTRIBUTES and not _OF_A_RELEASE.fullmatch(name))
    if foreign:
        raise PublishError(
            f"{repo_id}: there is something that is not a release and will not be replaced ({_shown(foreign)}); name "
            "another repository"
        )


def _upload(repository: HubRepository, head: str, release: Path, wanted: Records, changes: _Changes, title: str) -> str:
    """Send what is missing; the last commit, or the one that is there if nothing is."""
    batches = changes.batches()
    size = sum(wanted[name].size for batch in batches for name in batch)
    with tqdm(total=size, desc="uploading", unit="B", unit_scale=True, disable=None) as bar:
        for number, batch in enumerate(batches, start=1):
            delete = [MANIFEST] if changes.retired and number == 1 else []
            delete += changes.stale if number == len(batches) else ()
            message = title if len(batches) == 1 else f"{title} ({number} of {len(batches)})"
            head = repository.commit(head, {name: release / name for name in batch}, delete, message)
            bar.update(sum(wanted[name].size for name in batch))
    return head


def _check(repo_id: str, release: Path, wanted: Records, there: dict[str, HubFile], stale: Sequence[str]) -> None:
    """See that the Hub has what the manifest lists, and nothing of an older release."""
    differences = [f"{name}: missing" for name in wanted if name not in there]
    differences += [
        f"{name}: {there[name]}; should be {record.size} bytes, sha256 {record.sha256}"
        for name, record in wanted.items()
        if name in there and not there[name].holds(release / name, record)
    ]
    differences += [f"{name}: should have been deleted" for name in stale if name in there]
    if differences:
        raise PublishError(
            f"{repo_id}: {len(differences)} files on the Hub are not what the manifest lists; run the same command "
            "again, it sends these alone:\n"
            + "\n".join([*differences[:SHOWN], *(["..."] * (len(differences) > SHOWN))])
        )


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
