"""The volumes of a release on the Hub: downloaded whole when first read, or read in pieces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.hub import Snapshot
from m3dsynth_dataset.layout import METADATA, SHARD
from m3dsynth_dataset.manifest import FileRecord
from m3dsynth_dataset.ranges import RangeFile
from m3dsynth_dataset.shard_file import LocalShard, OpenFile, ShardFile, ShardPlace, check_size
from m3dsynth_dataset.volumes import Volumes

Fetching = Literal["download", "range"]


class HubVolumes(Volumes):
    """The volumes of a release on the Hub.

    Args:
        snapshot: Its commit.
        files: Of its manifest.
        fetching: ``download`` to have a volume's shard on this machine from the first voxel on, ``range`` to read
            the chunks alone that are asked for. What was downloaded is read from there either way.
    """

    def __init__(self, snapshot: Snapshot, files: Mapping[str, FileRecord], fetching: Fetching = "download") -> None:
        super().__init__(files)
        self.snapshot = snapshot
        self.fetching = fetching

    def _called(self, path: str) -> str:
        return f"{self.snapshot}: {path}"

    def _metadata(self, path: str) -> bytes:
        name = f"{path}/{METADATA}"
        return self.snapshot.fetch(name, self.files.get(name)).read_bytes()

    def _shard(self, path: str) -> ShardPlace:
        name = f"{path}/{SHARD}"
        kind = DownloadedShard if self.fetching == "download" else RemoteShard
        return kind(self.snapshot, name, self.files.get(name))

    def _whole(self, path: str) -> Path:
        return self.snapshot.fetch_folder(path)


@dataclass(frozen=True)
class DownloadedShard:
    """A shard that is downloaded when it is opened, unless it was before."""

    snapshot: Snapshot
    path: str
    """In the release."""
    record: FileRecord | None
    """What it must be."""

    @property
    def name(self) -> str:
        """Repository, commit and path."""
        return f"{self.snapshot}: {self.path}"

    def open(self) -> ShardFile:
        """Open it."""
        return open_cached(self.snapshot.fetch(self.path, self.record), self.record)


@dataclass(frozen=True)
class RemoteShard(DownloadedShard):
    """A shard that stays on the Hub; but one that was downloaded is read from this machine."""

    def open(self) -> ShardFile:
        """Open it."""
        if (found := self.snapshot.cached(self.path)) is not None:
            return open_cached(found, self.record)
        size, sha256 = self.snapshot.identify(self.path)
        if self.record is not None:
            check_size(self.name, -1 if size is None else size, self.record.size)
            if sha256 not in (None, self.record.sha256):
                raise DamagedReleaseError(f"{self.name}: is not the file that the release's manifest names")
        assert size is not None
        return RangeFile(self.snapshot, self.path, size)


def open_cached(path: Path, record: FileRecord | None) -> OpenFile:
    """A shard in the cache.

    Raises:
        DamagedReleaseError: If it is not as large as it must be.
    """
    remedy = f"delete {path.resolve()}, and it is downloaded again"
    return LocalShard(path, None if record is None else record.size, remedy).open()
