import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import oracles
import pyarrow.parquet as pq
import pytest
import sealable_release

from m3dsynth_dataset.errors import LabelsError, SubmissionError
from m3dsynth_dataset.scoring import result, score, truths
from m3dsynth_dataset.scoring.result import as_bytes
from m3dsynth_dataset.submission import PREDICTIONS, Prediction, read_submission

ROOT = Path(__file__).parents[3]
MEASURES = ("f1", "iou", "pd", "accuracy", "auc")
GROUPS = ["overall", "clandestine-injection", "clandestine-removal", "pix2pix-injection", "pix2pix-removal"]


@pytest.fixture(scope="module")
def scored(judged_release, tmp_path_factory):
    """Scores of detectors that know the truth, by name."""
    folder = tmp_path_factory.mktemp("handed-in")
    judges = (oracles.perfect, oracles.constant, oracles.inverted)
    return {
        judge.__name__: score(oracles.hand_in(folder / judge.__name__, judged_release, judge), judged_release)
        for judge in judges
    }


def values(figures):
    return {name: getattr(figures, name).value for name in MEASURES}


def test_a_perfect_submission_scores_one_everywhere(scored):
    card = scored["perfect"].card

    assert [figures.group for figures in card.groups] == GROUPS
    for figures in card.groups:
        assert values(figures) == dict.fromkeys(MEASURES, 1)
        assert all((getattr(figures, name).low, getattr(figures, name).high) == (1, 1) for name in MEASURES)
        assert (figures.pooled_f1, figures.pooled_iou, figures.patient_f1, figures.eer) == (1, 1, 1, 0)
        beside = [figures_of[figures.group] for figures_of in (card.parity.oracle_f1, card.parity.permuted_f1)]
        assert beside == [1, 1]
        assert card.parity.pd[figures.group].value == card.parity.pd_interp[figures.group] == 1
    assert card.false_alarms == card.control.value == card.calibration_error == 0


def test_a_constant_submission_tells_nothing(scored):
    card = scored["constant"].card

    for figures in card.groups:
        assert values(figures) == {"f1": 0, "iou": 0, "pd": 0, "accuracy": 0.5, "auc": 0.5}
        assert figures.eer == 0.5
        assert card.parity.pd[figures.group].value == 0
    assert (card.threshold, card.false_alarms, card.control.value) == (0.3, 0, 0)
    assert any("does not localise" in warning for warning in card.warnings)


def test_an_inverted_submission_is_the_complement(scored):
    perfect, inverted = scored["perfect"].card, scored["inverted"].card

    for one, other in zip(perfect.groups, inverted.groups, strict=True):
        for name in MEASURES:
            assert values(other)[name] == 1 - values(one)[name]
        assert other.eer == 1 - one.eer
    assert inverted.calibration_error == pytest.approx(1)
    # TruFor's definition cannot tell such a map from one that is nearly right.
    assert inverted.parity.permuted_f1["overall"] > 0.1


def test_the_complement_of_every_score_gives_the_complement_of_every_area(judged_release, tmp_path):
    def complement(judge):
        return lambda truth: Prediction(truth.sample_id, 1 - judge(truth).score)

    one, other = (
        score(oracles.hand_in(tmp_path / name, judged_release, judge), judged_release, draws=10).card
        for name, judge in (("one", oracles.random(3)), ("other", complement(oracles.random(3))))
    )
    assert [1 - figures.auc.value for figures in one.groups] == pytest.approx([each.auc.value for each in other.groups])


def test_shuffled_rows_change_nothing(judged_release, tmp_path):
    submission = oracles.hand_in(tmp_path / "one", judged_release, oracles.random(0))
    table = pq.read_table(tmp_path / "one" / PREDICTIONS)
    shuffled = table.take(np.random.default_rng(0).permutation(table.num_rows))
    (tmp_path / "other").mkdir()
    pq.write_table(shuffled, tmp_path / "other" / PREDICTIONS)
    (tmp_path / "other" / "metadata.json").write_bytes((tmp_path / "one" / "metadata.json").read_bytes())
    results = []
    for each in (submission, read_submission(tmp_path / "other")):
        scored = score(each, judged_release)
        results.append(result(scored.subject, scored.card))

    assert results[0]["submission"].pop("sha256") != results[1]["submission"].pop("sha256")
    assert as_bytes(results[0]) == as_bytes(results[1])
    assert 0 < results[0]["groups"][0]["f1"]["low"] < results[0]["groups"][0]["f1"]["high"] < 1


def test_the_same_submission_gives_the_same_bytes_in_another_process(judged_release, tmp_path):
    submission = oracles.hand_in(tmp_path / "submission", judged_release, oracles.random(1))
    scored = score(submission, judged_release)
    here = as_bytes(result(scored.subject, scored.card))
    command = [sys.executable, "-m", "m3dsynth_dataset", "score", submission.path, "--release", judged_release.path]
    out = tmp_path / "result.json"
    there = os.environ | {"PYTHONHASHSEED": "7"}
    subprocess.run([*command, "--json", out], check=True, capture_output=True, env=there, cwd=ROOT)
    assert out.read_bytes() == here


