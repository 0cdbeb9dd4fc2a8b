import numpy as np
import pytest

from builder.perf.plain_edit import Levels, plain_edit

CENTRE, SPACING = (40, 60, 60), (2.0, 0.8, 0.8)


@pytest.fixture(scope="module")
def scan():
    return np.random.default_rng(0).normal(-850, 30, (80, 120, 120))


@pytest.fixture(scope="module")
def tampered(scan):
    return plain_edit(scan, CENTRE, SPACING, Levels.straight(), np.random.default_rng(1))


def test_the_scan_stays_and_a_whole_new_one_comes_back(scan, tampered):
    assert tampered.shape == scan.shape
    assert scan.mean() == pytest.approx(-850, abs=1)


def test_what_changes_lies_around_the_place_and_only_there(scan, tampered):
    z, y, x = (np.abs(where - middle) for where, middle in zip(np.indices(scan.shape), CENTRE, strict=True))
    side = 1.3 * 40
    around = (z <= side / 2 + 1) & (y <= side / 2 + 1) & (x <= side / 2 + 1)
    assert (tampered == scan)[~around].all()
    assert (tampered != scan)[around].mean() > 0.3


def test_equalising_there_and_back_changes_nothing():
    levels, hu = Levels.straight(), np.array([-1000.0, -850.5, 40.0])
    np.testing.assert_allclose(np.interp(np.interp(hu, levels.hu, levels.level), levels.level, levels.hu), hu)
