import numpy as np
import pytest
from annotation_database import AnnotatedSeries, Ball, write

from builder.annotations import read_annotations
from builder.cube import cut_cube
from builder.extract import cut_scan, locate
from builder.plan import make_plan
from builder.scan import Scan
from m3dsynth_dataset.volume import Geometry

TOP_MM, SPACING = -20.0, (1.0, 0.5, 0.5)
SMALL, LARGE = Ball((12, 60, 60), 5), Ball((40, 120, 100), 12)


def scan_of(voxels, top_mm=TOP_MM):
    geometry = Geometry(SPACING, (0.0, 0.0, top_mm), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0))
    return Scan("1.1", "PHANTOM-1", voxels, geometry)


@pytest.fixture(scope="module")
def voxels():
    return np.random.default_rng(0).integers(-900, -700, (60, 180, 180), dtype=np.int16)


@pytest.fixture
def rows(tmp_path):
    series = [AnnotatedSeries("1.1", "PHANTOM-1", [SMALL, LARGE])]
    plan = make_plan(read_annotations(write(tmp_path / "a.sqlite", series))).to_pylist()
    return [row | {"split": "train"} for row in plan]


def test_sites_are_cut_where_the_plan_says(voxels, rows):
    cubes = cut_scan(scan_of(voxels), rows)
    assert [row["cube_id"] for row in cubes.site_rows] == ["inj_1", "inj_2", "rem_1", "rem_2"]
    assert cubes.centres["rem_1"] == (41, 120, 100)
    np.testing.assert_array_equal(cubes.sites[2], np.rint(cut_cube(voxels, (41, 120, 100), SPACING)))


def test_a_stack_that_lacks_its_upper_slices_is_cut_at_the_same_place_in_the_patient(voxels, rows):
    whole = cut_scan(scan_of(voxels), rows)
    part = cut_scan(scan_of(voxels[8:], TOP_MM - 8), rows)
    assert part.centres["rem_1"] == (33, 120, 100)
    np.testing.assert_array_equal(part.sites[2], whole.sites[2])


def test_a_site_in_slices_that_are_not_at_hand_is_reported(voxels, rows):
    cubes = cut_scan(scan_of(voxels[32:], TOP_MM - 32), rows)
    assert [row["cube_id"] for row in cubes.site_rows] == ["rem_1", "rem_2"]
    assert [finding.path for finding in cubes.findings] == ["site inj_1 of PHANTOM-1", "site inj_2 of PHANTOM-1"]
    assert "lie outside the scan of (28, 180, 180) voxels" in cubes.findings[0].reason


def test_a_site_outside_the_field_of_view_is_reported(voxels, rows):
    padded = voxels.copy()
    padded[:, :100] = -3024
    assert [finding.path[:10] for finding in cut_scan(scan_of(padded), rows).findings] == ["site inj_1", "site inj_2"]


def test_sites_known_by_their_voxel_alone_stay_there(voxels, rows):
    row = rows[1] | {"slice_mm": None}
    assert locate(row, scan_of(voxels[8:], TOP_MM - 8))["centre_zyx"] == tuple(row["centre_zyx"])


def test_injection_learns_from_large_nodules_and_removal_from_small_ones_each_once(voxels, rows):
    cubes = cut_scan(scan_of(voxels), rows)
    nodules = [row["manipulation"] for row in cubes.training_rows if row["tissue"] == "nodule"]
    assert sorted(nodules) == ["injection", "removal"]
    index = [row["manipulation"] for row in cubes.training_rows].index("injection")
    np.testing.assert_array_equal(cubes.training[index], np.rint(cut_cube(voxels, (40, 120, 100), SPACING, side=40)))


@pytest.mark.parametrize("split", ["validation", "test"])
def test_nothing_is_learned_from_other_splits(voxels, rows, split):
    cubes = cut_scan(scan_of(voxels), [row | {"split": split} for row in rows])
    assert cubes.training_rows == ()
    assert len(cubes.site_rows) == 4
