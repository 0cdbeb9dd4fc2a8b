import os

import numpy as np
import pytest
from ct_series import CTSeries

from builder.inventory import find_series
from builder.readable import readable
from builder.scan import read_scan


def slices(folder):
    return find_series(folder).series[0].slices


def test_a_usual_file_is_read_where_it_lies(tmp_path):
    CTSeries().write(tmp_path)
    (first, *_) = slices(tmp_path)
    with readable(first) as path:
        assert path == first.path


def test_a_name_that_is_no_text_has_a_stand_in_while_it_is_read(tmp_path):
    CTSeries().write(tmp_path, os.fsdecode(b"\xff\xfe"))
    (first, *_) = slices(tmp_path)
    with readable(first) as path:
        str(path).encode()
        assert path.samefile(first.path)
    assert not path.exists()
    np.testing.assert_array_equal(read_scan(find_series(tmp_path).series[0]).voxels, CTSeries().hu)


@pytest.mark.parametrize(
    ("slope", "intercept"), [(-1.0, -1024.0), (-1.0, 3000.0), (-0.5, 3000.5), (-1.0, 30000.0), (1.0, 6000.0)]
)
def test_values_that_are_turned_over_or_raised_are_rescaled_from_the_stored_ones(tmp_path, slope, intercept):
    twelve_bits = {"BitsStored": 12, "HighBit": 11}  # of which GDCM would make nothing
    series = CTSeries(shape=(2, 16, 12), slope=slope, intercept=intercept, header=twelve_bits)
    series.write(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    np.testing.assert_array_equal(read_scan(find_series(tmp_path).series[0]).voxels, series.hu)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
