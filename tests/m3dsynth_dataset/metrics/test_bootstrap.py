import numpy as np
import pytest

from m3dsynth_dataset.metrics import interval
from m3dsynth_dataset.metrics.bootstrap import resample
from m3dsynth_dataset.metrics.resampled import means


def of_mean(values, patients, **options):
    return interval(lambda weights: means(values, weights), patients, **options)


def test_the_figure_itself_is_that_of_all_samples():
    assert of_mean(np.arange(10.0), [str(number) for number in range(10)]).value == 4.5


def test_it_covers_what_theory_says_for_a_mean_of_independent_patients():
    rng = np.random.default_rng(1)
    found = of_mean(rng.normal(0, 1, 400), [str(number) for number in range(400)])

    assert found.high - found.low == pytest.approx(2 * 1.96 / 20, rel=0.15)
    assert found.low < found.value < found.high


def test_samples_of_one_patient_stay_together():
    # Ten samples of each of ten patients, all alike: as uncertain as ten samples, not as a hundred.
    values = np.repeat(np.arange(10.0), 10)
    together = of_mean(values, [str(number // 10) for number in range(100)])
    apart = of_mean(values, [str(number) for number in range(100)])

    assert (together.high - together.low) > 2.5 * (apart.high - apart.low)


def test_every_draw_has_as_many_patients_as_there_are_and_all_samples_of_each():
    weights = resample(["b", "a", "b", "c"], draws=200)

    assert np.array_equal(weights[:, 0], weights[:, 2])
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert weights.max() == 3
    assert weights.mean(axis=0) == pytest.approx(np.ones(4), abs=0.15)


def test_the_order_of_the_samples_does_not_matter():
    patients = ["b", "a", "b", "c"]

    assert np.array_equal(resample(patients, 50)[:, ::-1], resample(patients[::-1], 50))


def test_it_is_the_same_every_time_and_another_with_another_seed():
    values = np.random.default_rng(0).normal(size=30)
    patients = [str(number % 7) for number in range(30)]

    assert of_mean(values, patients) == of_mean(values, patients)
    assert of_mean(values, patients) != of_mean(values, patients, seed=1)


def test_draws_in_which_it_is_not_defined_are_left_out():
    is_pristine = np.array([0, 0, 1])

    def share(weights):
        return np.where(weights @ is_pristine > 0, means(is_pristine, weights), np.nan)

    found = interval(share, ["a", "b", "c"])
    assert found.low > 0
    assert found.high == 1


def test_a_figure_that_is_not_defined_has_no_interval():
    found = interval(lambda weights: np.full(len(weights), np.nan), ["a", "b"])

    assert np.isnan([found.value, found.low, found.high]).all()


def test_with_one_patient_there_is_nothing_to_draw():
    assert interval(lambda weights: weights.sum(axis=1), ["a", "a"]).low == 2
