"""Installing a release: ``datasets.load_dataset("m3dsynth", ...)`` then finds its rows from any folder.

A bare name is a folder beside the caller, else a repository on the Hub, else whatever ``datasets`` has in its cache
under that name (``CachedDatasetModuleFactory``). The last is the only place on this machine where it looks from any
folder: with ``HF_HUB_OFFLINE`` it does not even open the Hub's own cache. So the rows of every config are put there,
as a download from the Hub would have left them.
"""

import os
import shutil
from pathlib import Path

import datasets
from huggingface_hub import constants
from huggingface_hub.file_download import repo_folder_name

from m3dsynth_dataset.builder import NAME, M3DSynth, config_files
from m3dsynth_dataset.manifest import CARD, Manifest
from m3dsynth_dataset.schema import ALL

_MARK = "-installed"
_LATEST = 2**31 - 1
"""Of copies in its cache, ``datasets`` takes the last modified: this is later than whatever else lands there."""
_NO_SCRIPT = """\
# Not a loading script, and nobody runs it: `m3dsynth install` put it here (m3dsynth_dataset/installation.py).
# `datasets` asks the Hub about every name that is no folder, and without a network it asks for half a minute. That
# this file is here ends the asking, and it takes the installed rows from its own cache.
"""


def install(release: Path, cache: Path | None = None) -> dict[str, Path]:
    """Make ``load_dataset("m3dsynth", ...)`` read a release from any folder of this machine.

    Every config's rows are copied into the cache of ``datasets``, the default's a second time: patches and all, but
    no volumes. The description of the rows says where the release lies. It replaces the release installed before.

    Args:
        release: Its folder.
        cache: Of ``datasets``; the user's own when omitted. With another, ``load_dataset`` needs ``cache_dir`` too.

    Returns:
        Where the rows of each config are.

    Raises:
        ReleaseNotFoundError: If the folder is not a release.
        FormatVersionError: If this version cannot read it.
        DamagedReleaseError: If rows that its manifest lists are missing.
    """
    manifest = Manifest.read(release)
    builders = [_builder(release, name, manifest.digest, cache) for name in config_files(manifest)]
    folders = {builder.config.name: Path(builder.cache_dir) for builder in builders}
    before = _installed(cache)
    try:
        for builder in builders:
            builder.download_and_prepare(download_mode=datasets.DownloadMode.FORCE_REDOWNLOAD)
    except BaseException:
        _remove(set(folders.values()) - set(before))
        raise
    for name, folder in folders.items():
        latest = _LATEST if name == ALL else _LATEST - 1
        os.utime(folder, (latest, latest))
    _remove(set(before) - set(folders.values()))
    _stop_asking_the_hub(manifest.digest)
    return folders


def uninstall(cache: Path | None = None) -> list[Path]:
    """Undo :func:`install`.

    Copies that ``datasets`` made itself, when a folder called ``m3dsynth`` was loaded by its path, stay in its cache;
    it may answer the bare name with those.

    Args:
        cache: Of ``datasets``; the user's own when omitted.

    Returns:
        The folders that were removed; none when nothing was installed.
    """
    folders = _installed(cache)
    _remove(set(folders))
    if _is_ours(_asked_of_the_hub()):
        shutil.rmtree(_asked_of_the_hub())
    return folders


def _builder(release: Path, config: str, digest: str, cache: Path | None) -> M3DSynth:
    # The default has a place of its own: of configs that share one, `datasets` wants to be told which.
    place = f"{digest[:32]}{_MARK}" + ("-default" if config == ALL else "")
    builder = M3DSynth(config, data_dir=release, cache_dir=str(_cache(cache)), hash=place)
    builder.info.description = f"M3Dsynth release {digest[:16]}, {builder.place}"
    return builder


def _cache(cache: Path | None) -> Path:
    return Path(cache or datasets.config.HF_DATASETS_CACHE).expanduser()


def _installed(cache: Path | None) -> list[Path]:
    return sorted(path for path in (_cache(cache) / NAME).glob(f"*/*/*{_MARK}*") if path.is_dir())


def _remove(folders: set[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        for lock in folder.parent.glob(f"{folder.name}*.lock"):
            lock.unlink()
        # As `datasets` names the lock of a folder.
        (folder.parents[3] / f"{folder.as_posix().replace('/', '_')}.lock").unlink(missing_ok=True)
        for parent in (folder.parent, folder.parents[1], folder.parents[2]):
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()


def _asked_of_the_hub() -> Path:
    """Where the Hub's cache keeps what it has of a repository that is called as the data set."""
    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=NAME, repo_type="dataset")


def _is_ours(repository: Path) -> bool:
    scripts = list(repository.glob(f"snapshots/*/{NAME}.py"))
    return bool(scripts) and all(script.read_text(encoding="utf-8") == _NO_SCRIPT for script in scripts)


def _stop_asking_the_hub(digest: str) -> None:
    repository = _asked_of_the_hub()
    if repository.exists() and not _is_ours(repository):
        return
    shutil.rmtree(repository, ignore_errors=True)
    commit = digest[:40]
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / CARD).write_text("Installed on this machine by `m3dsynth install`.\n", encoding="utf-8")
    (snapshot / f"{NAME}.py").write_text(_NO_SCRIPT, encoding="utf-8")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit, encoding="utf-8")
