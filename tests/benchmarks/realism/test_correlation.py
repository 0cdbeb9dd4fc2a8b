import numpy as np
import pytest
from scipy import ndimage

from benchmarks.realism.correlation import autocorrelation, residual
from m3dsynth_dataset.box import Box

SHAPE = (30, 40, 40)
CORE = Box((2, 4, 4), (26, 32, 32))


def white():
    return np.rint(np.random.default_rng(2).normal(-800, 50, SHAPE)).astype(np.int16)


def test_white_noise_has_only_what_the_local_mean_leaves():
    found = autocorrelation(residual(white(), CORE))
    assert np.allclose(found[0], 0, atol=0.02)
    for axis in (1, 2):
        assert np.allclose(found[axis], [-1 / 20, -7 / 120, 1 / 60], atol=0.02)


def test_noise_that_is_smoothed_along_z_is_correlated_along_z_alone():
    smooth = ndimage.uniform_filter1d(white().astype(np.float64), 2, axis=0)
    found = autocorrelation(residual(np.rint(smooth).astype(np.int16), CORE))
    assert found[0, 0] == pytest.approx(0.5, abs=0.03)
    assert found[0, 1] == pytest.approx(0.0, abs=0.03)
    assert found[1, 0] == pytest.approx(-1 / 20, abs=0.03)


def test_anatomy_that_varies_slowly_leaves_no_residual():
    z, y, x = np.indices(SHAPE)
    ramp = (3 * y + 2 * x + 5 * z).astype(np.int16)
    assert np.allclose(residual(ramp, CORE), 0)


def test_the_means_reach_beyond_the_core():
    voxels = white()
    wide = residual(voxels, CORE)
    beyond = voxels.copy()
    beyond[:, :4] += 500
    assert not np.allclose(residual(beyond, CORE), wide)


def test_a_box_that_is_too_short_or_without_noise_gives_no_number():
    short = autocorrelation(residual(white()[:2], Box((0, 4, 4), (2, 32, 32))))
    assert not np.isnan(short[0, 0])
    assert np.isnan(short[0, 1:]).all()
    assert np.isnan(autocorrelation(np.zeros((3, 9, 9)))).all()
