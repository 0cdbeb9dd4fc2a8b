from math import prod

import pytest
import tiny_release
from gallery_reading import box, voxels

from benchmarks.viewer import place as places
from benchmarks.viewer.place import Place, edited_place
from m3dsynth_dataset.box import Box


def test_samples_of_a_site_share_its_place(release):
    keys = {edited_place(release.sample(f"{generator}/inj_1")).key for generator in ("pix2pix", "identity")}
    assert len(keys) == 1
    assert edited_place(release.sample("pix2pix/rem_1")).key not in keys


def test_the_planes_cross_in_the_middle_of_an_edit_whose_centre_lies_outside_of_it(release):
    assert edited_place(release.sample("pix2pix/inj_1")).centre == (6, 30, 41)


def test_the_planes_cross_at_the_centre_of_the_edit(release):
    assert edited_place(release.sample("pix2pix/rem_1")).centre == (2, 60, 60)


def test_the_planes_of_a_pristine_scan_cross_in_its_middle(release):
    assert edited_place(release.sample("pristine/scan-1")).centre == (10, 35, 33)


def test_the_region_is_a_cube_in_mm_cut_off_where_the_scan_ends(release, monkeypatch):
    monkeypatch.setattr(places, "SIDE_MM", 20.0)
    region = Place(release.sample("pristine/scan-1"), (2, 35, 64)).region
    # 10 mm to each side: 4 slices of 2.5 mm, 12 rows of 0.8 mm, 14 columns of 0.7 mm; the scan has 20 x 70 x 66.
    assert region == Box((0, 23, 50), (7, 25, 16))


@pytest.mark.parametrize("most", [1000, 5000])
def test_the_region_holds_about_as_many_voxels_as_it_may(release, monkeypatch, most):
    monkeypatch.setattr(places, "MOST_VOXELS", most)
    region = Place(release.sample("pristine/scan-1"), (10, 35, 33)).region
    assert most / 2 < prod(region.shape) < most * 1.3


def test_a_page_gets_the_pristine_voxels_of_the_region_and_of_three_whole_slices(release):
    page = edited_place(release.sample("pix2pix/inj_1")).page()
    pristine = tiny_release.scan("scan-1")
    for block in (page["region"], *page["planes"]):
        assert (voxels(block) == pristine[box(block).slices()]).all()
    depth, height, width = tiny_release.SHAPE
    assert [each["shape"] for each in page["planes"]] == [[1, height, width], [depth, 1, width], [depth, height, 1]]
    assert [each["start"][axis] for axis, each in enumerate(page["planes"])] == page["centre"]
    assert page["spacing_mm"] == list(tiny_release.GEOMETRY.spacing_mm)
