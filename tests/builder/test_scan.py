from dataclasses import replace

import numpy as np
import pytest
from ct_series import CTSeries

from builder.errors import SeriesError
from builder.inventory import find_series
from builder.scan import Scan, read_scan
from m3dsynth_dataset.volume import Geometry


def read(series, folder):
    series.write(folder)
    return read_scan(find_series(folder).series[0])


def test_voxels_are_hounsfield_units_from_the_head_down(tmp_path):
    series = CTSeries()
    np.testing.assert_array_equal(read(series, tmp_path).voxels, series.hu)


@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (2, -1000), (0.5, -1024), (-1, 500)])
def test_slope_and_intercept_are_applied_whatever_they_are(tmp_path, slope, intercept):
    series = CTSeries(slope=slope, intercept=intercept)
    np.testing.assert_array_equal(read(series, tmp_path).voxels, series.hu)


def test_each_slice_keeps_its_own_intercept(tmp_path):
    series = CTSeries()
    series.write(tmp_path)
    series.intercept = -24.5
    series.write_slice(tmp_path / "021.dcm", 3)
    voxels = read_scan(find_series(tmp_path).series[0]).voxels
    np.testing.assert_array_equal(voxels[3], series.hu[3])
    np.testing.assert_array_equal(voxels[2], CTSeries().hu[2])


def test_geometry_is_the_patients(tmp_path):
    geometry = read(CTSeries(), tmp_path).geometry
    assert geometry.origin_mm == (-100.0, -90.0, -30.0)
    assert geometry.to_mm((2, 3, 4)) == pytest.approx((-100 + 4 * 0.7, -90 + 3 * 0.8, -30 - 2 * 2.5))


def test_values_are_rounded_from_what_they_are_and_not_from_what_32_bits_make_of_them(tmp_path):
    series = CTSeries(intercept=3000.49999999)  # 32 bits make it 3000.5, and 3001
    voxels = read(series, tmp_path).voxels
    np.testing.assert_array_equal(voxels, series.stored + 3000)


def test_values_beyond_what_the_bits_can_say_are_an_error(tmp_path):
    series = CTSeries()
    series.write(tmp_path)
    found = find_series(tmp_path).series[0]
    slices = tuple(replace(each, range_hu=(-1024.0, 3071.0)) for each in found.slices)
    with pytest.raises(SeriesError, match="though its bits can say -1024 to 3071 HU only"):
        read_scan(replace(found, slices=slices))


def test_an_image_of_another_size_than_the_headers_is_an_error(tmp_path):
    CTSeries().write(tmp_path)
    found = find_series(tmp_path).series[0]
    slices = tuple(replace(each, shape=(12, 16)) for each in found.slices)
    with pytest.raises(SeriesError, match="its header says"):
        read_scan(replace(found, slices=slices))


def test_values_that_do_not_fit_are_an_error(tmp_path):
    with pytest.raises(SeriesError, match="do not fit into 16 bits; check its RescaleSlope"):
        read(CTSeries(slope=100.0), tmp_path)


def test_a_file_that_cannot_be_decoded_is_an_error(tmp_path):
    series = CTSeries()
    series.write(tmp_path)
    found = find_series(tmp_path).series[0]
    (tmp_path / "021.dcm").write_bytes(b"\0" * 200)
    with pytest.raises(SeriesError, match="cannot be decoded"):
        read_scan(found)


@pytest.mark.parametrize(("voxels", "expected"), [([-2000, -1024, 5, 900], (-1024, 900)), ([-2000], (-1024, 3071))])
def test_padding_does_not_count_for_the_range_of_a_scan(voxels, expected):
    geometry = Geometry((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    scan = Scan("1.2", "TEST", np.array(voxels, dtype=np.int16).reshape(-1, 1, 1), geometry)
    assert scan.range_hu == expected
