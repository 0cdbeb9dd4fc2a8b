import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from builder.blend import feather, missing_noise
from builder.cube import box_around, cut_cube, paste_cube

SPACING = (1.25, 0.7, 0.7)
CENTRE = (30, 60, 60)


def noisy_scan(correlation, sigma=25):
    noise = np.random.default_rng(1).standard_normal((60, 120, 120))
    noise = gaussian_filter(noise, (0, correlation, correlation)) if correlation else noise
    return np.rint(sigma * noise / noise.std() - 850).astype(np.int16)


def made_up_noise(scan, hide=0):
    box = box_around(CENTRE, 28, SPACING, scan.shape)
    resampled = paste_cube(cut_cube(scan, CENTRE, SPACING), box, CENTRE, SPACING)
    pristine = scan[box.slices()].astype(np.float32)
    where = np.ones(box.shape, bool)
    where[:hide] = False
    noise = missing_noise(pristine, resampled, where, np.random.default_rng(2))
    return pristine, resampled, noise


def neighbour_correlation(block):
    block = block - block.mean()
    return float((block[:, :, 1:] * block[:, :, :-1]).mean() / block.var())


def test_the_weight_is_one_inside_and_zero_at_the_cores_faces():
    box = box_around(CENTRE, 20, (0.5, 0.5, 0.5), (999, 999, 999))
    weight = feather(box, CENTRE, (0.5, 0.5, 0.5))
    offsets = 0.5 * (np.arange(box.start[0], box.stop[0]) - CENTRE[0])
    middle = len(offsets) // 2
    for line in (weight[:, middle, middle], weight[middle, :, middle], weight[middle, middle, :]):
        np.testing.assert_array_equal(line[np.abs(offsets) >= 8], 0)
        np.testing.assert_array_equal(line[np.abs(offsets) <= 5], 1)
        assert (np.diff(line[middle:]) <= 0).all()
        assert line[np.abs(offsets) == 6.5] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("correlation", [0, 0.7, 1.2])
def test_noise_is_as_strong_after_the_way_through_the_grid_as_before(correlation):
    pristine, resampled, noise = made_up_noise(noisy_scan(correlation))
    assert resampled.std() < 0.93 * pristine.std()
    assert (resampled + noise).std() == pytest.approx(pristine.std(), rel=0.06)


@pytest.mark.parametrize("hide", [6, 12])
def test_noise_is_as_strong_when_only_a_part_may_be_compared(hide):
    whole, part = made_up_noise(noisy_scan(0.7))[2], made_up_noise(noisy_scan(0.7), hide)[2]
    assert part.std() == pytest.approx(whole.std(), rel=0.1)


@pytest.mark.parametrize("correlation", [0, 0.7, 1.2])
def test_noise_has_the_texture_of_the_scan(correlation):
    pristine, resampled, noise = made_up_noise(noisy_scan(correlation))
    assert neighbour_correlation(resampled + noise) == pytest.approx(neighbour_correlation(pristine), abs=0.08)


def test_a_smooth_scan_gets_no_noise():
    smooth = np.full((60, 120, 120), -850, np.int16)
    assert np.abs(made_up_noise(smooth)[2]).max() < 0.1


def test_edges_of_anatomy_do_not_pass_for_noise():
    scan = noisy_scan(0.7)
    with_rib = scan.copy()
    with_rib[:, 70:76] += 1400
    assert made_up_noise(with_rib)[2].std() < 1.3 * made_up_noise(scan)[2].std()


def test_nothing_to_compare_gives_no_noise():
    block = np.zeros((4, 5, 6), np.float32)
    assert not missing_noise(block, block, np.zeros((4, 5, 6), bool), np.random.default_rng(0)).any()
