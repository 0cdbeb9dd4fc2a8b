import pytest

from m3dsynth_dataset import open_release
from m3dsynth_dataset.metrics import Overlap
from m3dsynth_dataset.scoring import Judgement, judge, scorecard, truths
from m3dsynth_dataset.submission import Prediction


def judgement(label, number, score, generator="dm", manipulation="injection", overlap=None):
    if label == "pristine":
        generator = manipulation = "none"
    overlap = overlap or (Overlap(3, 1, 1) if label == "tampered" else Overlap(0, 0, 0))
    return Judgement(f"{label}/{number}", f"patient-{number}", label, generator, manipulation, score, overlap)


def pristine(scores):
    return [judgement("pristine", number, score) for number, score in enumerate(scores)]


def test_each_group_is_held_against_all_pristine_scans():
    tampered = [judgement("tampered", 0, 0.9), judgement("tampered", 1, 0.2, manipulation="removal")]
    card = scorecard([*tampered, *pristine([0.1, 0.3])], draws=10)

    assert [figures.group for figures in card.groups] == ["overall", "dm-injection", "dm-removal"]
    assert [figures.tampered for figures in card.groups] == [2, 1, 1]
    assert [figures.auc.value for figures in card.groups] == [0.75, 1, 0.5]
    assert [figures.pd.value for figures in card.groups] == [0.5, 1, 0]
    assert card.worst(lambda figures: figures.auc.value).group == "dm-removal"


def test_localisation_is_a_mean_over_volumes_and_pooled_beside():
    tampered = [
        judgement("tampered", 0, 1, overlap=Overlap(1, 0, 0)),
        judgement("tampered", 1, 1, overlap=Overlap(0, 0, 9)),
    ]
    figures = scorecard([*tampered, *pristine([0.0])], draws=10).overall

    assert figures.f1.value == 0.5
    assert figures.iou.value == 0.5
    assert figures.pooled_f1 == pytest.approx(2 / 11)


def test_the_threshold_comes_from_the_calibration_and_what_it_costs_is_told():
    validation = pristine([0.0, 0.5])
    card = scorecard([judgement("tampered", 9, 0.6), *pristine([0.55, 0.1])], calibration=validation, draws=10)

    assert card.threshold == 0.5
    assert card.calibrated_on == "validation"
    assert card.overall.pd.value == 1
    assert card.false_alarms == 0.5
    assert "calibrated on 2 pristine scans" in card.warnings[0]


def test_without_a_calibration_it_is_the_papers_way_and_says_so():
    card = scorecard([judgement("tampered", 9, 0.6), *pristine([0.55, 0.1])], draws=10)

    assert card.calibrated_on == "this split"
    assert any("parity" in warning for warning in card.warnings)


def test_alarms_on_the_control_are_told_and_count_nowhere_else():
    rows = [judgement("tampered", 9, 0.6), *pristine([0.55, 0.1])]
    control = [judgement("control", number, score, generator="identity") for number, score in enumerate((0.2, 0.9))]
    card = scorecard([*rows, *control], draws=10)

    assert card.control.value == 0.5
    assert card.groups == scorecard(rows, draws=10).groups
    assert scorecard(rows, draws=10).control is None


def test_the_order_of_the_rows_changes_nothing():
    rows = [*(judgement("tampered", number, number / 10) for number in range(5)), *pristine([0.15, 0.35, 0.2])]

    assert scorecard(rows, draws=50) == scorecard(rows[::-1], draws=50)


def test_one_kind_of_samples_is_not_enough():
    with pytest.raises(ValueError, match="none of one kind"):
        scorecard(pristine([0.1]))


def test_the_control_has_nothing_to_find(release_path):
    release = open_release(release_path)
    predictions = {truth.sample_id: Prediction(truth.sample_id, 0.5) for truth in truths(release, "train")}
    found = {each.sample_id: each for each in judge(truths(release, "train"), predictions)}

    assert not found["identity/inj_1"].overlap.is_defined
    assert not found["pristine/scan-1"].overlap.is_defined
    assert found["pix2pix/inj_1"].overlap.misses == open_release(release_path).sample("pix2pix/inj_1").mask[...].sum()


def test_a_sample_that_was_not_judged_is_an_error(release_path):
    with pytest.raises(KeyError):
        judge(truths(open_release(release_path), "train"), {})
