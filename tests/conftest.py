import os

# Before `datasets` is imported: no test waits for a network.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["TQDM_DISABLE"] = "1"
# Tests run side by side, and two processes that each use all cores for one tensor wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"

from pathlib import Path

import pytest
import tiny_release

REAL_DATA = Path(os.environ.get("M3DSYNTH_TEST_DATA", Path(__file__).parents[2] / "shared"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """Every test starts with an empty cache of ``datasets``."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets-cache")


@pytest.fixture(scope="session")
def release_path(tmp_path_factory):
    """A tiny release; tests only read it."""
    folder = tmp_path_factory.mktemp("tiny")
    return tiny_release.write(folder / "m3dsynth", folder / "work")


@pytest.fixture(scope="session")
def real_lidc():
    """Three real patients of LIDC-IDRI."""
    folder = REAL_DATA / "LIDC-IDRI"
    if not folder.is_dir():
        pytest.skip(f"no real scans: {folder} is missing (M3DSYNTH_TEST_DATA names the folder that holds LIDC-IDRI)")
    return folder
