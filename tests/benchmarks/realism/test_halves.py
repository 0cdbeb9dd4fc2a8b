import numpy as np
import pytest

from benchmarks.realism.halves import HALVINGS, floor, halves

PATIENTS = ["a", "a", "b", "c", "d", "d", "d"]


def test_places_of_a_patient_stay_together():
    for half in halves(PATIENTS):
        assert half[0] == half[1]
        assert half[4] == half[5] == half[6]
        assert len({name for name, chosen in zip(PATIENTS, half, strict=True) if chosen}) == 2


def test_the_floor_is_the_median_over_halves():
    values = iter(range(HALVINGS))
    found = floor(lambda one, other: float(next(values)), PATIENTS)
    assert found.middle == pytest.approx((HALVINGS - 1) / 2)
    assert found.limit == pytest.approx(0.95 * (HALVINGS - 1))


def test_one_patient_has_no_halves():
    assert np.isnan(floor(lambda one, other: 1.0, ["a", "a"]).middle)


def test_the_same_seed_draws_the_same_halves():
    assert all(np.array_equal(*pair) for pair in zip(halves(PATIENTS), halves(PATIENTS), strict=True))
