import pickle
import shutil

import numpy as np
import pytest
import tiny_release

from m3dsynth_dataset import DamagedReleaseError, open_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.manifest import Manifest
from m3dsynth_dataset.volumes import REMEMBERED, LocalVolumes

VOLUME = "volumes/scan-1.zarr"
WHOLE = Box((0, 0, 0), tiny_release.SHAPE)


@pytest.fixture
def copy(release_path, tmp_path):
    return shutil.copytree(release_path, tmp_path / "m3dsynth")


def test_samples_of_one_scan_share_its_volume(release_path):
    release = open_release(release_path)
    samples = [release.sample(name) for name in ("pristine/scan-1", "pix2pix/inj_1", "pix2pix/rem_1")]
    first, second, other = (sample.ct.source for sample in samples)
    assert first is second
    assert first is not other


@pytest.mark.parametrize("file", ["zarr.json", "c/0/0/0"])
def test_a_file_of_another_volume_is_an_error_and_never_a_wrong_voxel(copy, file):
    shutil.copyfile(copy / "volumes/scan-2.zarr" / file, copy / VOLUME / file)
    sample = open_release(copy).sample("pristine/scan-1")
    with pytest.raises(DamagedReleaseError, match=rf"{VOLUME}/{file}: .*manifest"):
        sample.ct[...]


def test_volumes_travel_without_what_is_open(release_path):
    volumes = LocalVolumes(release_path, Manifest.read(release_path).files)
    before = pickle.dumps(volumes)
    np.testing.assert_array_equal(volumes.open(VOLUME).read(WHOLE), tiny_release.scan("scan-1"))
    assert pickle.dumps(volumes) == before
    np.testing.assert_array_equal(pickle.loads(before).open(VOLUME).read(WHOLE), tiny_release.scan("scan-1"))


def test_only_some_volumes_are_remembered(release_path, tmp_path):
    for number in range(REMEMBERED + 1):
        (tmp_path / f"{number}.zarr").symlink_to(release_path / VOLUME)
    volumes = LocalVolumes(tmp_path)
    first, *_, last = (volumes.open(f"{number}.zarr") for number in range(REMEMBERED + 1))
    assert volumes.open(f"{REMEMBERED}.zarr") is last
    assert volumes.open("0.zarr") is not first
