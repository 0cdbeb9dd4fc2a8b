import nodule_release
import pytest
import small_classifier

from benchmarks.malignancy import Options, sites_of, train
from m3dsynth_dataset import open_release

JUDGED = frozenset({"PHANTOM-0006", "PHANTOM-0007"})


@pytest.fixture(scope="session")
def nodules(tmp_path_factory):
    """A release of nodules to learn from; tests only read it."""
    folder = tmp_path_factory.mktemp("nodules")
    return open_release(nodule_release.write(folder / "m3dsynth", folder / "work"))


@pytest.fixture(scope="session")
def learned(nodules, tmp_path_factory):
    """A small classifier and the folder of its weights."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as monkeypatch:
        small_classifier.add(monkeypatch)
        sites = [site for site in sites_of(nodules) if site.patient_id not in JUDGED]
        return train(nodules, sites, folder, Options(preset=small_classifier.NAME, workers=0)), folder
