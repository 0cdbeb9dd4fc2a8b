import nodule_release
import pytest
import small_classifier

from benchmarks.malignancy import Options, sites_of
from m3dsynth_dataset import open_release


@pytest.fixture(scope="session")
def nodules(tmp_path_factory):
    """A release whose generator swaps malignant nodules and benign ones; tests only read it."""
    folder = tmp_path_factory.mktemp("nodules")
    return open_release(nodule_release.write(folder / "m3dsynth", folder / "work"))


@pytest.fixture(scope="session")
def sites(nodules):
    return sites_of(nodules)


@pytest.fixture
def options(monkeypatch):
    """Of a training of a second or two."""
    small_classifier.add(monkeypatch)
    return Options(preset=small_classifier.NAME, workers=0)
