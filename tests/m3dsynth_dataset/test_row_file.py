import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from m3dsynth_dataset import DamagedReleaseError, open_release
from m3dsynth_dataset.row_file import read_row, read_rows, write_rows
from m3dsynth_dataset.schema import FEATURES, ROWS_PER_GROUP, arrow_schema, data_file


@pytest.fixture
def rows(release_path):
    """Forty rows: two full groups and a half."""
    (row,) = open_release(release_path).rows("pix2pix-injection", "train").to_pylist()
    many = [row | {"sample_id": f"pix2pix/inj_{number}", "seed": number} for number in range(40)]
    return pa.Table.from_pylist(many, schema=arrow_schema())


@pytest.fixture
def path(rows, tmp_path):
    write_rows(tmp_path / "data" / "rows.parquet", rows)
    return tmp_path / "data" / "rows.parquet"


def test_rows_come_back_as_they_were_written(rows, path):
    assert read_rows(path) == rows
    assert read_rows(path, ["seed"])["seed"].to_pylist() == list(range(40))


@pytest.mark.parametrize("index", [0, 15, 16, 31, 39])
def test_one_row_is_that_row(rows, path, index):
    assert read_row(path, index) == rows.slice(index, 1).to_pylist()[0]


def test_groups_are_small_and_patches_are_not_compressed_twice(path):
    metadata = pq.ParquetFile(path).metadata
    patch = metadata.row_group(0).column(list(FEATURES).index("patch"))

    assert [metadata.row_group(number).num_rows for number in range(3)] == [ROWS_PER_GROUP, ROWS_PER_GROUP, 8]
    assert patch.compression == "UNCOMPRESSED"
    assert patch.statistics is None


def test_a_flipped_bit_of_a_patch_is_an_error_and_never_a_wrong_voxel(rows, path):
    patch = rows["patch"][3].as_py()
    data = bytearray(path.read_bytes())
    place = data.index(patch) + len(patch) // 2
    data[place] ^= 1
    path.write_bytes(data)

    with pytest.raises(DamagedReleaseError, match=r"rows\.parquet: the rows cannot be read .*m3dsynth verify"):
        read_rows(path)
    with pytest.raises(DamagedReleaseError, match="CRC"):
        read_row(path, 3)
    assert read_row(path, 20) == rows.slice(20, 1).to_pylist()[0]  # of a group that is whole


def test_a_file_that_was_cut_short_is_an_error(path):
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(DamagedReleaseError, match="cannot be read"):
        read_rows(path, ["seed"])
    with pytest.raises(DamagedReleaseError, match="cannot be read"):
        read_row(path, 0)


def test_a_release_reads_its_samples_so(release_path, tmp_path):
    shutil.copytree(release_path, tmp_path / "release")
    path = tmp_path / "release" / data_file("pix2pix-injection", "train")
    patch = read_rows(path)["patch"][0].as_py()
    data = bytearray(path.read_bytes())
    data[data.index(patch) + 40] ^= 1
    path.write_bytes(data)

    with pytest.raises(DamagedReleaseError, match="CRC"):
        open_release(tmp_path / "release").sample("pix2pix/inj_1")