def test_the_pristine_scans_of_validation_set_the_threshold(judged_release, tmp_path):
    validation = {truth.sample_id for truth in truths(judged_release, "validation")}

    def judge(truth):
        return Prediction(truth.sample_id, 0.7 if truth.sample_id in validation else oracles.perfect(truth).score / 2)

    calibrated = score(oracles.hand_in(tmp_path / "a", judged_release, judge), judged_release, draws=10)
    alone = score(oracles.hand_in(tmp_path / "b", judged_release, judge, calibrates=False), judged_release, draws=10)

    assert (calibrated.card.calibrated_on, calibrated.card.threshold) == ("validation", 0.7)
    assert calibrated.card.overall.pd.value == 0
    assert (alone.card.calibrated_on, alone.card.threshold) == ("this split", 0)
    assert alone.card.overall.pd.value == 1
    assert calibrated.card.parity == alone.card.parity
    assert calibrated.card.parity.pd["overall"].value == 1
    assert calibrated.subject.samples == alone.subject.samples + len([name for name in validation if "prist" in name])


def test_other_samples_of_validation_may_be_there_and_count_nowhere(judged_release, tmp_path):
    known = [*truths(judged_release, "test"), *truths(judged_release, "validation")]
    every = [oracles.perfect(truth) for truth in known]
    found = score(oracles.write(tmp_path / "s", judged_release, every), judged_release, draws=2)

    assert found.subject.samples == len(every) - sum(truth.label != "pristine" for truth in known[-10:])
    assert found.card.overall.tampered == sum(each.label == "tampered" for each in truths(judged_release, "test"))
    assert found.card.overall.f1.value == 1


def test_some_of_the_scans_that_set_the_threshold_are_not_enough(judged_release, tmp_path):
    def submission(kept):
        known = [*truths(judged_release, "test"), *kept]
        return oracles.hand_in(tmp_path / "s", judged_release, oracles.perfect, calibrates=False, known=known)

    pristine = [truth for truth in truths(judged_release, "validation") if truth.label == "pristine"]
    assert len(pristine) == 2
    with pytest.raises(SubmissionError, match=r"1 samples have no prediction, such as 'pristine/"):
        score(submission(pristine[:1]), judged_release)
    assert score(submission(pristine), judged_release, draws=2).card.calibrated_on == "validation"


def test_what_is_missing_or_doubled_or_of_nobody_is_refused(judged_release, tmp_path):
    known = list(truths(judged_release, "test"))
    others = list(truths(judged_release, "train"))[:1]
    for members, reason in (
        (known[1:], "no prediction"),
        ([*known, known[0]], "twice"),
        (known + others, others[0].sample_id),
    ):
        submission = oracles.hand_in(tmp_path / "s", judged_release, oracles.perfect, known=members)
        with pytest.raises(SubmissionError, match=reason):
            score(submission, judged_release)


def test_a_map_beyond_its_scan_is_refused(judged_release, tmp_path):
    def judge(truth):
        found = oracles.perfect(truth)
        if found.heatmap is not None:
            box = type(truth.box)((truth.shape[0] - 1, 0, 0), truth.box.shape)
            found = Prediction(found.sample_id, 1.0, type(found.heatmap)(box, found.heatmap.values))
        return found

    with pytest.raises(SubmissionError):
        score(oracles.hand_in(tmp_path / "s", judged_release, judge), judged_release)


def test_sealed_labels_take_the_place_of_the_release(judged_release, tmp_path):
    sealing = sealable_release.Sealing.of(judged_release, tmp_path)
    known = sealing.labels.truths
    submission = oracles.hand_in(tmp_path / "s", sealing.public, oracles.perfect, known=known)
    scored = score(submission, sealing.public, labels=sealing.labels, draws=10)

    assert values(scored.card.overall) == dict.fromkeys(MEASURES, 1)
    assert scored.card.calibrated_on == "validation"
    assert scored.subject.labels == sealing.labels.digest
    assert scored.card.overall.tampered == sum(truth.label == "tampered" for truth in known)

    with pytest.raises(LabelsError, match="--labels"):
        score(submission, sealing.public)
    with pytest.raises(LabelsError, match="not sealed"):
        score(submission, judged_release, labels=sealing.labels)
    with pytest.raises(LabelsError, match="of the test split"):
        score(submission, sealing.public, "train", sealing.labels)
    slabs = oracles.hand_in(tmp_path / "slabs", sealing.public, oracles.perfect, known=known, protocol="slab")
    with pytest.raises(SubmissionError, match="tells where scans are tampered"):
        score(slabs, sealing.public, labels=sealing.labels)


def test_what_was_scored_is_told(judged_release, tmp_path):
    submission = oracles.hand_in(tmp_path / "s", judged_release, oracles.perfect, protocol="slab", name="An oracle")
    scored = score(submission, judged_release, draws=2)
    found = json.loads(as_bytes(result(scored.subject, scored.card)))

    assert found["release"] == {"name": "m3dsynth", "digest": judged_release.manifest.digest, "phantom": True}
    assert (found["protocol"], found["split"], found["labels"]) == ("slab", "test", None)
    assert found["submission"]["sha256"] == submission.digest
    assert found["submission"]["metadata"] == submission.metadata
    assert found["submission"]["metadata"]["name"] == "An oracle"


def test_no_volume_is_opened(judged_release, tmp_path, monkeypatch):
    submission = oracles.hand_in(tmp_path / "s", judged_release, oracles.perfect)
    monkeypatch.setattr(judged_release, "volumes", None)
    assert score(submission, judged_release, draws=2).card.overall.f1.value == 1
