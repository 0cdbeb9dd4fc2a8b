from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.edit import Edit, EncodedEdit
from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.schema import PatchEncoding

shapes = hnp.array_shapes(min_dims=3, max_dims=3, max_side=9)
patches = shapes.flatmap(lambda shape: st.tuples(*[hnp.arrays(np.int16, shape)] * 2, hnp.arrays(bool, shape)))


@given(patches)
@settings(deadline=None)
def test_an_edit_comes_back_as_it_was(arrays):
    base, patch, mask = arrays
    edit = Edit(Box((1, 2, 3), patch.shape), patch, mask)
    decoded = EncodedEdit.encode(edit, base).decode(base)
    np.testing.assert_array_equal(decoded.patch, patch)
    np.testing.assert_array_equal(decoded.mask, mask)
    assert decoded.box == edit.box


@given(patches)
@settings(deadline=None)
def test_a_row_holds_the_whole_edit(arrays):
    base, patch, mask = arrays
    encoded = EncodedEdit.encode(Edit(Box((0, 0, 0), patch.shape), patch, mask), base)
    assert EncodedEdit.from_row(encoded.columns()) == encoded


def noise(seed, shape=(8, 20, 20)):
    return np.random.default_rng(seed).integers(-1000, 1000, shape, dtype=np.int16)


def encoded(patch, base):
    return EncodedEdit.encode(Edit(Box((0, 0, 0), base.shape), patch, patch != base), base)


def test_a_small_change_is_stored_as_the_difference():
    base = noise(1)
    patch = base.copy()
    patch[4, 10, 10] += 1
    assert encoded(patch, base).patch_encoding is PatchEncoding.DELTA
    assert len(encoded(patch, base).patch) < 200


def test_new_texture_is_stored_as_it_is():
    base = noise(1)
    assert encoded(np.zeros_like(base), base).patch_encoding is PatchEncoding.RAW


def test_a_patch_on_a_wrong_base_is_an_error():
    base = noise(1)
    wrong = base.copy()
    wrong[0, 0, 0] += 1
    with pytest.raises(DamagedReleaseError, match="the volume is damaged or of another release"):
        encoded(noise(2), base).decode(wrong)


def test_a_patch_of_another_size_than_its_box_is_an_error():
    base = noise(1)
    small = encoded(noise(2, (1, 1, 1)), noise(3, (1, 1, 1)))
    with pytest.raises(DamagedReleaseError, match=r"must decode to 6400 bytes, got 2"):
        replace(encoded(noise(2), base), patch=small.patch).decode(base)


def test_patch_and_mask_must_fill_the_box():
    with pytest.raises(ValueError, match=r"must have the box's shape \(1, 2, 3\)"):
        Edit(Box((0, 0, 0), (1, 2, 3)), np.zeros((1, 2, 4), np.int16), np.zeros((1, 2, 4), bool))


@given(st.tuples(*[st.integers(-3, 9)] * 3), st.tuples(*[st.integers(0, 9)] * 3))
def test_an_overlay_on_a_region_is_that_region_of_an_overlay_on_the_whole(start, shape):
    edit = Edit(Box((2, 3, 4), (3, 4, 5)), noise(1, (3, 4, 5)), np.ones((3, 4, 5), bool))
    whole = Box((-3, -3, -3), (21, 21, 21))
    everything, region = np.zeros(whole.shape, np.int16), np.zeros(shape, np.int16)
    edit.overlay(everything, whole)
    edit.overlay(region, Box(start, shape))
    np.testing.assert_array_equal(region, everything[Box(start, shape).relative_to(whole).slices()])
