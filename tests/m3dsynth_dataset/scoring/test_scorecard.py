import math
from dataclasses import replace

import numpy as np
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

    # To the last digit, of sums that depend on the order of what is summed.
    rng = np.random.default_rng(0)
    overlaps = [Overlap(*map(int, rng.integers(1, 99, 3))) for _ in range(60)]
    rows = [judgement("tampered", number, 1, overlap=each) for number, each in enumerate(overlaps)]
    rows = [replace(each, oracle_f1=each.overlap.f1, permuted_f1=each.overlap.iou) for each in rows]
    cards = [scorecard([*rng.permutation(rows), *pristine([0.15, 0.35])], draws=20) for _ in range(4)]
    assert cards == cards[:1] * 4


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


def test_a_mean_over_patients_weighs_each_the_same():
    tampered = [
        judgement("tampered", 0, 1, overlap=Overlap(1, 0, 0)),
        judgement("tampered", 1, 1, overlap=Overlap(0, 0, 9)),
        replace(judgement("tampered", 2, 1, overlap=Overlap(0, 0, 9)), patient_id="patient-1"),
    ]
    figures = scorecard([*tampered, *pristine([0.0])], draws=10).overall

    assert figures.f1.value == pytest.approx(1 / 3)
    assert figures.patient_f1 == 0.5
    assert figures.pooled_iou == pytest.approx(1 / 19)


def test_an_empty_mask_counts_for_detection_alone_and_is_told():
    empty = judgement("tampered", 0, 0.9, overlap=Overlap(0, 5, 0))
    full = judgement("tampered", 1, 0.1, overlap=Overlap(1, 0, 0), manipulation="removal")
    card = scorecard([empty, full, *pristine([0.5])], draws=10)
    overall, injection, removal = card.groups

    assert (overall.f1.value, overall.tampered, overall.localised) == (1, 2, 1)
    assert overall.auc.value == 0.5
    assert injection.localised == 0
    assert all(math.isnan(value) for value in (injection.f1.value, injection.iou.low, injection.pooled_f1))
    assert math.isnan(injection.patient_f1)
    assert card.worst(lambda figures: figures.f1.value) == removal
    assert "1 tampered volumes have an empty mask, and count for detection alone" in card.warnings


def test_intervals_are_over_the_patients_of_both_kinds():
    # Patients whose pristine scan alarms and whose tampered one is missed: a draw has some of them, or none.
    members = [judgement("tampered", number, 0.9 if number else 0.1) for number in range(8)]
    card = scorecard([*members, *pristine([0.8] + [0.2] * 7)], draws=400)

    assert card.overall.accuracy.value == pytest.approx(7 / 8)
    assert card.overall.accuracy.high == 1
    assert card.overall.accuracy.low <= 6 / 8
    assert card.overall.auc.low < card.overall.auc.value < card.overall.auc.high == 1


def test_with_this_splits_own_scans_every_draw_sets_its_threshold_anew():
    # The threshold is the highest pristine score, 0.8, which four of ten draws are without.
    members = [judgement("tampered", number, 0.5) for number in range(8)]
    rows = [*members, *pristine([0.8] + [0.2] * 7)]

    assert scorecard(rows, draws=200).overall.pd.value == 0
    assert scorecard(rows, draws=200).overall.pd.high == 1
    assert scorecard(rows, calibration=pristine([0.8]), draws=200).overall.pd.high == 0


def test_calibration_is_told_by_bins():
    card = scorecard([judgement("tampered", 0, 0.95), judgement("tampered", 1, 0.15), *pristine([0.12])], draws=2)
    bins = [(each.low, each.high, each.count, each.share_tampered) for each in card.calibration if each.count]

    assert len(card.calibration) == 10
    assert bins == [(0.1, 0.2, 2, pytest.approx(1 / 3)), (0.9, 1.0, 1, 1)]
    assert card.calibration[0].mean_score is None
    # In the lower bin, weighed a quarter and a half, 0.13 against 1/3; in the upper, a quarter, 0.95 against 1.
    assert card.calibration_error == pytest.approx(0.75 * (1 / 3 - 0.13) + 0.25 * 0.05)


def test_few_patients_and_maps_that_say_nothing_are_told():
    silent = [judgement("tampered", number, 1, overlap=Overlap(0, 0, 3)) for number in range(3)]
    card = scorecard([*silent, *pristine([0.0] * 19)], draws=2)
    loud = scorecard([judgement("tampered", 0, 1), *pristine([0.0] * 20)], draws=2)

    assert "intervals are over 19 patients: too few to rely on" in card.warnings
    assert any("no map says" in warning for warning in card.warnings)
    assert not any("patients" in warning or "no map" in warning for warning in loud.warnings)
