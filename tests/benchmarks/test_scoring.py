from dataclasses import replace

import numpy as np
import pytest

from benchmarks import scoring
from m3dsynth_dataset import open_release
from m3dsynth_dataset.scoring import truths
from m3dsynth_dataset.submission import Heatmap, read_submission
from m3dsynth_dataset.submission.validation import expected_of, validate


@pytest.fixture(scope="module")
def base(release_path):
    return open_release(release_path)


@pytest.fixture(scope="module")
def simulated(base, tmp_path_factory):
    """A release and a submission to it, of as many volumes as asked for."""
    folder = tmp_path_factory.mktemp("scoring")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "VOLUMES", 91)
        patch.setattr(scoring, "FULL_SCANS", 21)
        release = scoring._release(folder / "release", base, "test")
        scoring._write(folder / "submission", release, "test")
    return release, folder / "submission"


def test_it_has_as_many_volumes_as_asked_for_and_is_valid(simulated):
    release, submission = simulated

    assert len(list(truths(release, "test"))) == 91
    assert list(validate(submission, expected_of(release, "test"))) == []


def test_maps_reach_beyond_the_edits_and_stay_in_the_scans(simulated):
    release, submission = simulated
    known = {truth.sample_id: truth for truth in truths(release, "test")}
    for prediction in read_submission(submission).predictions({name: each.shape for name, each in known.items()}):
        truth = known[prediction.sample_id]
        if truth.box is not None:
            assert truth.box in prediction.heatmap.box
            assert prediction.heatmap.box.size > truth.box.size


def test_both_ways_count_the_same_voxels_of_maps_of_any_width(simulated, monkeypatch):
    monkeypatch.setattr(scoring, "FULL_SHAPE", (24, 80, 80))
    tasks = scoring._tasks(*simulated, "test")
    wide = [scoring._wide(task) for task in tasks]

    assert {truth.label for truth, _ in tasks} == {"tampered", "control", "pristine"}
    for task in (*tasks, *wide):
        assert scoring._here(task) == scoring._plainly(task)
    for _, row in wide:
        assert Heatmap.from_row(row).box.shape == (24, 80, 80)
        assert np.count_nonzero(Heatmap.from_row(row).values) > 1000


def test_a_difference_between_the_ways_is_an_error(simulated, monkeypatch):
    tasks = scoring._tasks(*simulated, "test")
    blind = [(replace(truth, label="pristine"), row) for truth, row in tasks]
    monkeypatch.setattr(scoring, "_plainly", lambda task: scoring._here(blind[tasks.index(task)]))
    with pytest.raises(ValueError, match="two ways"):
        scoring._in_turn(tasks, "mixed")


def test_a_submission_that_is_not_valid_is_an_error(simulated, base):
    with pytest.raises(ValueError, match="is not valid"):
        scoring._score(base.path, simulated[1], "test")
