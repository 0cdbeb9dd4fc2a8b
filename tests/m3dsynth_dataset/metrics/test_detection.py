import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, roc_auc_score, roc_curve

from m3dsynth_dataset.metrics import (
    auc,
    balanced_accuracy,
    equal_error_rate,
    false_alarm_rate,
    pd_at,
    threshold_at,
)

scores = st.lists(st.integers(0, 20).map(lambda number: number / 20), min_size=1, max_size=60).map(np.array)
rates = st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.25, 0.5])


def truth_of(tampered, pristine):
    return np.r_[np.ones(len(tampered)), np.zeros(len(pristine))], np.r_[tampered, pristine]


@given(pristine=scores, rate=rates)
def test_the_threshold_keeps_the_rate_and_no_smaller_one_does(pristine, rate):
    threshold = threshold_at(pristine, rate)

    assert np.mean(pristine > threshold) <= rate + 1e-12
    for smaller in {*pristine[pristine < threshold], threshold - 1e-6}:
        assert np.mean(pristine > smaller) > rate


def test_one_in_a_hundred_is_one_in_a_hundred():
    pristine = np.arange(100) / 100

    assert threshold_at(pristine) == 0.98
    assert false_alarm_rate(pristine, 0.98) == 0.01
    assert threshold_at(np.arange(99) / 100) == 0.98  # one of 99 would be more than 1 %


def test_ties_lower_the_realised_rate_and_never_raise_it():
    pristine = np.r_[np.zeros(150), np.full(50, 0.9)]
    point = pd_at(np.array([0.9, 0.95, 1.0, 0.2]), pristine)

    assert point.threshold == 0.9
    assert point.false_alarms == 0
    assert point.detection == 0.5


def test_a_threshold_of_other_samples_tells_what_it_costs_on_these():
    validation = np.linspace(0, 0.5, 200)
    point = pd_at(np.array([0.6, 0.4]), np.array([0.1, 0.55]), calibration=validation)

    assert point.detection == 0.5
    assert point.false_alarms == 0.5
    assert not point.is_coarse


@pytest.mark.parametrize(("negatives", "is_coarse"), [(99, True), (100, False)])
def test_few_pristine_samples_are_told(negatives, is_coarse):
    assert pd_at(np.ones(3), np.zeros(negatives)).is_coarse == is_coarse


@given(tampered=scores, pristine=scores, rate=rates)
def test_other_papers_variants_are_those_of_their_code(tampered, pristine, rate):
    false_alarms, detections, _ = roc_curve(*truth_of(tampered, pristine))
    nearest = int(np.argmin(np.abs(false_alarms - rate)))

    assert pd_at(tampered, pristine, rate, variant="interp").detection == pytest.approx(
        np.interp(rate, false_alarms, detections)
    )
    assert pd_at(tampered, pristine, rate, variant="nearest").detection == pytest.approx(detections[nearest])
    assert math.isnan(pd_at(tampered, pristine, rate, variant="nearest").threshold)


@given(tampered=scores, pristine=scores)
def test_auc_is_that_of_scikit_learn(tampered, pristine):
    assert auc(tampered, pristine) == pytest.approx(roc_auc_score(*truth_of(tampered, pristine)))


@given(tampered=scores, pristine=scores)
def test_balanced_accuracy_is_that_of_scikit_learn(tampered, pristine):
    truth, found = truth_of(tampered, pristine)

    assert balanced_accuracy(tampered, pristine) == pytest.approx(balanced_accuracy_score(truth, found > 0.5))


def test_a_perfect_detector_a_constant_one_and_an_inverted_one():
    high, low = np.full(200, 0.9), np.full(200, 0.1)

    assert (auc(high, low), pd_at(high, low).detection, equal_error_rate(high, low)) == (1, 1, 0)
    assert (auc(low, low), pd_at(low, low).detection, equal_error_rate(low, low)) == (0.5, 0, 0.5)
    assert (auc(low, high), pd_at(low, high).detection, equal_error_rate(low, high)) == (0, 0, 1)
    assert (balanced_accuracy(high, low), balanced_accuracy(low, low), balanced_accuracy(low, high)) == (1, 0.5, 0)


@given(tampered=scores, pristine=scores)
def test_the_complement_of_every_score_gives_the_complement_of_the_area(tampered, pristine):
    assert auc(1 - tampered, 1 - pristine) == pytest.approx(1 - auc(tampered, pristine))


def test_the_equal_error_rate_lies_on_the_curve():
    # One of four is missed at the threshold where one of four alarms.
    assert equal_error_rate(np.array([0.9, 0.8, 0.7, 0.2]), np.array([0.75, 0.3, 0.1, 0.0])) == 0.25
    # Between corners, on the line: from (0, 0.5) to (1, 1), misses equal alarms at a third.
    assert equal_error_rate(np.array([0.9, 0.5]), np.array([0.5])) == pytest.approx(1 / 3)


def test_wrong_calls_are_told():
    with pytest.raises(ValueError, match="rate of false alarms"):
        threshold_at(np.ones(3), 1.0)
    with pytest.raises(ValueError, match="variant must be"):
        pd_at(np.ones(3), np.zeros(3), variant="best")
