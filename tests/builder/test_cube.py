import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.cube import box_around, cut_cube, interpolation, paste_cube
from m3dsynth_dataset.box import Box

SPACINGS = [(2.5, 0.8, 0.8), (3.0, 0.9, 0.9), (0.6, 0.5, 0.5), (1.0, 1.0, 1.0)]


def slope(shape, spacing, per_mm=(3.0, -2.0, 1.5)):
    """A scan whose HU rises evenly with the position in mm."""
    z, y, x = (np.arange(length) * step for length, step in zip(shape, spacing, strict=True))
    return np.rint(per_mm[0] * z[:, None, None] + per_mm[1] * y[:, None] + per_mm[2] * x).astype(np.int16)


@pytest.mark.parametrize("spacing", [*SPACINGS, (4.0, 0.977, 0.461)])
def test_a_cube_has_32_voxels_of_1_mm_at_any_spacing(spacing):
    cube = cut_cube(slope((90, 160, 160), spacing), (45, 80, 80), spacing)
    assert cube.shape == (32, 32, 32)
    for axis, per_mm in enumerate((3.0, -2.0, 1.5)):
        np.testing.assert_allclose(np.diff(cube, axis=axis).mean(), per_mm, atol=0.05)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_centre_voxel_lies_in_the_middle_of_the_cube(spacing):
    voxels = slope((90, 160, 160), spacing)
    cube = cut_cube(voxels, (45, 80, 80), spacing)
    assert cube[15:17, 15:17, 15:17].mean() == pytest.approx(voxels[45, 80, 80], abs=1)


def test_at_1_mm_a_cube_lies_between_the_voxels():
    voxels = np.zeros((40, 40, 40), np.int16)
    voxels[20, 20, 20] = 1000
    cube = cut_cube(voxels, (20, 20, 20), (1.0, 1.0, 1.0))
    np.testing.assert_allclose(cube[15:17, 15:17, 15:17], 1000 * 0.5625**3, rtol=1e-5)


def test_beyond_the_scan_there_is_air():
    cube = cut_cube(np.full((10, 40, 40), 50, np.int16), (0, 20, 20), (1.0, 1.0, 1.0))
    assert (cube[:13] == -1000).all()
    np.testing.assert_allclose(cube[18:24, 10:20, 10:20], 50, atol=1e-3)


def test_a_cube_wholly_beyond_the_scan_is_air():
    assert (cut_cube(np.zeros((5, 5, 5), np.int16), (99, 99, 99), (1.0, 1.0, 1.0)) == -1000).all()


def test_padding_outside_the_field_of_view_counts_as_air():
    cube = cut_cube(np.full((40, 40, 40), -3024, np.int16), (20, 20, 20), (1.0, 1.0, 1.0))
    np.testing.assert_allclose(cube, -1000)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_pasting_brings_smooth_tissue_back_to_its_own_voxels(spacing):
    voxels, centre = slope((90, 160, 160), spacing), (45, 80, 80)
    box = box_around(centre, 28, spacing, voxels.shape)
    pasted = paste_cube(cut_cube(voxels, centre, spacing), box, centre, spacing)
    np.testing.assert_allclose(pasted, voxels[box.slices()], atol=1.5)


@given(
    st.integers(0, 20), st.floats(0.5, 4), st.floats(6, 20), st.integers(4, 40)
)  # fmt: skip
def test_a_box_around_a_centre_holds_the_voxels_less_than_half_a_side_away(centre, spacing, side, length):
    box = box_around((centre,) * 3, side, (spacing,) * 3, (length,) * 3)
    expected = [index for index in range(length) if abs(index - centre) * spacing < side / 2]
    assert list(range(box.start[0], box.stop[0])) == expected
    assert box.shape[0] == box.shape[1] == box.shape[2]


def test_a_box_around_a_centre_far_outside_is_empty():
    assert box_around((50, 5, 5), 16, (1.0, 1.0, 1.0), (10, 10, 10)).size == 0


@given(st.floats(3, 12))
def test_interpolation_reproduces_parabolas(position):
    samples = np.arange(16.0) ** 2
    matrix = interpolation(np.array([position]), 0, 16)
    assert matrix[0] @ samples == pytest.approx(position**2, rel=1e-4, abs=1e-3)


def test_interpolation_at_a_sample_is_that_sample():
    np.testing.assert_array_equal(interpolation(np.arange(4, 8.0), 2, 10), np.eye(10)[2:6])


def test_a_volume_on_disk_is_cut_as_one_in_memory(tmp_path):
    from m3dsynth_dataset.volume import open_volume, write_volume

    voxels = slope((40, 80, 80), (1.0, 1.0, 1.0))
    write_volume(tmp_path / "v.zarr", voxels, {})
    on_disk = cut_cube(open_volume(tmp_path / "v.zarr"), (2, 70, 40), (1.0, 1.0, 1.0))
    np.testing.assert_array_equal(on_disk, cut_cube(voxels, (2, 70, 40), (1.0, 1.0, 1.0)))


def test_boxes_keep_to_the_scan():
    assert box_around((0, 5, 39), 16, (1.0, 1.0, 1.0), (10, 10, 40)) == Box((0, 0, 32), (8, 10, 8))
