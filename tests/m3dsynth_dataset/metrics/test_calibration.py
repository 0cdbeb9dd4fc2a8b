import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from m3dsynth_dataset.metrics import calibration


def test_scores_that_mean_what_they_say_have_no_error():
    # At 0.8 four of five are tampered, at 0.2 one of five.
    found = calibration(np.repeat([0.8, 0.2], [400, 100]), np.repeat([0.8, 0.2], [100, 400]), bins=5)

    assert found.error == pytest.approx(0)
    assert found.counts.tolist() == [0, 500, 0, 0, 500]
    assert found.shares[[1, 4]] == pytest.approx([0.2, 0.8])
    assert np.isnan(found.scores[0])


def test_a_detector_that_is_sure_and_wrong_half_of_the_time_has_an_error_of_a_half():
    assert calibration(np.array([1.0, 1.0]), np.array([1.0, 1.0])).error == pytest.approx(0.5)


def test_it_is_the_curve_of_scikit_learn_where_both_kinds_are_as_many():
    rng = np.random.default_rng(0)
    tampered, pristine = rng.beta(3, 2, 300), rng.beta(2, 3, 300)
    truth = np.r_[np.ones(300), np.zeros(300)]
    shares, means = calibration_curve(truth, np.r_[tampered, pristine], n_bins=10)
    found = calibration(tampered, pristine)

    assert found.shares[found.counts > 0] == pytest.approx(shares)
    assert found.scores[found.counts > 0] == pytest.approx(means)


def test_how_many_are_tampered_does_not_matter():
    tampered, pristine = np.array([0.9, 0.4]), np.array([0.3, 0.6])

    assert calibration(np.tile(tampered, 50), pristine).error == pytest.approx(calibration(tampered, pristine).error)


def test_scores_beyond_the_unit_interval_are_an_error():
    with pytest.raises(ValueError, match="scores in 0 to 1, got -1 to 2"):
        calibration(np.array([2.0]), np.array([-1.0]))
