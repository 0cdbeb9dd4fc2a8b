import numpy as np
import pytest
import torch

from benchmarks.malignancy.crop import View, cut
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.lazy import EditedVolume

SHAPE, SPACING = (30, 50, 60), (2.5, 0.8, 0.6)


class Ramp:
    """Voxels whose value is linear in their place: trilinear interpolation has to be exact."""

    shape = SHAPE
    dtype = np.dtype(np.int16)

    def read(self, box: Box) -> np.ndarray:
        z, y, x = (np.arange(first, stop) for first, stop in zip(box.start, box.stop, strict=True))
        return (100 * z[:, None, None] + 10 * y[:, None] + x).astype(np.int16)


@pytest.fixture
def ramp():
    return EditedVolume(Ramp(), None)


def expected(centre, offsets_mm):
    """Values of the ramp at offsets in mm along z, y, x."""
    places = np.array(centre)[:, None, None, None] + offsets_mm / np.array(SPACING)[:, None, None, None]
    return np.tensordot([100.0, 10.0, 1.0], places, axes=1)


def offsets(side, voxel_mm):
    steps = (np.arange(side) - (side - 1) / 2) * voxel_mm
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"))


def test_a_cube_has_voxels_of_equal_sides_around_the_voxel_that_is_asked_for(ramp):
    cube, _ = cut(ramp, (15, 25, 30), SPACING, 16, 1.0)

    assert cube.dtype == torch.float32
    np.testing.assert_allclose(cube.numpy(), expected((15, 25, 30), offsets(16, 1.0)), atol=0.05)


def test_voxels_may_be_larger(ramp):
    cube, _ = cut(ramp, (15, 25, 30), SPACING, 16, 1.5)

    np.testing.assert_allclose(cube.numpy(), expected((15, 25, 30), offsets(16, 1.5)), atol=0.05)


def test_beyond_the_scan_lies_air(ramp):
    cube, _ = cut(ramp, (0, 25, 30), SPACING, 16, 1.0)

    np.testing.assert_allclose(cube[:4], -1000, atol=0.01)
    assert (cube[8:] > -1000).all()


def test_the_location_map_counts_from_the_scans_own_box(ramp):
    _, middle = cut(ramp, (15, 25, 30), SPACING, 16, 1.0)
    _, corner = cut(ramp, (0, 0, 59), SPACING, 16, 1.0)

    assert middle.shape == (3, 4, 4, 4)
    np.testing.assert_allclose(middle.mean((1, 2, 3)), [15 / 29 - 0.5, 25 / 49 - 0.5, 30 / 59 - 0.5], atol=1e-5)
    np.testing.assert_allclose(corner.mean((1, 2, 3)), [-0.5, -0.5, 0.5], atol=1e-5)
    # Cells are 4 mm apart.
    np.testing.assert_allclose((middle[0, 1] - middle[0, 0]).mean(), 4 / 2.5 / 29, atol=1e-5)
    np.testing.assert_allclose((middle[2, :, :, 1] - middle[2, :, :, 0]).mean(), 4 / 0.6 / 59, atol=1e-5)


def test_a_view_shifts_turns_and_scales_what_is_seen_and_the_locations_with_it(ramp):
    quarter = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    view = View(np.array([2.0, 1.0, -3.0]), quarter, 1.25)
    cube, locations = cut(ramp, (15, 25, 30), SPACING, 16, 1.0, view)
    seen = np.einsum("ij,jzyx->izyx", quarter, offsets(16, 1.0)) / 1.25 + view.shift_mm[:, None, None, None]

    np.testing.assert_allclose(cube.numpy(), expected((15, 25, 30), seen), atol=0.05)
    cells = seen.reshape(3, 4, 4, 4, 4, 4, 4).mean((2, 4, 6))
    places = np.array((15, 25, 30))[:, None, None, None] + cells / np.array(SPACING)[:, None, None, None]
    np.testing.assert_allclose(locations, places / (np.array(SHAPE) - 1)[:, None, None, None] - 0.5, atol=1e-5)


def test_drawn_views_keep_angles_and_stay_within_their_bounds():
    rng = np.random.default_rng(0)
    views = [View.draw(rng, 3.0) for _ in range(50)]

    for view in views:
        np.testing.assert_allclose(view.turn @ view.turn.T, np.eye(3), atol=1e-9)
        assert np.abs(view.shift_mm).max() <= 3
        assert 0.9 <= view.scale <= 1.1
    assert {round(float(np.linalg.det(view.turn))) for view in views} == {-1, 1}
    assert max(np.abs(view.shift_mm).max() for view in views) > 2


def test_a_scan_of_one_slice_can_be_cut_as_well(ramp):
    class Slice(Ramp):
        shape = (1, 50, 60)

    cube, locations = cut(EditedVolume(Slice(), None), (0, 25, 30), SPACING, 16, 1.0)

    assert cube.isfinite().all()
    assert locations.isfinite().all()
