"""The manifest of a release, and the files that it lists, against those that are there."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from m3dsynth_dataset.manifest import MANIFEST, FileRecord, Manifest, digest_of, record_file
from m3dsynth_dataset.schema import FORMAT_VERSION, is_compatible
from m3dsynth_dataset.verification.finding import COPY_AGAIN, REMOVE, UPDATE, Finding, brief, message
from m3dsynth_dataset.verification.side_by_side import each_of

LEFT_BY_TRANSPORT = (".gitattributes", ".git/", ".cache/huggingface/")


_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_manifest(release: Path) -> tuple[Manifest | None, list[Finding]]:
    """The manifest as far as it can be read, and what is wrong with it."""
    try:
        text = (release / MANIFEST).read_bytes().decode()
        raw = json.loads(text)
        version, digest, files, built = (raw[name] for name in ("format_version", "digest", "files", "built"))
        entries = {name: _record(name, entry) for name, entry in files.items()}
    except Exception as error:
        rule = "is the manifest of a release"
        return None, [Finding(MANIFEST, rule, message(error), f"{COPY_AGAIN}; without it no file can be checked")]
    records = {name: entry for name, entry in entries.items() if isinstance(entry, FileRecord)}
    manifest = Manifest(str(version), str(digest), records, built if isinstance(built, dict) else {})
    findings = [entry for entry in entries.values() if isinstance(entry, Finding)]
    if not is_compatible(version):
        rule = f"format_version is one that this version of m3dsynth reads ({FORMAT_VERSION})"
        findings.append(Finding(MANIFEST, rule, brief(version), UPDATE))
    if not findings and (expected := digest_of(records)) != digest:
        rule = f"digest is that of the files it lists, {expected}"
        findings.append(Finding(MANIFEST, rule, brief(digest), COPY_AGAIN))
    if not isinstance(built, dict):
        findings.append(Finding(MANIFEST, "says in 'built' how the release was built", brief(built), COPY_AGAIN))
    if not _is_as_written(text, raw):
        rule = "is as it was written, keys in order and one space of indentation"
        findings.append(Finding(MANIFEST, rule, "other bytes", COPY_AGAIN))
    return manifest, findings


def _is_as_written(text: str, raw: object) -> bool:
    try:
        return text == json.dumps(raw, indent=1, sort_keys=True) + "\n"
    except RecursionError:
        return False


def _record(name: str, entry: object) -> FileRecord | Finding:
    if not is_inside(name):
        return Finding(MANIFEST, "names files by their path in the release", repr(name), COPY_AGAIN)
    if isinstance(entry, dict) and entry.keys() == {"size", "sha256"}:
        size, sha256 = entry["size"], entry["sha256"]
        if type(size) is int and isinstance(sha256, str) and _SHA256.fullmatch(sha256):
            return FileRecord(size, sha256)
    return Finding(MANIFEST, f"has size and sha256 of {name}", brief(entry), COPY_AGAIN)


def is_inside(name: str) -> bool:
    """Whether a name is a plain path in the release, and leads nowhere else."""
    path = PurePosixPath(name)
    is_plain = str(path) == name and name.isprintable()
    return is_plain and bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def present_files(release: Path) -> list[str]:
    """Every file that is there but the manifest, whatever it is, and every folder that holds nothing."""
    found = []
    for folder, folders, files in os.walk(release):
        base = Path(folder).relative_to(release)
        found += [(base / name).as_posix() for name in files]
        if not folders and not files and base.parts:
            found.append(f"{base.as_posix()}/")
    return sorted(name for name in found if name != MANIFEST and not name.startswith(LEFT_BY_TRANSPORT))


def check_unlisted(release: Path, present: Iterable[str], listed: set[str]) -> Iterator[Finding]:
    """What is there and should not be."""
    for name in present:
        if name not in listed:
            kind = "an empty folder" if name.endswith("/") else f"a file of {_size(release / name)} bytes"
            yield Finding(name, "the manifest lists it", f"{kind} that it does not know", REMOVE)


def is_file(path: Path) -> bool:
    """Whether there is a file; not, if its folder may not be read."""
    try:
        return path.is_file()
    except OSError:  # a folder that may not be read
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a link to nothing
        return 0


def check_files(release: Path, files: dict[str, FileRecord], quick: bool, workers: int) -> Iterator[Finding]:
    """Whether every file is there, as large as listed and, unless quick, of the same content."""

    def check(name: str) -> list[Finding]:
        return list(_check_file(release / name, name, files[name], quick))

    for findings in each_of(check, sorted(files), workers, "files", "B", lambda name: files[name].size):
        yield from findings


def _check_file(path: Path, name: str, listed: FileRecord, quick: bool) -> Iterator[Finding]:
    try:
        if not path.is_file():
            yield Finding(name, "the file is there", "none" if not path.exists() else "no file", COPY_AGAIN)
        elif (size := path.stat().st_size) != listed.size:
            yield Finding(name, f"size is {listed.size} bytes", f"{size} bytes", COPY_AGAIN)
        elif not quick and (sha256 := record_file(path).sha256) != listed.sha256:
            yield Finding(name, f"sha256 is {listed.sha256}", sha256, COPY_AGAIN)
    except Exception as error:
        yield Finding(name, "the file can be read", message(error), COPY_AGAIN)
