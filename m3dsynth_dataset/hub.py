"""Releases on the Hugging Face Hub: one commit of a data set, and its files as far as they are needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    snapshot_download,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # documented, but loaded lazily
    build_hf_headers,
    hf_raise_for_status,
    http_backoff,
)

from m3dsynth_dataset.errors import (
    DamagedReleaseError,
    HubAccessError,
    HubUnavailableError,
    ReleaseNotFoundError,
)
from m3dsynth_dataset.manifest import MANIFEST, FileRecord, record_file

KIND = "dataset"
"""Of the repository."""
ROWS = "data/"
"""What the files of rows begin with."""
_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_repo_id(name: str) -> bool:
    """Whether a string has the form ORG/NAME."""
    return _ID.fullmatch(name) is not None


@dataclass(frozen=True)
class Snapshot:
    """One commit of a release on the Hub. What is downloaded of it lies in the cache of ``huggingface_hub``."""

    repo_id: str
    commit: str
    """Hash. All files are of this commit, whatever is published later."""
    token: str | bool | None = field(default=None, repr=False)

    @classmethod
    def find(cls, repo_id: str, revision: str | None = None, token: str | bool | None = None) -> Snapshot:
        """The commit that a revision means now, or meant when the Hub was last reached.

        Args:
            repo_id: ORG/NAME.
            revision: Branch, tag or commit; the main branch when omitted.
            token: Of a user of the Hub; the one who is logged in when omitted.

        Raises:
            ReleaseNotFoundError: If there is no such repository or revision, or no release in it.
            HubAccessError: If it is gated, and the user has no access.
            HubUnavailableError: If the Hub cannot be reached, and the release was not opened before.
        """
        try:
            with _said_plainly(repo_id, revision, MANIFEST):
                path = hf_hub_download(repo_id, MANIFEST, repo_type=KIND, revision=revision, token=token)
        except DamagedReleaseError as error:
            raise ReleaseNotFoundError(f"{repo_id}: no release there on the Hub (it has no {MANIFEST})") from error
        return cls(repo_id, Path(path).parent.name, token)

    @property
    def folder(self) -> Path:
        """Where files of this commit are on this machine."""
        manifest = self.cached(MANIFEST)
        return Path(constants.HF_HUB_CACHE) if manifest is None else manifest.parent

    def cached(self, path: str) -> Path | None:
        """A file, if it is on this machine already."""
        found = try_to_load_from_cache(self.repo_id, path, repo_type=KIND, revision=self.commit)
        return Path(found) if isinstance(found, str) else None

    def fetch(self, path: str, record: FileRecord | None = None) -> Path:
        """A file, downloaded if it is not on this machine yet; a connection that breaks is tried five times more.

        Args:
            path: In the release.
            record: What it must be; looked at after a download.

        Raises:
            DamagedReleaseError: If the release on the Hub has no such file, or another one.
            HubUnavailableError: If the Hub cannot be reached.
        """
        if (found := self.cached(path)) is not None:
            return found
        with _said_plainly(self.repo_id, self.commit, path):
            found = Path(hf_hub_download(self.repo_id, path, repo_type=KIND, revision=self.commit, token=self.token))
        if record is not None:
            self._check(path, found, record)
        return found

    def fetch_rows(self, files: Mapping[str, FileRecord]) -> None:
        """Have all files of rows on this machine; those that were not are downloaded and looked at.

        Args:
            files: Of the release's manifest.

        Raises:
            DamagedReleaseError: If the release on the Hub has not these files.
            HubUnavailableError: If the Hub cannot be reached.
        """
        missing = [path for path in files if path.startswith(ROWS) and self.cached(path) is None]
        if not missing:
            return
        with _said_plainly(self.repo_id, self.commit, *missing):
            snapshot_download(
                self.repo_id, repo_type=KIND, revision=self.commit, token=self.token, allow_patterns=[f"{ROWS}*"]
            )
        for path in missing:
            # It may have come without all: of files that the Hub does not have, or that it cannot be asked for.
            self._check(path, self.fetch(path), files[path])

    def fetch_folder(self, path: str) -> Path:
        """A folder with all that is in it.

        Raises:
            HubUnavailableError: If the Hub cannot be reached.
        """
        with _said_plainly(self.repo_id, self.commit, path):
            folder = snapshot_download(
                self.repo_id, repo_type=KIND, revision=self.commit, token=self.token, allow_patterns=[f"{path}/*"]
            )
        return Path(folder, path)

    def identify(self, path: str) -> tuple[int | None, str | None]:
        """Size of a file and, where the Hub says it, its sha256; without downloading it.

        Raises:
            DamagedReleaseError: If the release on the Hub has no such file.
            HubUnavailableError: If the Hub cannot be reached.
        """
        with _said_plainly(self.repo_id, self.commit, path):
            known = get_hf_file_metadata(self._url(path), token=self.token, retry_on_errors=True)
        etag = known.etag or ""
        return known.size, etag if _SHA256.fullmatch(etag) else None

    def read(self, path: str, start: int, stop: int) -> bytes:
        """Bytes of a file, and nothing else of it.

        Raises:
            DamagedReleaseError: If the file ends before.
            HubUnavailableError: If the Hub cannot be reached.
        """
        headers = build_hf_headers(token=self.token) | {
            "Range": f"bytes={start}-{stop - 1}",
            "Accept-Encoding": "identity",
        }
        with _said_plainly(self.repo_id, self.commit, path):
            answer = http_backoff("GET", self._url(path), headers=headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT)
            hf_raise_for_status(answer)
        # A server that knows nothing of ranges sends the whole file.
        data = answer.content[start:stop] if answer.status_code == 200 else answer.content
        if len(data) != stop - start:
            raise DamagedReleaseError(f"{self}: {path}: {len(data)} bytes from {start} on, asked for {stop - start}")
        return data

    def _url(self, path: str) -> str:
        return hf_hub_url(self.repo_id, path, repo_type=KIND, revision=self.commit)

    def _check(self, path: str, found: Path, record: FileRecord) -> None:
        if (got := record_file(found)) != record:
            forget(found)
            raise DamagedReleaseError(
                f"{self}: {path} is not the file that the release's manifest names (what came has {got.size} bytes and "
                f"sha256 {got.sha256[:12]}, the manifest says {record.size} and {record.sha256[:12]}); it was not kept"
            )

    def __str__(self) -> str:
        return f"{self.repo_id}@{self.commit[:12]}"


def forget(cached: Path) -> None:
    """Take a file out of the cache, so that it is downloaded when it is needed again."""
    cached.resolve().unlink(missing_ok=True)
    cached.unlink(missing_ok=True)


@contextmanager
def _said_plainly(repo_id: str, revision: str | None, *paths: str) -> Iterator[None]:
    """Errors of the Hub as this package's own, with what was wanted and what to do."""
    wanted = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more files"
    place, revision = f"{constants.ENDPOINT}/datasets/{repo_id}", revision or constants.DEFAULT_REVISION
    try:
        yield
    except GatedRepoError as error:
        raise HubAccessError(
            f"{repo_id}: access has to be asked for at {place}; when it is granted, log in with `hf auth login` or "
            "give token=..."
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ReleaseNotFoundError(
            f"{repo_id}: no release there on the Hub (no data set at {place}); see whether the name is right and, "
            "if it is private, log in with `hf auth login` or give token=..."
        ) from error
    except RevisionNotFoundError as error:
        raise ReleaseNotFoundError(
            f"{repo_id}: no release there on the Hub (the data set has no revision {revision!r}); {place}/tree lists "
            "branches and tags"
        ) from error
    except RemoteEntryNotFoundError as error:
        raise DamagedReleaseError(
            f"{repo_id}@{revision[:12]}: {wanted} is missing there, though the manifest lists it"
        ) from error
    except (httpx2.HTTPError, OSError) as error:
        raise HubUnavailableError(
            f"{repo_id}: {wanted} is not in the cache on this machine ({constants.HF_HUB_CACHE}), and the Hub cannot "
            f"be asked for it: {_reason(error)}"
        ) from error


def _reason(error: BaseException) -> str:
    if constants.is_offline_mode():
        return "HF_HUB_OFFLINE is set; read it once without"
    while error.__cause__ is not None:
        error = error.__cause__
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
