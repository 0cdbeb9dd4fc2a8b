import inspect
from dataclasses import replace

import numpy as np
import pytest
import tiny_release
from hypothesis import given, settings
from hypothesis import strategies as st

from m3dsynth_dataset import open_release
from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.lazy import LazyVolume
from m3dsynth_dataset.manifest import Manifest, record_files
from m3dsynth_dataset.volume import open_volume


@pytest.fixture(scope="module")
def sample(release_path):
    return open_release(release_path).sample("pix2pix/inj_1")


def indices(length):
    bound = st.none() | st.integers(-length - 3, length + 3)
    steps = st.none() | st.integers(-4, 4).filter(bool)
    return st.integers(-length, length - 1) | st.builds(slice, bound, bound, steps)


selections = st.tuples(*map(indices, tiny_release.SHAPE))


@given(selections)
@settings(deadline=None, max_examples=150)
def test_voxels_are_those_of_the_materialised_scan_on_any_index(sample, selection):
    expected = tiny_release.tampered("pix2pix", "inj_1")[selection]
    np.testing.assert_array_equal(sample.ct[selection], expected)


@given(selections)
@settings(deadline=None, max_examples=150)
def test_the_mask_is_that_of_the_edit_on_any_index(sample, selection):
    edit = tiny_release.edit_of("pix2pix", "inj_1")
    whole = np.zeros(tiny_release.SHAPE, bool)
    whole[edit.box.slices()] = edit.mask
    np.testing.assert_array_equal(sample.mask[selection], whole[selection])


@pytest.mark.parametrize("selection", [5, -1, slice(3, 9), ..., (4, ...), (..., 7), (1, ..., slice(2, 5)), (2, 3)])
def test_short_indices_mean_what_they_mean_in_numpy(sample, selection):
    np.testing.assert_array_equal(sample.ct[selection], tiny_release.tampered("pix2pix", "inj_1")[selection])


def test_the_pristine_scan_is_at_hand_too(sample):
    np.testing.assert_array_equal(sample.pristine[...], tiny_release.scan("scan-1"))


def test_numpy_takes_a_whole_scan(sample):
    np.testing.assert_array_equal(np.asarray(sample.ct), tiny_release.tampered("pix2pix", "inj_1"))
    assert len(sample.ct) == tiny_release.SHAPE[0]
    assert sample.ct.dtype == np.int16
    assert sample.mask.dtype == bool


@pytest.mark.parametrize("index", [20, -21])
def test_an_index_outside_is_an_error(sample, index):
    with pytest.raises(IndexError, match=r"out of bounds for an axis of 20 voxels"):
        sample.ct[index]


@pytest.mark.parametrize("index", [[1, 2], True, "z", 1.0])
def test_other_indices_are_errors(sample, index):
    unchecked = inspect.unwrap(LazyVolume.__getitem__)
    with pytest.raises(IndexError, match="indexed with integers and slices"):
        unchecked(sample.ct, index)


def test_four_axes_are_an_error(sample):
    with pytest.raises(IndexError, match="three axes"):
        sample.ct[1, 2, 3, 4]


def test_a_volume_changed_under_an_edit_is_an_error(tmp_path):
    path = tiny_release.write(tmp_path / "m3dsynth", tmp_path / "work")
    volume = path / "volumes" / "scan-1.zarr"
    import zarr

    zarr.open_array(volume, mode="r+")[5, 30, 40] = 2222
    replace(Manifest.read(path), files=record_files(path)).write(path)
    sample = open_release(path).sample("pix2pix/inj_1")
    with pytest.raises(DamagedReleaseError, match="the volume is damaged"):
        sample.ct[5]
    np.testing.assert_array_equal(sample.ct[15], tiny_release.scan("scan-1")[15])
    assert open_volume(volume).shape == tiny_release.SHAPE
