import numpy as np
import pytest
from gallery_reading import box, voxels

from benchmarks.viewer.block import block, part
from m3dsynth_dataset.box import Box


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.bool_])
def test_a_block_gives_back_every_voxel(dtype):
    full = np.random.default_rng(0).integers(-32768, 32768, (3, 5, 7)).astype(dtype)
    made = block((4, 0, 9), full)
    np.testing.assert_array_equal(voxels(made), full)
    assert box(made) == Box((4, 0, 9), (3, 5, 7))


def test_a_block_of_a_part_of_an_array_holds_that_part():
    full = np.arange(4 * 6 * 8, dtype=np.int16).reshape(4, 6, 8)[1:3, ::-1, 2:5]
    np.testing.assert_array_equal(voxels(block((0, 0, 0), full)), full)


def test_extreme_values_survive():
    full = np.array([[[-32768, -1, 0, 1, 255, 256, 32767]]], dtype=np.int16)
    assert voxels(block((0, 0, 0), full)).tolist() == full.tolist()


def test_a_part_is_what_lies_in_the_other_box():
    values = np.random.default_rng(0).integers(0, 256, (4, 6, 8), dtype=np.uint8)
    made = part(Box((2, 3, 4), (4, 6, 8)), values, Box((0, 5, 0), (4, 2, 40)))
    assert box(made) == Box((2, 5, 4), (2, 2, 8))
    np.testing.assert_array_equal(voxels(made), values[:2, 2:4])


def test_there_is_no_part_in_a_box_that_lies_elsewhere():
    assert part(Box((0, 0, 0), (1, 1, 1)), np.ones((1, 1, 1), np.uint8), Box((1, 0, 0), (5, 5, 5))) is None
