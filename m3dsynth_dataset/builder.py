"""``M3DSynth``: a release as a builder of ``datasets``, today's form of a loading script."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

import datasets
from datasets.data_files import DataFilesDict, DataFilesList
from datasets.packaged_modules.parquet.parquet import Parquet, ParquetConfig

from m3dsynth_dataset.configs import config_members
from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.hub import Snapshot
from m3dsynth_dataset.manifest import Manifest
from m3dsynth_dataset.schema import ALL, FEATURES, FORMAT_VERSION, Split, data_file

NAME = "m3dsynth"
"""Of the data set, for ``datasets``: its folder in the cache, and what a user loads."""

Files = dict[str, dict[str, list[str]]]
"""Paths in the release, by config and split."""


class M3DSynth(Parquet):  # type: ignore[misc] # datasets has no types
    """The rows of one config of a release.

    It is the packaged Parquet builder, told where a release keeps its configs, so ``columns``, ``filters``,
    ``num_proc`` and streaming work as they do there. Its cache is named after the release's content, so a release
    that is rebuilt in place is read anew::

        builder = M3DSynth("dm-injection", data_dir="m3dsynth")
        builder.download_and_prepare()
        rows = builder.as_dataset("train")

    Args:
        config_name: Such as ``dm-injection``; ``all`` when omitted.
        data_dir: Folder of the release; or
        repo_id: its name on the Hub.
        revision: Of the repository on the Hub.
        options: Those of ``DatasetBuilder`` (such as ``cache_dir``) and ``ParquetConfig`` (such as ``columns``).

    Raises:
        ReleaseNotFoundError: If there is no release.
        FormatVersionError: If this version cannot read it.
        HubAccessError: If it is gated, and the user has no access.
        HubUnavailableError: If the Hub cannot be reached, and the release was not opened before.
        DamagedReleaseError: If a file of the config is missing.
        ValueError: If the release has no such config.
    """

    VERSION = datasets.Version(f"{FORMAT_VERSION}.0")
    DEFAULT_CONFIG_NAME = ALL
    # In `datasets` a property of the class; here a release says which there are.
    builder_configs: ClassVar[dict[str, ParquetConfig]] = {}

    def __init__(
        self,
        config_name: str | None = None,
        *,
        data_dir: str | Path | None = None,
        repo_id: str | None = None,
        revision: str | None = None,
        **options: Any,  # noqa: ANN401 - whatever datasets takes
    ) -> None:
        if (data_dir is None) == (repo_id is None):
            raise ValueError("name the release: either data_dir=FOLDER or repo_id=ORG/NAME")
        if repo_id is None:
            manifest, self.place = _on_this_machine(Path(str(data_dir)).expanduser().absolute())
        else:
            manifest, self.place = _on_the_hub(repo_id, revision, options.get("token"))
        self.digest = manifest.digest
        files = config_files(manifest)
        self.BUILDER_CONFIGS = [self._config(name, splits) for name, splits in files.items()]
        self.builder_configs = {config.name: config for config in self.BUILDER_CONFIGS}  # type: ignore[misc]
        config_name = config_name or self.DEFAULT_CONFIG_NAME
        if config_name not in files:
            raise ValueError(_unknown_config(self.place, config_name, list(files)))
        if repo_id is None:
            _check_files(Path(self.place), files[config_name])
        defaults = {"dataset_name": NAME, "hash": self.digest[:32]}
        super().__init__(config_name=config_name, repo_id=repo_id, **defaults | options)

    def _config(self, name: str, splits: dict[str, list[str]]) -> ParquetConfig:
        paths = {split: [f"{self.place}/{path}" for path in paths] for split, paths in splits.items()}
        return ParquetConfig(
            name=name,
            version=self.VERSION,
            data_files=DataFilesDict(
                {split: DataFilesList(files, [(self.digest,)] * len(files)) for split, files in paths.items()}
            ),
            features=FEATURES,
            # By name: a newer minor version of the format may have more.
            columns=list(FEATURES),
            description=f"release {self.digest[:16]}",
        )

    def _info(self) -> datasets.DatasetInfo:
        info = super()._info()
        # Not where it lies: the same release in two places has one copy in the cache.
        info.description = f"M3Dsynth release {self.digest[:16]}"
        info.homepage = "https://arxiv.org/abs/2309.07973"
        return info


def config_files(manifest: Manifest) -> Files:
    """The files of every config and split that has rows, in the order of the card: the default first."""
    names = {path.split("/")[1] for path in manifest.files if path.startswith("data/") and path.count("/") == 2}
    members = config_members(names)
    return {config: files for config, parts in members.items() if (files := _split_files(manifest, parts))}


def _split_files(manifest: Manifest, parts: list[str]) -> dict[str, list[str]]:
    listed = {str(split): [data_file(part, split) for part in parts] for split in Split}
    present = {split: [path for path in paths if path in manifest.files] for split, paths in listed.items()}
    return {split: paths for split, paths in present.items() if paths}


def _on_this_machine(release: Path) -> tuple[Manifest, str]:
    return Manifest.read(release), str(release)


def _on_the_hub(repo_id: str, revision: str | None, token: str | bool | None) -> tuple[Manifest, str]:
    """The manifest of a release on the Hub, and where the files of that commit are."""
    snapshot = Snapshot.find(repo_id, revision, token)
    return Manifest.read(snapshot.folder), f"hf://datasets/{repo_id}@{snapshot.commit}"


def _check_files(release: Path, splits: dict[str, list[str]]) -> None:
    for path in (path for paths in splits.values() for path in paths):
        if not (release / path).is_file():
            raise DamagedReleaseError(f"{release}: {path} is missing, though the manifest lists it")


def _unknown_config(place: str, name: str, known: list[str]) -> str:
    hint = get_close_matches(name, known, n=1)
    guess = f"; did you mean {hint[0]!r}?" if hint else ""
    return f"{place} has no config {name!r}; it has {', '.join(known)}{guess}"
