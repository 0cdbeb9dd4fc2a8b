import numpy as np
import official_example as example
import pytest

from builder.cube import box_around
from builder.official_edit import find_edit
from builder.official_images import RefusedSampleError, SliceFolder
from m3dsynth_dataset.box import Box

CENTRE = (11, 46, 40)
CUBE = box_around(CENTRE, 32, example.SPACING, example.SHAPE)
OFFSET = 1024


@pytest.fixture(scope="module")
def pristine():
    return example.series("LIDC-IDRI-9001", 3).hu


@pytest.fixture(scope="module")
def sample(pristine):
    """A scan with an edit in HU, and its label."""
    return example.edited(pristine, CENTRE, 500)


@pytest.fixture
def find(pristine, tmp_path):
    """Writes a sample in the published form and takes the edit out of it."""

    def find(hu, label, offset=OFFSET, voxels=pristine, centre=CENTRE):
        stored = hu if hu.dtype == np.uint16 else example.published(hu, offset)
        stack = example.write_slices(tmp_path / "scan", stored, compression="raw")
        marks = example.write_slices(tmp_path / "label", label, compression="raw")
        return find_edit(SliceFolder.open(stack), SliceFolder.open(marks), voxels, centre, example.SPACING)

    return find


def applied(edit, pristine):
    voxels = pristine.copy()
    edit.overlay(voxels, Box((0, 0, 0), pristine.shape))
    return voxels


def masked(edit):
    mask = np.zeros(example.SHAPE, dtype=bool)
    mask[edit.box.slices()] = edit.mask
    return mask


@pytest.mark.parametrize("offset", [1024, 2000, 2048, 3024])
def test_the_edit_is_what_was_done_whatever_the_offset(find, pristine, sample, offset):
    hu, label = sample
    edit, seen = find(hu, label, offset)
    np.testing.assert_array_equal(applied(edit, pristine), hu)
    np.testing.assert_array_equal(masked(edit), label)
    assert edit.box == CUBE
    assert (seen.offset_hu, seen.ascending) == (offset, False)
    assert (seen.changed, seen.labelled) == (label.sum(), label.sum())
    assert (seen.outside_box, seen.labelled_outside_box, seen.changed_outside_label) == (0, 0, 0)
    assert (seen.outside_box_bounds, seen.extra_label_slices, seen.label_turned) == (None, 0, False)


@pytest.mark.parametrize("offset", [0, 512])
def test_small_offsets_are_found_too(find, offset):
    voxels = example.series("LIDC-IDRI-9001", 3, lowest=-offset, padding=-offset).hu
    hu, label = example.edited(voxels, CENTRE, 500)
    edit, seen = find(hu, label, offset, voxels)
    np.testing.assert_array_equal(applied(edit, voxels), hu)
    assert seen.offset_hu == offset


def test_padding_that_the_published_form_cuts_off_is_no_edit(find, pristine):
    centre = (11, 10, 10)
    hu, label = example.edited(pristine, centre, 500)
    assert (pristine[label] == -2000).any()  # some padding is edited, and some of the box's is not
    edit, seen = find(hu, label, OFFSET, centre=centre)
    base = pristine[edit.box.slices()]
    padding = base == -2000
    assert seen.cut_off == padding.sum()
    np.testing.assert_array_equal(edit.patch[~edit.mask], base[~edit.mask])
    # -2000 + 500 is below the offset as well: the published form cannot tell it from padding.
    np.testing.assert_array_equal(edit.patch[edit.mask & ~padding], base[edit.mask & ~padding] + 500)
    np.testing.assert_array_equal(edit.patch[edit.mask & padding], -2000)
    assert seen.changed == (label & (pristine != -2000)).sum()
    assert seen.changed_to_lowest == 0


def test_padding_that_became_tissue_is_an_edit(find, pristine):
    centre = (11, 10, 10)
    _, label = example.edited(pristine, centre, 0)
    edit, seen = find(np.where(label, np.int16(40), pristine), label, centre=centre)
    np.testing.assert_array_equal(edit.patch[edit.mask], 40)
    assert seen.changed >= (label & (pristine == -2000)).sum() > 0


def test_tissue_that_became_the_lowest_value_is_told(find, sample):
    hu, label = sample
    edit, seen = find(np.where(label, np.int16(-3000), hu), label)
    assert seen.changed_to_lowest == label.sum()
    np.testing.assert_array_equal(edit.patch[edit.mask], -OFFSET)


def test_slices_from_the_feet_up_are_turned(find, pristine, sample):
    hu, label = sample
    edit, seen = find(hu[::-1], label[::-1])
    assert (seen.ascending, seen.label_turned) == (True, False)
    np.testing.assert_array_equal(applied(edit, pristine), hu)
    np.testing.assert_array_equal(masked(edit), label)


def test_a_label_that_hits_either_way_runs_as_its_scan_does(find, pristine, sample):
    hu, label = sample  # nearly in the middle
    edit, seen = find(hu[::-1], label)
    assert not seen.label_turned
    np.testing.assert_array_equal(masked(edit), label[::-1])
    assert seen.changed_outside_label == (label & ~label[::-1]).sum() > 0


