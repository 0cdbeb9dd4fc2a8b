import numpy as np
import pytest

from benchmarks.realism.surroundings import surroundings
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.lazy import EditedVolume

WINDOW = Box((1, 40, 40), (5, 12, 12))


class Source:
    """Voxels in memory, and which boxes of them were read."""

    def __init__(self, voxels):
        self.voxels, self.shape, self.dtype, self.reads = voxels, voxels.shape, voxels.dtype, []

    def read(self, box):
        self.reads.append(box)
        return self.voxels[box.slices()]


def mask():
    inside = np.zeros(WINDOW.shape, dtype=bool)
    inside[1:-1, 1:-1, 1:-1] = True
    return inside


def found_in(voxels):
    source = Source(voxels)
    return *surroundings(EditedVolume(source, None), WINDOW, mask()), source


def test_windows_beside_lie_in_the_same_slices_and_do_not_overlap_the_edit():
    voxels = np.random.default_rng(0).integers(-900, -800, (8, 100, 100)).astype(np.int16)
    before, others, source = found_in(voxels)
    assert np.array_equal(before, voxels[WINDOW.slices()])
    assert len(others) == 5
    for (z, y, x), window in others:
        assert z == 0
        assert max(abs(y), abs(x)) in (12, 24)
        assert np.array_equal(window, voxels[1:6, 40 + y : 52 + y, 40 + x : 52 + x])
    assert len(source.reads) == 1


def test_tissue_alike_is_preferred_to_the_chest_wall():
    voxels = np.random.default_rng(0).integers(-900, -800, (8, 100, 100)).astype(np.int16)
    voxels[:, :, :40] += 900
    _, others, _ = found_in(voxels)
    assert all(x >= 0 for (_, _, x), _ in others)


def test_an_edit_in_a_corner_of_the_scan_has_what_there_is_room_for():
    voxels = np.zeros((8, 60, 54), dtype=np.int16)
    _, others, _ = found_in(voxels)
    assert others
    assert all(0 <= 40 + y <= 48 and 0 <= 40 + x <= 42 for (_, y, x), _ in others)


def test_a_scan_without_room_has_no_surroundings():
    source = Source(np.zeros((5, 12, 12), dtype=np.int16))
    before, others = surroundings(EditedVolume(source, None), Box((0, 0, 0), (5, 12, 12)), mask())
    assert before.shape == (5, 12, 12)
    assert others == []


@pytest.mark.parametrize("offset", [0, 300])
def test_what_lies_deep_in_the_edit_does_not_count(offset):
    voxels = np.random.default_rng(0).integers(-900, -800, (8, 100, 100)).astype(np.int16)
    voxels[:, 40:52, 64:76] += 30
    plain = [step for step, _ in found_in(voxels)[1]]
    voxels[2:5, 43:49, 43:49] += offset
    assert [step for step, _ in found_in(voxels)[1]] == plain
