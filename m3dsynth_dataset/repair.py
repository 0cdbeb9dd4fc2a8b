"""Repairing a release on this machine: files that are damaged or missing are fetched from the Hub."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Never

from tqdm import tqdm

from m3dsynth_dataset.errors import DamagedReleaseError, ReleaseNotFoundError
from m3dsynth_dataset.hub import Snapshot
from m3dsynth_dataset.manifest import MANIFEST, FileRecord, Manifest, digest_of, record_file
from m3dsynth_dataset.staging import staged

PART = 8 * 1024 * 1024
"""Bytes that are asked for at a time."""
GIVE = "give the revision that this release is of"


@dataclass
class Repairs:
    """What became of the files that were to be repaired, by their paths in the release."""

    repaired: list[str] = field(default_factory=list)
    """Fetched, and now what the manifest says."""
    sound: list[str] = field(default_factory=list)
    """There was nothing to repair, such as when an earlier repair was stopped after them."""
    left: dict[str, str] = field(default_factory=dict)
    """As they were, and why."""


def repair(
    release: Path,
    places: Iterable[str],
    repo_id: str,
    revision: str | None = None,
    token: str | bool | None = None,
) -> Repairs:
    """Fetch files of a release from the Hub.

    A file is put in its place only when it is whole and what the manifest of the release **here** says: a release is
    never mixed with another. Stopped at any moment, it goes on with the files that are left.

    Args:
        release: Folder of the release.
        places: Paths in it, of files or of folders with all that must be in them. If the manifest is one of them, or
            cannot be read, that of the Hub is taken; but not when it contradicts itself, or is of another release.
        repo_id: ORG/NAME of the release on the Hub.
        revision: Branch, tag or commit there; the main branch when omitted.
        token: Of a user of the Hub; the one who is logged in when omitted.

    Raises:
        ReleaseNotFoundError: If there is no such folder, or no release on the Hub.
        HubAccessError: If it is gated, and the user has no access.
        HubUnavailableError: If the Hub cannot be reached; what was repaired by then stays so.
        FormatVersionError: If this version cannot read the release.
        DamagedReleaseError: If there is no manifest to go by.
    """
    if not release.is_dir():
        raise ReleaseNotFoundError(f"{release}: no release there to repair (it is no folder)")
    snapshot = Snapshot.find(repo_id, revision, token)
    there = Manifest.read(snapshot.folder)
    repairs, wanted = Repairs(), list(dict.fromkeys(places))
    here = _manifest(release, wanted, snapshot, there, repairs)
    due = dict(_due(release, wanted, here, there, snapshot, repairs))
    sizes = sum(record.size for record in due.values())
    with tqdm(total=sizes, unit="B", unit_scale=True, desc="repair", leave=False, disable=None) as progress:
        for place, record in due.items():
            try:
                _fetch(snapshot, release, place, record, progress)
                repairs.repaired.append(place)
            except DamagedReleaseError as error:
                repairs.left[place] = str(error)
    return repairs


def _manifest(release: Path, wanted: list[str], snapshot: Snapshot, there: Manifest, repairs: Repairs) -> Manifest:
    """The manifest to go by, which is repaired first if it must be."""
    here, fault = _read(release)
    if here is not None and MANIFEST not in wanted:
        return here
    source = snapshot.folder / MANIFEST
    if here is not None and (release / MANIFEST).read_bytes() == source.read_bytes():
        repairs.sound.append(MANIFEST)
        return here
    objection = _objection(release, wanted, here, there)
    if objection is None:
        with staged(release / MANIFEST) as place:
            shutil.copyfile(source, place)
        repairs.repaired.append(MANIFEST)
        return there
    reason = f"the manifest on the Hub ({snapshot}, digest {there.digest[:12]}) cannot take its place: {objection}"
    if here is None:
        raise DamagedReleaseError(f"{fault}; {reason}")
    repairs.left[MANIFEST] = reason
    return here


def _read(release: Path) -> tuple[Manifest | None, str]:
    try:
        return Manifest.read(release), ""
    except (ReleaseNotFoundError, DamagedReleaseError) as error:
        return None, str(error)


def _objection(release: Path, wanted: list[str], here: Manifest | None, there: Manifest) -> str | None:
    """Why a manifest must not become that of a release."""
    if (digest := digest_of(there.files)) != there.digest:
        return f"it contradicts itself (the files that it lists have digest {digest[:12]})"
    if here is not None and here.digest == digest_of(here.files) != there.digest:
        return f"it is of another release (this one has digest {here.digest[:12]}); {GIVE}"
    if (other := _of_another_release(release, wanted, there)) is not None:
        return f"it is of another release ({other}); {GIVE}"
    return None


def _of_another_release(release: Path, wanted: list[str], there: Manifest) -> str | None:
    """What shows that a folder is not the release that a manifest describes, by the sizes of files that are sound."""
    for place, record in there.files.items():
        path = release / place
        if path.is_file() and not _named(place, wanted) and (size := path.stat().st_size) != record.size:
            return f"{place} has {size} bytes here and {record.size} there"
    return None


def _due(
    release: Path, wanted: list[str], here: Manifest, there: Manifest, snapshot: Snapshot, repairs: Repairs
) -> Iterator[tuple[str, FileRecord]]:
    """The files to fetch; what need not or cannot be fetched is noted."""
    for place in (place for place in wanted if place != MANIFEST):
        listed = [name for name in here.files if _named(name, [place]) and _is_inside(name)]
        if not listed:
            repairs.left[place] = "the manifest of the release does not list it; nothing of the release is there"
        for name in listed:
            record, path = here.files[name], release / name
            if path.is_file() and record_file(path) == record:
                repairs.sound.append(name)
            elif there.files.get(name) != record:
                has = "has another version of it" if name in there.files else "does not have it"
                repairs.left[name] = f"the release on the Hub ({snapshot}, digest {there.digest[:12]}) {has}; {GIVE}"
            else:
                yield name, record


def _named(name: str, places: list[str]) -> bool:
    """Whether a file is one of some places, or in one of them."""
    return any(name == place or name.startswith(f"{place.rstrip('/')}/") for place in places)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _fetch(snapshot: Snapshot, release: Path, place: str, record: FileRecord, progress: tqdm[Never]) -> None:
    with staged(release / place) as path:
        with path.open("wb") as file:
            for start in range(0, record.size, PART):
                data = snapshot.read(place, start, min(start + PART, record.size))
                file.write(data)
                progress.update(len(data))
        if (got := record_file(path)) != record:
            raise DamagedReleaseError(
                f"what the Hub sent ({snapshot}) is not what the manifest says: sha256 {got.sha256[:12]}, not "
                f"{record.sha256[:12]}; it was not installed"
            )
