import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from m3dsynth_dataset.metrics import roc

scores = st.lists(st.integers(0, 8).map(lambda number: number / 8), min_size=1, max_size=40).map(np.array)


@given(tampered=scores, pristine=scores)
def test_it_is_the_curve_of_scikit_learn(tampered, pristine):
    truth = np.r_[np.ones(len(tampered)), np.zeros(len(pristine))]
    false_alarms, detections, thresholds = roc_curve(truth, np.r_[tampered, pristine])
    curve = roc(tampered, pristine)

    assert curve.false_alarms == pytest.approx(false_alarms)
    assert curve.detections == pytest.approx(detections)
    assert curve.thresholds == pytest.approx(thresholds)


def test_equal_scores_are_one_point():
    curve = roc(np.array([0.5, 0.5]), np.array([0.5]))

    assert curve.false_alarms.tolist() == [0, 1]
    assert curve.detections.tolist() == [0, 1]


@pytest.mark.parametrize(("tampered", "pristine"), [([], [1.0]), ([1.0], []), ([np.nan], [0.0])])
def test_scores_that_cannot_be_ranked_are_an_error(tampered, pristine):
    with pytest.raises(ValueError, match=r"none of one kind|NaN"):
        roc(np.array(tampered), np.array(pristine))
