"""Releases: folders, here or on the Hub, that hold scans once and every tampered version of them as an edit."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa

from m3dsynth_dataset.configs import is_control
from m3dsynth_dataset.crops import Crops, Positions, crops
from m3dsynth_dataset.errors import DamagedReleaseError, HubUnavailableError, ReleaseNotFoundError, UnknownSampleError
from m3dsynth_dataset.hub import Snapshot, is_repo_id
from m3dsynth_dataset.hub_volumes import Fetching, HubVolumes
from m3dsynth_dataset.manifest import Manifest
from m3dsynth_dataset.row_file import read_row, read_rows
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import ALL, Split, data_file
from m3dsynth_dataset.store import ReleaseStore
from m3dsynth_dataset.types import Triple
from m3dsynth_dataset.volumes import LocalVolumes, Volumes


class Release:
    """A release: its rows are on this machine, its volumes are here or on the Hub.

    Args:
        path: Folder of the release, or of as much of it as was downloaded.
        snapshot: The commit on the Hub that it is, if it is one.
        volumes: How volumes of the Hub are read.

    Raises:
        ReleaseNotFoundError: If the folder is not a release.
        FormatVersionError: If this version cannot read it.
    """

    def __init__(self, path: Path, snapshot: Snapshot | None = None, volumes: Fetching = "download") -> None:
        self.path = path
        self.name = str(path) if snapshot is None else str(snapshot)
        """What errors call it."""
        self.manifest = Manifest.read(path)
        files = self.manifest.files
        self.volumes: Volumes = LocalVolumes(path, files) if snapshot is None else HubVolumes(snapshot, files, volumes)

    @cached_property
    def splits(self) -> dict[str, tuple[str, ...]]:
        """The splits that have rows, by config."""
        found: dict[str, tuple[str, ...]] = {}
        for config in sorted(folder.name for folder in (self.path / "data").iterdir()):
            found[config] = tuple(split for split in Split if (self.path / data_file(config, split)).is_file())
        return found

    @property
    def configs(self) -> tuple[str, ...]:
        """The configs that have rows of their own."""
        return tuple(self.splits)

    def rows(self, config: str, split: str, columns: list[str] | None = None) -> pa.Table:
        """The rows of a config and split.

        Args:
            config: Such as ``dm-injection``; ``all`` for pristine and every generator's, without the control's.
            split: train, validation or test.
            columns: Which to read; all when omitted.

        Raises:
            ValueError: If the release has no such rows.
        """
        if config == ALL:
            parts = [name for name, splits in self.splits.items() if split in splits and not is_control(name)]
            if parts:
                return pa.concat_tables(self.rows(name, split, columns) for name in parts)
        if split not in self.splits.get(config, ()):
            known = ", ".join(f"{name} ({'/'.join(splits)})" for name, splits in self.splits.items())
            raise ValueError(f"{self.name} has no rows of {config!r}, {split!r}; it has {known}")
        return read_rows(self.path / data_file(config, split), columns)

    def sample(self, sample: str | Mapping[str, Any]) -> Sample:
        """A sample, by its id or by a row of this release that was read elsewhere, such as with ``datasets``.

        Raises:
            UnknownSampleError: If there is no sample of that id.
        """
        sample_id = sample if isinstance(sample, str) else str(sample["sample_id"])
        if sample_id not in self._places:
            hint = get_close_matches(sample_id, self._places, n=1)
            raise UnknownSampleError(
                f"{self.name} has no sample {sample_id!r}" + (f"; did you mean {hint[0]!r}?" if hint else "")
            )
        config, split, index = self._places[sample_id]
        row = read_row(self.path / data_file(config, split), index)
        return Sample(self.path, row, self.volumes)

    def crops(
        self,
        config: str,
        split: str,
        *,
        shape: Triple,
        seed: int,
        positions: Positions = "edit",
        balanced: bool = True,
    ) -> Crops:
        """Crops for training, one for each sample or, balanced, two.

        Args:
            config: Such as ``dm-injection``.
            split: train, validation or test.
            shape: Voxels of a crop along z, y, x; ``(1, 512, 512)`` for slices. What lies beyond the scan is air.
            seed: Of the places, >= 0.
            positions: ``edit`` for crops that hold the edit at a random place in them, ``away`` for crops that hold
                nothing of it, ``anywhere`` for any place in the scan.
            balanced: Whether to show every place twice, tampered and as it was before.

        Raises:
            ValueError: If the release has no such rows, or the crops cannot be as wanted.
        """
        return crops(self, config, split, shape=shape, seed=seed, positions=positions, balanced=balanced)

    def store(self) -> ReleaseStore:
        """All samples as one read-only zarr store, in which every sample is a group with ``ct`` and ``mask``.

        For zarr, dask, xarray and whatever else reads zarr: ``zarr.open_group(release.store(), mode="r")``.
        """
        return ReleaseStore(self)

    @cached_property
    def _places(self) -> dict[str, tuple[str, str, int]]:
        """Config, split and row number of every sample."""
        places: dict[str, tuple[str, str, int]] = {}
        for config, splits in self.splits.items():
            for split in splits:
                ids = self.rows(config, split, ["sample_id"])["sample_id"].to_pylist()
                places |= {sample_id: (config, split, index) for index, sample_id in enumerate(ids)}
        return places

    def __repr__(self) -> str:
        return f"Release({self.name!r}, {len(self.configs)} configs, digest {self.manifest.digest[:12]})"


def open_release(
    path: str | Path,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    volumes: Fetching = "download",
) -> Release:
    """Open a release: a folder, or a data set on the Hub, of which the rows are downloaded now and volumes on demand.

    What is downloaded lies in the cache of ``huggingface_hub``, and is read from there without a network too. All
    that is read from the object is of one commit, whatever is published later.

    Args:
        path: Folder of the release, or ORG/NAME on the Hub. What is a folder here is not looked for there.
        revision: Branch, tag or commit on the Hub; the main branch when omitted.
        token: Of a user of the Hub, for what is gated or private; the one who is logged in when omitted.
        volumes: ``download`` to download a volume when its first voxel is read, for training; ``range`` to read only
            what is asked for, for a look here and there.

    Raises:
        ReleaseNotFoundError: If there is no release, neither here nor on the Hub.
        FormatVersionError: If this version cannot read it.
        DamagedReleaseError: If its rows are missing, or not what the manifest says.
        HubAccessError: If it is gated, and the user has no access.
        HubUnavailableError: If the Hub cannot be reached for what is not in the cache.
        ValueError: If ``volumes`` is neither, or a revision of a folder is asked for.
    """
    if volumes not in get_args(Fetching):
        raise ValueError(f"volumes must be one of {', '.join(get_args(Fetching))}, got {volumes!r}")
    folder = Path(path).expanduser()
    if not folder.is_dir():
        return _on_the_hub(path, revision, token, volumes)
    if revision is not None:
        raise ValueError(f"{folder} is a folder, which has no revision {revision!r}; leave it out")
    release = Release(folder)
    if not (folder / "data").is_dir():
        raise DamagedReleaseError(f"{folder}: the folder 'data' with the release's rows is missing")
    return release


def _on_the_hub(name: str | Path, revision: str | None, token: str | bool | None, volumes: Fetching) -> Release:
    if not isinstance(name, str) or not is_repo_id(name):
        raise ReleaseNotFoundError(
            f"{name}: no release there (it is no folder, and a release on the Hub is called ORG/NAME); build one with "
            "`python -m builder build`"
        )
    try:
        snapshot = Snapshot.find(name, revision, token)
    except (ReleaseNotFoundError, HubUnavailableError) as error:
        raise type(error)(f"{error}; nor is there a folder {Path(name).absolute()}") from error
    release = Release(snapshot.folder, snapshot, volumes)
    snapshot.fetch_rows(release.manifest.files)
    return release
