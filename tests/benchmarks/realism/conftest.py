from dataclasses import replace

import noise_release
import pytest

from benchmarks.realism.report import reported
from benchmarks.realism.survey import survey
from m3dsynth_dataset import open_release


@pytest.fixture(scope="session")
def noise_path(tmp_path_factory):
    """A release whose scans are noise, and whose edits are noise of the same kind, louder, with a step, or none."""
    folder = tmp_path_factory.mktemp("noise")
    return noise_release.write(folder / "m3dsynth", folder / "work")


@pytest.fixture(scope="session")
def noise_survey(noise_path):
    return survey(open_release(noise_path), ("train", "validation", "test"), noise_release.embedding)


@pytest.fixture(scope="session")
def report(noise_survey):
    """Of all eight patients."""
    return reported(noise_survey, "mean and spread")


@pytest.fixture(scope="session")
def assessments(report):
    return {row.config: row for row in report.rows}


@pytest.fixture(scope="session")
def without_features(noise_survey):
    """The survey of one config, as it is without an embedding."""
    edits = next(each for each in noise_survey.edits if each.config == "loud-removal")
    bare = replace(edits, collection=replace(edits.collection, features=[]))
    twins = {name: replace(each, features=[]) for name, each in noise_survey.beside.items()}
    return replace(noise_survey, edits=[bare], beside=twins)


@pytest.fixture
def malignancy_account():
    """What a malignancy classifier says of itself."""
    from dataclasses import asdict

    from benchmarks.malignancy.classifier import PRESETS
    from benchmarks.malignancy.ratings import Ratings
    from benchmarks.malignancy.weights import Account, Provenance

    provenance = Provenance("digest", "phantom", ("PHANTOM-0",), 1, 1, Ratings(), 0)
    return Account("tiny", asdict(PRESETS["tiny"]), provenance)
