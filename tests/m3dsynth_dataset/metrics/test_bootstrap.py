import numpy as np
import pytest

from m3dsynth_dataset.metrics import interval


def test_the_figure_itself_is_that_of_all_samples():
    values = np.arange(10.0)

    assert interval(lambda chosen: float(values[chosen].mean()), [str(number) for number in range(10)]).value == 4.5


def test_it_covers_what_theory_says_for_a_mean_of_independent_patients():
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, 400)
    found = interval(lambda chosen: float(values[chosen].mean()), [str(number) for number in range(400)])

    assert found.high - found.low == pytest.approx(2 * 1.96 / 20, rel=0.15)
    assert found.low < found.value < found.high


def test_samples_of_one_patient_stay_together():
    # Ten samples of each of ten patients, all alike: as uncertain as ten samples, not as a hundred.
    values = np.repeat(np.arange(10.0), 10)
    together = interval(lambda chosen: float(values[chosen].mean()), [str(number // 10) for number in range(100)])
    apart = interval(lambda chosen: float(values[chosen].mean()), [str(number) for number in range(100)])

    assert (together.high - together.low) > 2.5 * (apart.high - apart.low)


def test_it_is_the_same_every_time_and_another_with_another_seed():
    values = np.random.default_rng(0).normal(size=30)
    patients = [str(number % 7) for number in range(30)]

    def mean(chosen):
        return float(values[chosen].mean())

    assert interval(mean, patients) == interval(mean, patients)
    assert interval(mean, patients) != interval(mean, patients, seed=1)


def test_draws_in_which_it_is_not_defined_are_left_out():
    kinds = np.array([1, 1, 0])

    def share(chosen):
        if not (kinds[chosen] == 0).any():
            raise ValueError("no pristine sample")
        return float(kinds[chosen].mean())

    found = interval(share, ["a", "b", "c"])
    assert found.high < 1


def test_with_one_patient_there_is_nothing_to_draw():
    assert interval(lambda chosen: float(len(chosen)), ["a", "a"]).low == 2
