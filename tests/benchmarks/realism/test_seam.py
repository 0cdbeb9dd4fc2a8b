import numpy as np
import pytest

from benchmarks.realism.seam import jumps, mean_jump


def box_mask():
    mask = np.zeros((6, 8, 10), dtype=bool)
    mask[1:5, 2:6, 3:7] = True
    return mask


def test_a_step_at_the_border_is_found_at_every_face():
    mask = box_mask()
    voxels = np.where(mask, -700, -850).astype(np.int16)
    found = jumps(voxels, mask)
    assert found[:, 1].tolist() == [2 * 16, 2 * 16, 2 * 16]
    assert (found[:, 0] / found[:, 1]).tolist() == [150, 150, 150]
    assert mean_jump(found) == 150


def test_a_step_within_the_mask_is_no_seam():
    mask = box_mask()
    voxels = np.full(mask.shape, -850, dtype=np.int16)
    voxels[2:4, 3:5, 4:6] = 200
    assert mean_jump(jumps(voxels, mask)) == 0


def test_jumps_over_more_than_int16_do_not_wrap():
    mask = box_mask()
    voxels = np.where(mask, 32767, -32768).astype(np.int16)
    assert mean_jump(jumps(voxels, mask)) == 65535


def test_axes_are_told_apart():
    mask = np.zeros((4, 4, 4), dtype=bool)
    mask[2:] = True
    voxels = np.where(mask, 10, 0).astype(np.int16)
    assert jumps(voxels, mask).tolist() == [[160, 16], [0, 0], [0, 0]]


def test_a_mask_without_a_border_has_no_jump():
    assert np.isnan(mean_jump(jumps(np.zeros((2, 3, 4), dtype=np.int16), np.ones((2, 3, 4), dtype=bool))))
    assert mean_jump(np.array([[3.0, 1.0], [1.0, 1.0], [0.0, 0.0]])) == pytest.approx(2.0)
