"""The manifest of a release: its format, its digest, every file's checksum, and how it was built."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from m3dsynth_dataset.errors import DamagedReleaseError, FormatVersionError, ReleaseNotFoundError
from m3dsynth_dataset.schema import FORMAT_VERSION, is_compatible

MANIFEST = "manifest.json"
CARD = "README.md"
CROISSANT = "croissant.json"
BENCHMARK = "eval.yaml"

_QUOTES_THE_DIGEST = frozenset((CARD, CROISSANT))


@dataclass(frozen=True)
class FileRecord:
    """What a file of a release must be."""

    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.json`` holds."""

    format_version: str
    digest: str
    """One checksum for the whole content: rows and volumes. Card and croissant.json quote it, so they do not count."""
    files: dict[str, FileRecord]
    """By path relative to the release; every file but the manifest itself."""
    built: dict[str, Any] = field(default_factory=dict)
    """Inputs, weights, seeds and versions."""

    @classmethod
    def read(cls, release: Path) -> "Manifest":
        """Read the manifest of a release.

        Raises:
            ReleaseNotFoundError: If there is none.
            DamagedReleaseError: If it is not such a manifest.
            FormatVersionError: If the release was written in a format this version cannot read.
        """
        path = release / MANIFEST
        if not path.is_file():
            raise ReleaseNotFoundError(
                f"{release}: no release there (it has no {MANIFEST}); build one with `python -m builder build`"
            )
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            version = raw["format_version"]
            files = {name: FileRecord(**record) for name, record in raw["files"].items()}
            manifest = cls(version, raw["digest"], files, raw["built"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedReleaseError(f"{path}: not the manifest of a release ({error})") from error
        if not is_compatible(version):
            raise FormatVersionError(
                f"{release}: format {version}, this version of m3dsynth reads format {FORMAT_VERSION}; "
                "install the version that the release's card names"
            )
        return manifest

    def write(self, release: Path) -> None:
        """Write the manifest into a release."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True)
        (release / MANIFEST).write_text(text + "\n", encoding="utf-8")


def record_files(release: Path) -> dict[str, FileRecord]:
    """Size and checksum of every file of a release but its manifest."""
    paths = sorted(path for path in release.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(release).as_posix(): record_file(path) for path in paths}


def digest_of(files: dict[str, FileRecord]) -> str:
    """The digest of a release's content: every file's path and checksum, but of those that quote the digest."""
    lines = (f"{path} {record.sha256}\n" for path, record in sorted(files.items()) if path not in _QUOTES_THE_DIGEST)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def record_file(path: Path) -> FileRecord:
    """Size and checksum of a file."""
    with path.open("rb") as file:
        return FileRecord(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