def test_a_label_far_from_the_middle_shows_which_way_it_runs(find, pristine):
    centre = (4, 46, 40)
    hu, label = example.edited(pristine, centre, 500)
    edit, seen = find(hu[::-1], label, centre=centre)
    assert (seen.ascending, seen.label_turned) == (True, True)
    np.testing.assert_array_equal(masked(edit), label)
    np.testing.assert_array_equal(applied(edit, pristine), hu)


def test_the_box_grows_to_hold_what_changed_just_outside(find, pristine, sample):
    hu, label = sample
    wider = hu.copy()
    z, y, x = CUBE.stop
    wider[z - 1, y + 1, 40] += 1
    wider[z, y, 41] += 1
    edit, seen = find(wider, label)
    assert edit.box == Box.between(CUBE.start, (z + 1, y + 2, x))
    assert (seen.outside_box, seen.changed_outside_label) == (2, 2)
    assert seen.outside_box_bounds == ((z - 1, y, 40), (z + 1, y + 2, 42))
    np.testing.assert_array_equal(applied(edit, pristine), wider)


def test_the_box_grows_to_hold_the_label(find, sample):
    hu, label = sample
    wider = label.copy()
    wider[11, 46, CUBE.start[2] - 2] = True
    edit, seen = find(hu, wider)
    assert edit.box.start == (CUBE.start[0], CUBE.start[1], CUBE.start[2] - 2)
    assert (seen.labelled_outside_box, seen.outside_box) == (1, 0)
    np.testing.assert_array_equal(masked(edit), wider)


@pytest.mark.parametrize("place", [(0, 46, 40), (11, 0, 40), (23, 89, 83)])
def test_a_voxel_changed_far_from_the_site_is_refused(find, sample, place):
    hu, label = sample
    hu = hu.copy()
    hu[place] += 1 if hu[place] > -2000 else 2000
    after = tuple(each + 1 for each in place)
    with pytest.raises(RefusedSampleError) as refusal:
        find(hu, label)
    assert refusal.value.reason == (
        f"1 voxels beyond 48 mm around the site differ from the pristine scan, between {place} and {after} of "
        f"{example.SHAPE}"
    )


def test_empty_label_slices_beyond_the_last_are_passed_over(find, sample):
    hu, label = sample
    more = np.concatenate([label, np.zeros((85, *example.SHAPE[1:]), bool)])
    edit, seen = find(hu, more)
    assert seen.extra_label_slices == 85
    np.testing.assert_array_equal(masked(edit), label)


def beside(label):
    there = np.zeros_like(label)
    there[CENTRE[0], CENTRE[1], CENTRE[2] + 20] = True
    return there


def with_one_more(label):
    return np.concatenate([label, label[11:12]])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (with_one_more, "voxels in slice 24, the scan has 24 slices"),
        (lambda label: label[:-1], "has 23 slices, the scan 24"),
        (np.zeros_like, "its label marks no voxel"),
        (np.ones_like, "its label marks voxels too far from the site: more than it may have"),
        (lambda label: np.roll(label, 40, axis=1), "its label marks voxels too far from the site, from"),
        (beside, "its label marks none of the voxels that changed"),
    ],
)
def test_a_label_that_does_not_fit_is_refused(find, sample, change, reason):
    hu, label = sample
    with pytest.raises(RefusedSampleError, match=reason):
        find(hu, change(label))


def test_a_scan_with_more_or_fewer_slices_is_refused(find, sample):
    hu, label = sample
    with pytest.raises(RefusedSampleError, match="has 23 slices, the scan 24"):
        find(hu[1:], label)


def test_another_scan_is_refused(find, sample):
    _, label = sample
    with pytest.raises(RefusedSampleError, match="another scan: with no offset and in neither order"):
        find(example.series("LIDC-IDRI-9002", 3).hu, label)


def test_an_empty_scan_is_refused(find, sample):
    with pytest.raises(RefusedSampleError, match="another scan"):
        find(np.zeros(example.SHAPE, np.uint16), sample[1])


def test_slices_in_no_order_are_refused(find, sample):
    hu, label = sample
    hu = hu.copy()
    hu[[7, 8]] = hu[[8, 7]]
    with pytest.raises(RefusedSampleError, match="voxels beyond 48 mm around the site differ"):
        find(hu, label)


def test_an_untouched_copy_is_refused(find, pristine, sample):
    with pytest.raises(RefusedSampleError, match="no voxel differs from the pristine scan"):
        find(pristine, sample[1])


def test_a_site_outside_the_scan_is_refused(find, sample):
    with pytest.raises(RefusedSampleError, match=r"site outside the scan: \(24, 46, 40\) in \(24, 90, 84\) voxels"):
        find(*sample, centre=(24, 46, 40))


def test_values_beyond_16_bits_are_refused(find, pristine, sample):
    hu, label = sample
    stored = example.published(hu, OFFSET)
    stored[label] = 65_000
    with pytest.raises(RefusedSampleError, match="do not fit into 16 bits"):
        find(stored, label)
