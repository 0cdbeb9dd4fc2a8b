import numpy as np
import pytest
from scipy import linalg

from benchmarks.realism.frechet import frechet_distance


def drawn(seed, count, mean=0.0, spread=1.0, features=6):
    return np.random.default_rng(seed).normal(mean, spread, (count, features))


def test_gaussians_have_the_distance_of_their_parameters():
    found = frechet_distance(drawn(0, 4000, mean=1.0, spread=2.0), drawn(1, 4000))
    assert found == pytest.approx(6 * (1.0**2 + (2.0 - 1.0) ** 2), rel=0.05)


def test_correlated_features_have_the_distance_that_the_matrix_root_gives():
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(6, 6))
    one, other = drawn(4, 20_000) @ mix, drawn(5, 20_000)
    covariances = np.cov(one.T), np.cov(other.T)
    expected = np.trace(covariances[0] + covariances[1] - 2 * linalg.sqrtm(covariances[0] @ covariances[1]).real)
    assert frechet_distance(one, other) == pytest.approx(expected, rel=0.05)


def test_the_same_places_are_not_apart():
    assert frechet_distance(drawn(0, 50), drawn(0, 50)) == pytest.approx(0, abs=1e-9)


def test_fewer_places_than_features_have_a_distance_without_directions_of_chance():
    ours, theirs = drawn(0, 10, features=64), drawn(1, 10, features=64)
    plain = ((ours.mean(axis=0) - theirs.mean(axis=0)) ** 2).sum()
    assert plain <= frechet_distance(ours, theirs) < 1.5 * plain


def test_too_few_places_have_no_distance():
    assert np.isnan(frechet_distance(drawn(0, 3), drawn(1, 50)))
