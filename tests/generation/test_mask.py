import pytest

from generation.errors import GenerationError
from generation.mask import core


def test_core_is_the_half_open_box_8_to_24():
    mask = core()
    assert mask[8:24, 8:24, 8:24].all()
    assert mask.sum() == 16**3


def test_core_of_ct_gan_is_20_voxels_wide():
    assert core(20).any(axis=(1, 2)).nonzero()[0].tolist() == list(range(6, 26))


@pytest.mark.parametrize("size", [0, 15, 34])
def test_a_size_without_an_equal_ring_is_refused(size):
    with pytest.raises(GenerationError, match=f"size_mm must be even and 2 to 32, got {size}"):
        core(size)
