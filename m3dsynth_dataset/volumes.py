"""The volumes of a release, by their paths in it, wherever the release is."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.layout import METADATA, SHARD, layout_of
from m3dsynth_dataset.manifest import FileRecord
from m3dsynth_dataset.shard import ShardVolume, VoxelSource, read_metadata
from m3dsynth_dataset.shard_file import LocalShard, ShardPlace
from m3dsynth_dataset.volume import ZarrVolume, open_volume

REMEMBERED = 512
"""Volumes of which the layout is kept; their shards need not be open."""


class Volumes(ABC):
    """Opens volumes. Samples of one scan get the same object; it can be pickled, without what is open.

    Args:
        files: Of the release's manifest. Voxels carry checksums of their own; a volume's metadata, which says how to
            read them, and the size of its shard are held against this.
    """

    def __init__(self, files: Mapping[str, FileRecord]) -> None:
        self.files = files
        self._opened: OrderedDict[str, VoxelSource] = OrderedDict()

    def open(self, path: str) -> VoxelSource:
        """A volume, of which no voxel is read yet.

        Args:
            path: In the release, such as ``volumes/1.2.3.zarr``.

        Raises:
            DamagedReleaseError: If there is no such volume, or it is not the one that the manifest names.
        """
        volume = self._opened.pop(path, None) or self._open(path)
        self._opened[path] = volume
        while len(self._opened) > REMEMBERED:
            self._opened.popitem(last=False)
        return volume

    def _open(self, path: str) -> VoxelSource:
        name, metadata = f"{path}/{METADATA}", self._metadata(path)
        if name in self.files and _record(metadata) != self.files[name]:
            raise DamagedReleaseError(f"{self._called(name)}: is not the file that the release's manifest names")
        layout = layout_of(self._called(path), metadata)
        if layout is None:
            return ZarrVolume(open_volume(self._whole(path)))
        return ShardVolume(self._shard(path), layout)

    def _expected(self, path: str) -> int | None:
        """Size of a volume's shard."""
        record = self.files.get(f"{path}/{SHARD}")
        return None if record is None else record.size

    @abstractmethod
    def _called(self, path: str) -> str:
        """What an error calls a file."""

    @abstractmethod
    def _metadata(self, path: str) -> bytes:
        """The content of a volume's ``zarr.json``."""

    @abstractmethod
    def _shard(self, path: str) -> ShardPlace:
        """Where a volume's shard is."""

    @abstractmethod
    def _whole(self, path: str) -> Path:
        """A folder with all files of a volume, for zarr-python."""

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": OrderedDict()}


class LocalVolumes(Volumes):
    """The volumes of a release on this machine.

    Args:
        release: Its folder.
        files: Of its manifest.
    """

    def __init__(self, release: Path, files: Mapping[str, FileRecord] | None = None) -> None:
        super().__init__(files or {})
        self.release = release

    def _called(self, path: str) -> str:
        return str(self.release / path)

    def _metadata(self, path: str) -> bytes:
        return read_metadata(self.release / path)

    def _shard(self, path: str) -> ShardPlace:
        return LocalShard(self.release / path / SHARD, self._expected(path))

    def _whole(self, path: str) -> Path:
        return self.release / path


def _record(data: bytes) -> FileRecord:
    return FileRecord(len(data), hashlib.sha256(data).hexdigest())
