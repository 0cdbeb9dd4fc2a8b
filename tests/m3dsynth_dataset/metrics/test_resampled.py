import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3dsynth_dataset.metrics import auc, balanced_accuracy, pd_at
from m3dsynth_dataset.metrics.resampled import aucs, balanced_accuracies, detections, means


@st.composite
def draws(draw):
    """Scores of both kinds with ties, and how often each occurs in four draws."""
    counts = [draw(st.integers(1, 12)) for _ in range(2)]
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    scores = [rng.integers(0, 8, count) / 8 for count in counts]
    weights = [rng.integers(0, 3, (4, count)).astype(float) for count in counts]
    return *scores, *weights


def repeated(scores, weights):
    return [np.repeat(scores, line.astype(int)) for line in weights]


def plainly(measure, tampered, pristine, of_tampered, of_pristine):
    """The plain measure of samples that occur as often as the weights say."""
    pairs = zip(repeated(tampered, of_tampered), repeated(pristine, of_pristine), strict=True)
    return [measure(hits, others) if len(hits) and len(others) else np.nan for hits, others in pairs]


@given(drawn=draws())
def test_areas_are_those_of_repeated_samples(drawn):
    assert aucs(*drawn) == pytest.approx(plainly(auc, *drawn), nan_ok=True)


@given(drawn=draws())
def test_accuracies_are_those_of_repeated_samples(drawn):
    assert balanced_accuracies(*drawn) == pytest.approx(plainly(balanced_accuracy, *drawn), nan_ok=True)


@given(drawn=draws(), rate=st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5]))
def test_detections_set_the_threshold_in_every_draw_anew(drawn, rate):
    expected = plainly(lambda hits, others: pd_at(hits, others, rate).detection, *drawn)

    assert detections(*drawn, rate) == pytest.approx(expected, nan_ok=True)


def test_one_of_a_hundred_may_alarm_also_when_it_is_drawn_twice_of_two_hundred():
    pristine = np.append(np.zeros(99), 0.9)
    weights = np.array([np.ones(100), np.full(100, 2.0), np.append(np.ones(99), 3.0)])

    # Three of 102 would be more than 1 %, so the threshold rises to them.
    assert detections(np.array([0.5]), pristine, np.ones((3, 1)), weights, 0.01).tolist() == [1, 1, 0]


def test_a_draw_without_samples_has_no_mean():
    assert np.isnan(means(np.array([1.0, 2.0]), np.zeros((1, 2)))).all()
    assert means(np.array([True, False]), np.array([[1.0, 3.0]])).tolist() == [0.25]
