import numpy as np
import official_example as example
import pytest

from builder.official_alignment import Alignment, align
from builder.official_images import RefusedSampleError, SliceFolder

PRISTINE = example.series("LIDC-IDRI-9001", 3).hu


@pytest.fixture
def stack(tmp_path):
    def write(stored):
        return SliceFolder.open(example.write_slices(tmp_path / "scan", stored, compression="raw"))

    return write


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize("offset", [512, 1024, 2000, 2048])
def test_offset_and_order_are_found_though_values_are_cut_off(stack, offset, turn):
    assert align(stack(example.published(PRISTINE, offset)[::turn]), PRISTINE) == Alignment(offset, turn == -1)


def test_padding_does_not_pass_for_an_offset_though_it_is_most_of_a_slice(stack):
    voxels = np.where(np.indices(example.SHAPE)[2] > 20, np.int16(-2000), PRISTINE)
    assert np.mean(voxels == -2000) > 0.7
    assert align(stack(example.published(voxels, 1024)), voxels) == Alignment(1024, ascending=False)


def test_a_large_edit_does_not_matter(stack):
    stored = example.published(PRISTINE, 1024)
    stored[:, 20:50, 20:60] = 77
    assert align(stack(stored), PRISTINE) == Alignment(1024, ascending=False)


def test_voxels_are_stored_as_the_published_form_holds_them():
    voxels = np.array([-2000, -1024, 40, 32_767], np.int16)
    np.testing.assert_array_equal(Alignment(1024, ascending=False).stored(voxels), [0, 0, 1064, 33_791])
    assert Alignment(0, ascending=True).index(2, 10) == 7
    assert Alignment(0, ascending=False).index(2, 10) == 2


@pytest.mark.parametrize(
    "other",
    [
        example.published(example.series("LIDC-IDRI-9002", 3).hu, 1024),
        example.published(PRISTINE[:, ::-1], 1024),
        np.zeros(example.SHAPE, np.uint16),
    ],
)
def test_slices_of_another_scan_are_refused(stack, other):
    with pytest.raises(RefusedSampleError, match="another scan: with no offset and in neither order"):
        align(stack(other), PRISTINE)
