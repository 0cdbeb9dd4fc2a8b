import numpy as np
import pytest

from builder.inventory import find_series
from builder.rehearsal.block import LUNG_HU, MATRIX, SLICES, Ball, BlockIdentity, write_block
from builder.scan import read_scan

CENTRE = (8, 30, 60)
"""Nearer to the head than to the feet, and y is not x."""


@pytest.fixture(scope="module", params=range(5))
def voxels(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("block") / "series"
    identity = BlockIdentity(0, "small", request.param, 0)
    write_block(folder, identity, [Ball(CENTRE, 12.0)], np.random.default_rng(request.param))
    (series,) = find_series(folder).series
    return read_scan(series).voxels


def test_a_block_is_lung_with_a_nodule_where_it_belongs(voxels):
    assert voxels.shape == (SLICES, MATRIX, MATRIX)
    z, y, x = CENTRE
    assert voxels[z - 2 : z + 3, y - 3 : y + 4, x - 3 : x + 4].mean() == pytest.approx(30, abs=15)
    for elsewhere in ((SLICES - 1 - z, y, x), (z, x, y)):
        a, b, c = elsewhere
        assert voxels[a - 2 : a + 3, b - 3 : b + 4, c - 3 : c + 4].mean() == pytest.approx(LUNG_HU, abs=15)


def test_series_of_one_patient_have_names_of_their_own():
    names = {BlockIdentity(0, "small", 1, series).uid("ct") for series in (0, 1)}
    assert len(names) == 2
