import numpy as np

from benchmarks.realism.frame import Frame, inner_box
from m3dsynth_dataset.box import Box

SPACING = (2.5, 0.75, 0.75)


def test_the_inner_box_of_a_box_is_that_box():
    mask = np.zeros((9, 24, 24), dtype=bool)
    mask[1:8, 2:22, 3:23] = True
    assert inner_box(mask) == Box((1, 2, 3), (7, 20, 20))


def test_the_inner_box_of_any_mask_lies_wholly_inside():
    z, y, x = np.indices((15, 31, 31))
    ball = ((z - 7) / 7) ** 2 + ((y - 15) / 15) ** 2 + ((x - 15) / 15) ** 2 <= 1
    found = inner_box(ball)
    assert ball[found.slices()].all()
    assert found.size > 0.3 * ball.sum()


def test_core_and_slab_keep_3_mm_from_the_border():
    mask = np.zeros((9, 24, 24), dtype=bool)
    mask[1:8, 1:23, 1:23] = True
    frame = Frame.of(mask, SPACING)
    assert frame is not None
    assert frame.slab == Box((3, 1, 1), (3, 22, 22))
    assert frame.core == Box((3, 5, 5), (3, 14, 14))


def test_of_thick_slices_one_stays():
    mask = np.zeros((4, 24, 24), dtype=bool)
    mask[1:3, 1:23, 1:23] = True
    frame = Frame.of(mask, (5.0, 0.75, 0.75))
    assert frame is not None
    assert frame.core.shape[0] >= 1


def test_a_mask_that_is_too_thin_has_no_frame():
    mask = np.zeros((9, 24, 24), dtype=bool)
    assert Frame.of(mask, SPACING) is None
    mask[1:8, 1:8, 1:23] = True
    assert Frame.of(mask, SPACING) is None
