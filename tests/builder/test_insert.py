import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.cube import cut_cube
from builder.insert import Insertion
from m3dsynth_dataset.box import Box

SPACING = (2.0, 0.8, 0.8)
SHAPE = (40, 96, 96)


def scan_with(seed=0):
    return np.random.default_rng(seed).integers(-950, 100, SHAPE, dtype=np.int16)


def edit_of(voxels, centre, spacing=SPACING, change=None, seed=0, range_hu=(-1024, 3071)):
    original = cut_cube(voxels, centre, spacing)
    filled = original.copy()
    if change is not None:
        filled[8:24, 8:24, 8:24] = change
    return Insertion.at(voxels, centre, spacing, original, range_hu, np.random.default_rng(seed)).edit(filled)


def applied(voxels, edit):
    after = voxels.copy()
    after[edit.box.slices()] = edit.patch
    return after


@given(
    st.tuples(st.integers(-2, 41), st.integers(0, 95), st.integers(0, 95)),
    st.tuples(st.floats(0.6, 3), st.floats(0.5, 0.95), st.floats(0.5, 0.95)),
)
@settings(max_examples=30, deadline=None)
def test_nothing_outside_the_mask_changes_wherever_the_site_is(centre, spacing):
    voxels = scan_with()
    edit = edit_of(voxels, centre, spacing, change=40)
    assert edit.box in Box((0, 0, 0), SHAPE)
    outside = np.ones(SHAPE, bool)
    outside[edit.box.slices()] = ~edit.mask
    np.testing.assert_array_equal(applied(voxels, edit)[outside], voxels[outside])


def test_an_unchanged_ring_changes_nothing_outside_the_mask():
    voxels = scan_with()
    edit = edit_of(voxels, (20, 48, 48))
    np.testing.assert_array_equal(edit.patch[~edit.mask], voxels[edit.box.slices()][~edit.mask])
    assert (edit.patch[edit.mask] != voxels[edit.box.slices()][edit.mask]).any()


def test_what_the_inpainter_made_stands_in_the_middle():
    edit = edit_of(np.full(SHAPE, -850, np.int16), (20, 48, 48), change=40)
    middle = tuple(length // 2 for length in edit.box.shape)
    assert edit.patch[middle] == 40


def test_the_mask_is_the_core():
    edit = edit_of(scan_with(), (20, 48, 48))
    assert edit.box == Box((17, 39, 39), (7, 19, 19))
    assert edit.mask.all()


def test_a_core_over_the_edge_is_cut_there():
    edit = edit_of(scan_with(), (0, 48, 95), change=40)
    assert edit.box == Box((0, 39, 86), (4, 19, 10))


def test_padding_outside_the_field_of_view_stays():
    voxels = np.full(SHAPE, -850, np.int16)
    voxels[:, :, 50:] = -3024
    edit = edit_of(voxels, (20, 48, 48), change=40)
    padded = voxels[edit.box.slices()] == -3024
    assert padded.any()
    assert not edit.mask[padded].any()
    assert (edit.patch[padded] == -3024).all()


@pytest.mark.parametrize("change", [5000, -2000])
def test_values_stay_in_the_range_of_the_scan(change):
    edit = edit_of(scan_with(), (20, 48, 48), change=change, range_hu=(-950, 99))
    assert edit.patch.min() >= -950
    assert edit.patch.max() <= 99
    assert (edit.patch == (-950 if change < 0 else 99)).mean() > 0.1


def test_the_same_seed_gives_the_same_edit_and_another_seed_another():
    voxels = scan_with()
    first, same, other = (edit_of(voxels, (20, 48, 48), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.patch, same.patch)
    assert (first.patch != other.patch).any()


def test_a_site_whose_core_lies_outside_is_an_error():
    with pytest.raises(ValueError, match="core of a site must reach into the scan"):
        edit_of(scan_with(), (99, 48, 48))
