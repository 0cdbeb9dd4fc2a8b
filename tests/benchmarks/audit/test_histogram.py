import numpy as np
import pytest

from benchmarks.audit.alteration import alteration
from benchmarks.audit.histogram import Values, grid_of, histogram_of, histogram_of_volume, statistics
from m3dsynth_dataset.box import Box

VOXELS = np.random.default_rng(0).normal(-700, 120, (20, 30, 30)).round().clip(-1024, 400).astype(np.int16)


def test_a_volume_is_counted_a_few_slices_at_a_time():
    read = []

    def source(box: Box) -> np.ndarray:
        read.append(box.shape[0])
        return VOXELS[box.slices()]

    assert (histogram_of_volume(source, VOXELS.shape) == histogram_of(VOXELS)).all()
    assert read == [16, 4]


def test_statistics_are_those_of_the_voxels():
    found = statistics(histogram_of(VOXELS))
    assert found["minimum"] == VOXELS.min()
    assert found["maximum"] == VOXELS.max()
    assert found["mean"] == pytest.approx(VOXELS.mean())
    assert found["deviation"] == pytest.approx(VOXELS.std())
    for share in (0.1, 1, 50, 99, 99.9):
        expected = np.percentile(VOXELS, share, method="inverted_cdf")
        assert found[f"{share:g} % percentile"] == expected


@pytest.mark.parametrize(("step", "remainder"), [(2, 0), (3, 1), (16, 5)])
def test_the_step_of_a_scanner_is_found_though_its_padding_lies_off_it(step, remainder):
    voxels = (VOXELS.astype(int) // step * step + remainder).astype(np.int16)
    voxels[:10] = -2001
    found, rest = grid_of(histogram_of(voxels))
    assert (found, rest) == (step, remainder % step)


def test_a_scan_that_takes_every_value_has_the_step_1():
    assert grid_of(histogram_of(VOXELS)) == (1, 0)
    assert grid_of(histogram_of(np.zeros((4, 4, 4), np.int16))) == (1, 0)


def test_an_edit_that_only_moves_voxels_leaves_no_mark():
    base = VOXELS[:8, :16, :16]
    patch = np.random.default_rng(1).permutation(base.ravel()).reshape(base.shape)
    found = alteration(base, patch, np.ones(base.shape, bool), Values(histogram_of(VOXELS)))
    assert (found.outside, found.impossible, found.beyond_hu, found.comb, found.piled, found.shift_hu) == (0,) * 6


def test_what_an_edit_goes_beyond_its_scan_is_measured_in_hu():
    base = VOXELS[:8, :16, :16]
    patch = base.copy()
    patch[4, 4, 4] = VOXELS.max() + 77
    found = alteration(base, patch, np.ones(base.shape, bool), Values(histogram_of(VOXELS)))
    assert (found.beyond_hu, found.impossible) == (77, 0)


def test_narrow_tissue_is_no_comb():
    """Its few values have few remainders, before and after."""
    base = VOXELS[:8, :16, :16]
    patch = np.where(np.arange(base.size).reshape(base.shape) % 2, -850, -849).astype(np.int16)
    assert alteration(base, patch, np.ones(base.shape, bool), Values(histogram_of(VOXELS))).comb == 0
