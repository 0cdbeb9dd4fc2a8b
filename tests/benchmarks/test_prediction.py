from dataclasses import dataclass, field

import numpy as np
import pyarrow.parquet as pq
import pytest
import sealable_release

from benchmarks.detector import SliceVerdict
from benchmarks.errors import BenchmarkError
from benchmarks.prediction import Predicting
from m3dsynth_dataset import open_release
from m3dsynth_dataset.scoring import judge, score, scorecard, slabs, truths
from m3dsynth_dataset.submission import from_table, read_submission
from m3dsynth_dataset.submission.validation import expected_of, validate


@dataclass
class Oracle:
    """Knows the pristine scans by heart: a slice is tampered where it differs from them."""

    known: dict[bytes, np.ndarray]
    reach: int = 0
    name: str = "oracle"
    judged: list[int] = field(default_factory=list)

    def judge(self, ct, first, stop):
        original = min(self.known.values(), key=lambda voxels: int((voxels != ct[...]).sum()))
        for number in range(first, stop):
            self.judged.append(number)
            changed = (original[number] != ct[number]).astype(np.float32)
            yield SliceVerdict(number, float(changed.max()), changed)


@pytest.fixture
def release(learnable_release):
    return open_release(learnable_release)


@pytest.fixture
def oracle(release):
    return Oracle({name: release.sample(f"pristine/{name}").ct[...] for name in ("scan-1", "scan-2")})


def predicted(release, detector, out):
    Predicting(release, "test", detector)(out)
    return from_table(pq.read_table(out / "predictions.parquet"))


def test_a_detector_that_knows_the_truth_scores_everything(release, oracle, tmp_path):
    judgements = judge(truths(release, "test"), predicted(release, oracle, tmp_path / "out"))
    card = scorecard(judgements, draws=5)

    assert card.overall.f1.value == 1
    assert card.overall.pd.value == card.overall.auc.value == card.overall.accuracy.value == 1
    assert card.false_alarms == 0


def test_every_sample_of_the_split_is_judged(release, oracle, tmp_path):
    assert predicted(release, oracle, tmp_path / "out").keys() == {truth.sample_id for truth in truths(release, "test")}


def test_only_slices_that_an_edit_reaches_are_judged_anew(release, oracle, tmp_path):
    predicted(release, oracle, tmp_path / "out")

    # Twenty slices of each scan; and of its two edits (a generator's and the control's) those of the box.
    assert len(oracle.judged) == 2 * 20 + 2 * 7 + 2 * 5


def test_the_neighbours_of_an_edit_are_judged_anew_by_a_detector_that_looks_at_them(release, oracle, tmp_path):
    oracle.reach = 2
    predicted(release, oracle, tmp_path / "out")

    assert len(oracle.judged) == 2 * 20 + 2 * (7 + 4) + 2 * (5 + 2)


def test_sharing_slices_changes_no_verdict(release, oracle, tmp_path):
    shared = predicted(release, oracle, tmp_path / "out")
    oracle.reach = 100

    whole = predicted(release, oracle, tmp_path / "whole")
    for sample_id, prediction in shared.items():
        assert prediction.score == whole[sample_id].score
        if prediction.heatmap is not None:
            assert prediction.heatmap.box == whole[sample_id].heatmap.box
            assert np.array_equal(prediction.heatmap.values, whole[sample_id].heatmap.values)


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_file(release, oracle, tmp_path):
    Predicting(release, "test", oracle)(tmp_path / "whole")
    working, calls = oracle.judge, []

    def failing(ct, first, stop):
        calls.append(first)
        if len(calls) == 4:  # in the second scan
            raise KeyboardInterrupt
        return working(ct, first, stop)

    oracle.judge = failing
    with pytest.raises(KeyboardInterrupt):
        Predicting(release, "test", oracle)(tmp_path / "out")
    assert not (tmp_path / "out").exists()

    oracle.judge, oracle.judged = working, []
    Predicting(release, "test", oracle)(tmp_path / "out")
    assert len(oracle.judged) < 40  # the first scan was not judged again
    assert (tmp_path / "out" / "predictions.parquet").read_bytes() == (
        tmp_path / "whole" / "predictions.parquet"
    ).read_bytes()
    assert not list(tmp_path.glob("*.work"))


def test_what_was_kept_of_another_detector_is_not_used(release, oracle, tmp_path):
    working = oracle.judge
    oracle.judge = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        Predicting(release, "test", oracle)(tmp_path / "out", key="weights 1")
    oracle.judge = working
    Predicting(release, "test", oracle)(tmp_path / "out", key="weights 2")

    assert len(oracle.judged) > 40


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """A release whose validation has patients of its own."""
    return open_release(sealable_release.write(tmp_path_factory.mktemp("apart")))


class Everywhere:
    """Fires a little more from slice to slice, and tells which scans it was shown."""

    name, reach = "everywhere", 1

    def __init__(self):
        self.judged = []

    def judge(self, ct, first, stop):
        for number in range(first, stop):
            self.judged.append(number)
            yield SliceVerdict(number, number / 100, np.full(ct.shape[1:], 0.75, np.float32))


def test_the_pristine_scans_of_validation_are_judged_as_well(apart, tmp_path):
    Predicting(apart, "test", Everywhere(), calibrates=True)(tmp_path / "out")
    found = score(read_submission(tmp_path / "out"), apart, draws=2)
    pristine = {truth.sample_id for truth in truths(apart, "validation") if truth.label == "pristine"}

    assert found.card.calibrated_on == "validation"
    ids = from_table(pq.read_table(tmp_path / "out" / "predictions.parquet")).keys()
    assert ids == {truth.sample_id for truth in truths(apart, "test")} | pristine
    assert list(validate(tmp_path / "out", expected_of(apart, "test"))) == []


def test_validation_itself_has_no_other_split_to_be_calibrated_on(apart, tmp_path):
    Predicting(apart, "validation", Everywhere(), calibrates=True)(tmp_path / "out")

    found = score(read_submission(tmp_path / "out"), apart, "validation", draws=2)
    assert found.card.calibrated_on == "this split"


def test_of_slabs_nothing_else_is_judged(apart, tmp_path, monkeypatch):
    monkeypatch.setattr("m3dsynth_dataset.scoring.slab.DEPTH", 4)
    monkeypatch.setattr("m3dsynth_dataset.scoring.slab.JITTER", 1)
    Predicting(apart, "test", Everywhere(), calibrates=True, protocol="slab")(tmp_path / "out")
    submission = read_submission(tmp_path / "out")
    places = slabs(truths(apart, "test")) | slabs(truths(apart, "validation"))

    assert submission.metadata["protocol"] == "slab"
    for prediction in submission.predictions():
        slab = places[prediction.sample_id]
        assert slab.shape[0] == 4
        assert prediction.heatmap.box == slab
        assert prediction.score == (slab.stop[0] - 1) / 100
    assert score(submission, apart, draws=2).subject.protocol == "slab"


def test_a_sealed_test_has_no_slabs(apart, tmp_path):
    public = sealable_release.Sealing.of(apart, tmp_path).public
    with pytest.raises(BenchmarkError, match="sealed test has none"):
        Predicting(public, "test", Everywhere(), protocol="slab")(tmp_path / "out")
