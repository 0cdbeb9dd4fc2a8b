import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.submission import Heatmap, Prediction, as_table, from_table

SHAPE = (6, 9, 8)


def slices_of(volume):
    return ((number, volume[number]) for number in range(len(volume)))


@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.002, 0.05, 1.0]))
def test_a_map_comes_back_as_it_was_but_for_what_lies_under_the_floor(seed, share):
    rng = np.random.default_rng(seed)
    volume = np.where(rng.random(SHAPE) < share, rng.random(SHAPE), 0).astype(np.float32)
    heatmap = Heatmap.of(SHAPE, slices_of(volume))
    (found,) = from_table(as_table([Prediction("dm/inj_1", 0.5, heatmap)])).values()
    whole = np.zeros(SHAPE, np.uint8)
    if found.heatmap is not None:
        whole[found.heatmap.box.slices()] = found.heatmap.values

    assert np.array_equal(whole, np.rint(np.where(volume < 0.25, 0, volume) * 255).astype(np.uint8))


def test_the_box_is_as_small_as_it_can_be():
    volume = np.zeros(SHAPE, np.float32)
    volume[2, 3, 4] = volume[4, 5, 1] = 0.9

    assert Heatmap.of(SHAPE, slices_of(volume)).box == Box((2, 3, 1), (3, 3, 4))


def test_a_map_of_nothing_takes_no_room():
    assert Heatmap.of(SHAPE, slices_of(np.full(SHAPE, 0.2, np.float32))) is None
    assert Heatmap.of(SHAPE, []) is None


@pytest.mark.parametrize("wrong", [np.nan, -0.1, 1.1, np.inf])
def test_what_is_no_probability_is_an_error(wrong):
    plane = np.full(SHAPE[1:], wrong, np.float32)
    with pytest.raises(ValueError, match="slice 2 holds what is no probability"):
        Heatmap.of(SHAPE, [(2, plane)])


@pytest.mark.parametrize(("number", "shape"), [(6, (9, 8)), (-1, (9, 8)), (0, (8, 9))])
def test_slices_that_do_not_fit_the_scan_are_an_error(number, shape):
    with pytest.raises(ValueError, match="does not fit a scan"):
        Heatmap.of(SHAPE, [(number, np.ones(shape, np.float32))])


@pytest.mark.parametrize("score", [np.nan, -0.01, 1.01])
def test_scores_lie_between_0_and_1(score):
    with pytest.raises(ValueError, match="a score lies in 0 to 1"):
        Prediction("dm/inj_1", score)
