"""A data set's repository on the Hub, as far as publishing needs it."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.hf_api import RepoFile

from builder.errors import BuilderError
from m3dsynth_dataset.manifest import MANIFEST, FileRecord

_AGAIN = "the same command goes on from here; what has been sent is not sent again"

Gate = Literal["auto", "manual"]
"""Who gets access to a gated repository: whoever asks, or whom its owners let in."""


class PublishError(BuilderError):
    """A release that is not published, or not as it is on this machine."""


@dataclass(frozen=True)
class HubFile:
    """What the Hub says of a file, without sending it."""

    size: int
    """Bytes."""
    sha256: str | None
    """Of a large file (LFS, Xet)."""
    blob: str
    """What git calls the content of a small one."""

    def holds(self, path: Path, record: FileRecord) -> bool:
        """Whether it is the file that a manifest lists.

        Args:
            path: The file on this machine.
            record: What it must be.
        """
        if self.size != record.size:
            return False
        if self.sha256 is not None:
            return self.sha256 == record.sha256
        content = path.read_bytes()
        return hashlib.sha256(content).hexdigest() == record.sha256 and _git_blob(content) == self.blob

    def __str__(self) -> str:
        return f"{self.size} bytes, " + (
            f"sha256 {self.sha256}" if self.sha256 is not None else f"git blob {self.blob}"
        )


class HubRepository:
    """One branch of a data set on the Hub.

    Args:
        repo_id: Such as ``ORG/NAME``.
        branch: The main one when omitted.
    """

    def __init__(self, repo_id: str, branch: str | None = None) -> None:
        self.id = repo_id
        self.branch = branch
        self._api = HfApi()

    def create(self, *, private: bool, gate: Gate | None) -> None:
        """Make it, unless it is there.

        Args:
            private: Whether only its owners may see it.
            gate: Whom it asks who they are, from the first byte on; as it was when omitted.

        Raises:
            PublishError: If it is there and public, but must be private.
        """
        self._api.create_repo(self.id, repo_type="dataset", private=private or None, exist_ok=True)
        if private and not self._api.repo_info(self.id, repo_type="dataset").private:
            raise PublishError(
                f"{self.id} is there already and public, and --private was asked for; make it private in its settings "
                "on the Hub, or name another"
            )
        if gate is not None:
            self._api.update_repo_settings(self.id, repo_type="dataset", gated=gate)
        if self.branch is not None:
            self._api.create_branch(self.id, repo_type="dataset", branch=self.branch, exist_ok=True)

    def head(self) -> str:
        """The newest commit."""
        return str(self._api.repo_info(self.id, repo_type="dataset", revision=self.branch).sha)

    def files(self, commit: str) -> dict[str, HubFile]:
        """What the files of a commit are, by path."""
        entries = self._api.list_repo_tree(self.id, repo_type="dataset", revision=commit, recursive=True)
        return {entry.path: _hub_file(entry) for entry in entries if isinstance(entry, RepoFile)}

    def listed(self, commit: str) -> frozenset[str]:
        """The files that a commit's manifest lists; none if it has none that can be read."""
        try:
            path = self._api.hf_hub_download(self.id, MANIFEST, repo_type="dataset", revision=commit)
            return frozenset(json.loads(Path(path).read_text(encoding="utf-8"))["files"])
        except (RemoteEntryNotFoundError, ValueError, KeyError, TypeError):
            return frozenset()

    def commit(self, parent: str, add: Mapping[str, Path], delete: Sequence[str], message: str) -> str:
        """Add, replace and delete files at once; what the Hub has of them is not sent again.

        Args:
            parent: The commit that this one follows; another one in between is an error.
            add: Files on this machine, by their path in the repository.
            delete: Paths in the repository.
            message: For the history.

        Returns:
            The new commit.
        """
        added = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=path) for name, path in add.items()]
        deleted = [CommitOperationDelete(path_in_repo=name, is_folder=False) for name in delete]
        done = self._api.create_commit(
            self.id,
            [*added, *deleted],
            commit_message=message,
            repo_type="dataset",
            revision=self.branch,
            parent_commit=parent,
        )
        return str(done.oid)

    def tag(self, name: str, commit: str) -> None:
        """Give a commit a name, or move the name to it."""
        refs = self._api.list_repo_refs(self.id, repo_type="dataset")
        tagged = {ref.name: ref.target_commit for ref in refs.tags}
        if tagged.get(name) == commit:
            return
        if name in tagged:
            self._api.delete_tag(self.id, repo_type="dataset", tag=name)
        self._api.create_tag(self.id, repo_type="dataset", tag=name, revision=commit)


def _hub_file(entry: RepoFile) -> HubFile:
    return HubFile(entry.size, entry.lfs.sha256 if entry.lfs is not None else None, entry.blob_id)


def _git_blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def check_login() -> None:
    """See that the Hub will know who publishes.

    Raises:
        PublishError: If no token is at hand.
    """
    if get_token() is None:
        raise PublishError(
            "not logged in to the Hub: run `hf auth login`, or set HF_TOKEN, with a token that may write "
            "(https://huggingface.co/settings/tokens)"
        )


@contextmanager
def hub_errors(repo_id: str) -> Iterator[None]:
    """Whatever goes wrong with the Hub, as a `PublishError` that says what to do."""
    try:
        yield
    except HFValidationError as error:
        raise PublishError(f"{repo_id}: not the name of a repository (ORG/NAME): {error}") from error
    except (httpx2.HTTPError, ConnectionError, LocalEntryNotFoundError, RuntimeError) as error:
        # What fails in a thread that uploads comes as the cause of a RuntimeError that names the file.
        answer = error.__cause__ if isinstance(error, RuntimeError) else error
        if not isinstance(answer, httpx2.HTTPError | OSError):
            raise
        said = " ".join(str(answer).split()).removesuffix(".")
        place = f"{error} " if answer is not error else ""
        raise PublishError(f"{repo_id}: {place}{said}; {_remedy(answer)}") from error


def _remedy(error: BaseException) -> str:
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    if status == 412:
        return "somebody else changed it meanwhile: look what they did, and run the same command again"
    if status in (401, 403) or isinstance(error, RepositoryNotFoundError):
        return f"see that your token may write there (`hf auth login`), then: {_AGAIN}"
    return _AGAIN
