import numpy as np
import pytest
from scipy import stats

from benchmarks.realism.histogram import LOWEST_HU, VALUES, counted, wasserstein_hu


def test_the_distance_is_that_of_scipy():
    rng = np.random.default_rng(0)
    ours, theirs = rng.integers(-900, 100, 300), rng.integers(-800, 300, 200)
    found = wasserstein_hu(counted(ours), counted(theirs))
    assert found == pytest.approx(stats.wasserstein_distance(ours, theirs))


def test_a_shift_by_40_hu_is_40_hu():
    values = np.arange(-900, -500)
    assert wasserstein_hu(counted(values + 40), counted(values)) == pytest.approx(40)


def test_values_beyond_are_counted_at_the_ends():
    found = counted(np.array([-3000, 32767, LOWEST_HU], dtype=np.int16))
    assert found[0] == 2
    assert found[-1] == 1
    assert len(found) == VALUES


def test_nothing_has_no_distance():
    assert np.isnan(wasserstein_hu(counted(np.array([1])), np.zeros(VALUES, dtype=np.int64)))
