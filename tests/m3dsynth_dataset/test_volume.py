import json

import numpy as np
import pytest
import zarr

from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.schema import FORMAT_VERSION
from m3dsynth_dataset.volume import Geometry, open_volume, write_volume

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


@pytest.fixture
def written(tmp_path):
    voxels = np.random.default_rng(0).integers(-1024, 3000, (37, 100, 90), dtype=np.int16)
    write_volume(tmp_path / "v.zarr", voxels, {"scan_id": "1.2", "unit": "HU"})
    return tmp_path / "v.zarr", voxels


def test_a_volume_comes_back_through_any_zarr_reader(written):
    path, voxels = written
    np.testing.assert_array_equal(zarr.open_array(path, mode="r")[...], voxels)
    np.testing.assert_array_equal(open_volume(path)[...], voxels)


def test_all_chunks_of_a_volume_lie_in_one_shard(written):
    path, _ = written
    assert [file.name for file in path.rglob("*") if file.is_file() and file.name != "zarr.json"] == ["0"]
    codec = json.loads((path / "zarr.json").read_text())["codecs"][0]
    assert codec["name"] == "sharding_indexed"
    assert codec["configuration"]["chunk_shape"] == [16, 64, 64]


def test_a_volume_says_what_it_is(written):
    attributes = open_volume(written[0]).attrs
    assert dict(attributes) == {"scan_id": "1.2", "unit": "HU", "format_version": FORMAT_VERSION}


def test_a_volume_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DamagedReleaseError, match="no volume there"):
        open_volume(tmp_path / "gone.zarr")


def test_turning_the_slices_round_leaves_every_voxel_in_its_place():
    geometry = Geometry((2.5, 0.8, 0.7), (-100.0, -90.0, -30.0), IDENTITY)
    upwards = geometry.ascending(20)
    assert upwards.to_mm((20 - 1 - 3, 4, 5)) == pytest.approx(geometry.to_mm((3, 4, 5)))
    assert upwards.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_a_mirrored_direction_is_kept():
    mirrored = Geometry((2.5, 0.8, 0.7), (100.0, -90.0, -30.0), (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0))
    assert mirrored.to_mm((0, 0, 10)) == pytest.approx((93, -90, -30))
