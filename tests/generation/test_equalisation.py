import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from generation.equalisation import Equalisation
from generation.errors import GenerationError

EVERY_HU = torch.arange(-32768, 32768, dtype=torch.int16)
CUBES = hnp.arrays(np.int16, hnp.array_shapes(min_dims=4, max_dims=4, max_side=3))


def lung():
    return np.random.default_rng(0).normal(-800, 60, (4, 16, 16, 16)).astype(np.int16)


@given(CUBES)
@settings(max_examples=60, deadline=None)
def test_every_hu_survives_whatever_was_fitted(cubes):
    equalisation = Equalisation.fit(cubes)
    assert torch.equal(equalisation.restore(equalisation.equalise(EVERY_HU)).round().short(), EVERY_HU)


@given(st.integers(-32768, 0), st.integers(1, 32767))
@settings(max_examples=30, deadline=None)
def test_every_hu_survives_the_straight_line(low, high):
    equalisation = Equalisation.linear(low, high)
    assert torch.equal(equalisation.restore(equalisation.equalise(EVERY_HU)).round().short(), EVERY_HU)


def test_training_cubes_spread_evenly_around_their_mean():
    level = Equalisation.fit(lung()).equalise(torch.from_numpy(lung()))
    assert level.mean().item() == pytest.approx(0, abs=1e-3)
    assert level.std().item() == pytest.approx(12**-0.5, abs=0.02)
    assert level.dtype == torch.float32


def test_levels_rise_with_hu_far_outside_the_table():
    levels = Equalisation.fit(lung()).equalise(EVERY_HU)
    assert (levels.diff() > 0).all()


def test_the_range_is_that_of_the_training_cubes():
    low, high = Equalisation.fit(lung()).range
    assert high - low == pytest.approx(1)


def test_tensors_bring_the_same_map_back():
    fitted = Equalisation.fit(lung())
    again = Equalisation.from_tensors(fitted.to_tensors())
    assert torch.equal(again.equalise(EVERY_HU), fitted.equalise(EVERY_HU))


def test_levels_that_do_not_rise_are_refused():
    with pytest.raises(GenerationError, match="must rise strictly, got 3 levels"):
        Equalisation(0, np.zeros(3, dtype=np.float32))


def test_fitting_needs_a_cube():
    with pytest.raises(GenerationError, match="at least one training cube, got 0"):
        Equalisation.fit(np.empty((0, 4, 4, 4), dtype=np.int16))
