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
from hub_stand_in import HubStandIn
from hypothesis import HealthCheck, settings

# The same examples every time, however busy the machine: a red test is a change of the code. Others are tried with
# pytest --hypothesis-profile default.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

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


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A stand-in of the Hub, which both libraries ask until the test is over; with an empty cache."""
    with HubStandIn() as hub:
        point_at_hub(hub, tmp_path / "hub-cache", monkeypatch)
        yield hub
        forget_connections()


def point_at_hub(hub, cache, monkeypatch):
    """Make `huggingface_hub` and `datasets`, here and in processes started from here, ask a stand-in alone."""
    import datasets
    from huggingface_hub import constants

    there = {
        "ENDPOINT": hub.endpoint,
        "HUGGINGFACE_CO_URL_TEMPLATE": hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(cache),
        "HF_HUB_OFFLINE": False,
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_DISABLE_TELEMETRY": True,
        "HF_TOKEN_PATH": str(cache / "no-token"),
    }
    for name, value in there.items():
        monkeypatch.setattr(constants, name, value)
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", hub.endpoint)
    monkeypatch.setattr(
        datasets.config, "HUB_DATASETS_URL", hub.endpoint + "/datasets/{repo_id}/resolve/{revision}/{path}"
    )
    monkeypatch.setattr(datasets.config, "HF_UPDATE_DOWNLOAD_COUNTS", False)
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setattr(datasets.config, name, False)
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    forget_connections()


def forget_connections():
    from huggingface_hub import HfFileSystem
    from huggingface_hub.utils import close_session

    close_session()
    HfFileSystem.clear_instance_cache()


@pytest.fixture(scope="session")
def real_lidc():
    """Three real patients of LIDC-IDRI."""
    folder = REAL_DATA / "LIDC-IDRI"
    if not folder.is_dir():
        pytest.skip(f"no real scans: {folder} is missing (M3DSYNTH_TEST_DATA names the folder that holds LIDC-IDRI)")
    return folder
