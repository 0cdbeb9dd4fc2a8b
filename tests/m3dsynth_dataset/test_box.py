import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3dsynth_dataset.box import Box

starts = st.tuples(*[st.integers(0, 6)] * 3)
shapes = st.tuples(*[st.integers(0, 6)] * 3)
boxes = st.builds(Box, starts, shapes)


def voxels_of(box):
    volume = np.zeros((12, 12, 12), bool)
    volume[box.slices()] = True
    return volume


@given(boxes, boxes)
def test_the_intersection_holds_the_voxels_of_both(a, b):
    np.testing.assert_array_equal(voxels_of(a.intersection(b)), voxels_of(a) & voxels_of(b))


@given(boxes)
def test_the_size_is_the_number_of_voxels(box):
    assert box.size == voxels_of(box).sum()


@given(boxes, boxes)
def test_a_box_lies_in_another_when_all_its_voxels_do(a, b):
    if a.size:
        assert (a in b) == bool(voxels_of(b)[voxels_of(a)].all())


def test_a_relative_box_counts_from_the_others_start():
    assert Box((5, 6, 7), (1, 2, 3)).relative_to(Box((4, 4, 9), (9, 9, 9))) == Box((1, 2, -2), (1, 2, 3))


def test_a_negative_shape_is_an_error():
    with pytest.raises(ValueError, match="shape must be >= 0 voxels"):
        Box((0, 0, 0), (1, -1, 1))
