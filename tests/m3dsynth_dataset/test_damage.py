"""Each damage of a release is named when it is verified, and an error, never a wrong voxel, when it is read."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
import tiny_release
import zarr

from m3dsynth_dataset import DamagedReleaseError, FormatVersionError, ReleaseNotFoundError, open_release
from m3dsynth_dataset.row_file import read_rows, write_rows
from m3dsynth_dataset.schema import arrow_schema, data_file
from m3dsynth_dataset.verification import verify

VOLUME = "volumes/scan-1.zarr"
SHARD = f"{VOLUME}/c/0/0/0"
ROWS = data_file("pix2pix-injection", "train")
SAMPLE = "pix2pix/inj_1"


def cut_short(release):
    shard = release / SHARD
    shard.write_bytes(shard.read_bytes()[:-1000])


def flip_a_bit_of_a_volume(release):
    data = bytearray((release / SHARD).read_bytes())
    data[len(data) // 2] ^= 4
    (release / SHARD).write_bytes(data)


def flip_a_bit_of_a_patch(release):
    patch = read_rows(release / ROWS)["patch"][0].as_py()
    data = bytearray((release / ROWS).read_bytes())
    data[data.index(patch) + len(patch) // 2] ^= 1
    (release / ROWS).write_bytes(data)


def remove_a_shard(release):
    (release / SHARD).unlink()


def take_the_shard_of_another_scan(release):
    shutil.copy(release / SHARD.replace("scan-1", "scan-2"), release / SHARD)


def write_another_format_version(release):
    manifest = json.loads((release / "manifest.json").read_text())
    (release / "manifest.json").write_text(json.dumps(manifest | {"format_version": "2.0"}))


def give_a_row_another_base(release):
    row = read_rows(release / ROWS).to_pylist()[0] | {"base_sha256": "0" * 64}
    write_rows(release / ROWS, pa.Table.from_pylist([row], schema=arrow_schema()))


def change_metadata_of_a_volume(release):
    path = release / VOLUME / "zarr.json"
    path.write_text(path.read_text().replace("-1000", "-999"))


def copy_before_it_was_written(release):
    (release / "manifest.json").unlink()
    (release / SHARD).unlink()


def copy_while_a_volume_was_written(release):
    shutil.rmtree(release / VOLUME)
    (release / VOLUME).mkdir()


@pytest.fixture
def release(release_path, tmp_path):
    return shutil.copytree(release_path, tmp_path / "m3dsynth")


DAMAGES = [
    (cut_short, SHARD, DamagedReleaseError),
    (flip_a_bit_of_a_volume, SHARD, DamagedReleaseError),
    (flip_a_bit_of_a_patch, ROWS, DamagedReleaseError),
    (remove_a_shard, SHARD, DamagedReleaseError),
    (take_the_shard_of_another_scan, SHARD, DamagedReleaseError),
    (write_another_format_version, "manifest.json", FormatVersionError),
    (give_a_row_another_base, SAMPLE, DamagedReleaseError),
    (change_metadata_of_a_volume, f"{VOLUME}/zarr.json", DamagedReleaseError),
    (copy_before_it_was_written, "manifest.json", ReleaseNotFoundError),
    (copy_while_a_volume_was_written, SHARD, DamagedReleaseError),
]


@pytest.mark.parametrize(("damage", "place", "_"), DAMAGES, ids=[damage.__name__ for damage, *_ in DAMAGES])
def test_verify_names_it(release, damage, place, _):
    assert list(verify(release)) == []
    damage(release)

    assert place in [finding.place for finding in verify(release)]


@pytest.mark.parametrize(("damage", "_", "error"), DAMAGES, ids=[damage.__name__ for damage, *_ in DAMAGES])
def test_reading_is_an_error_and_never_a_wrong_voxel(release, damage, _, error):
    damage(release)

    with pytest.raises(error):
        open_release(release).sample(SAMPLE).ct[...]
    with pytest.raises(error):
        open_release(release).crops("pix2pix-injection", "train", shape=tiny_release.SHAPE, seed=0)[0]
    with pytest.raises(error):
        zarr.open_group(open_release(release).store(), mode="r")[f"{SAMPLE}/ct"][...]


LEAVES_A_RELEASE = [
    damage for damage, *_ in DAMAGES if damage not in (write_another_format_version, copy_before_it_was_written)
]


@pytest.mark.parametrize("damage", LEAVES_A_RELEASE)
def test_what_is_whole_can_still_be_read(release, damage):
    damage(release)

    voxels = open_release(release).sample("pix2pix/rem_1").ct[...]
    assert np.array_equal(voxels, tiny_release.tampered("pix2pix", "rem_1"))
