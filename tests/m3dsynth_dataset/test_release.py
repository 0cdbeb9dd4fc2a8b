import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from m3dsynth_dataset import (
    DamagedReleaseError,
    FormatVersionError,
    ReleaseNotFoundError,
    UnknownSampleError,
    open_release,
)
from m3dsynth_dataset.schema import arrow_schema


@pytest.fixture
def copy(release_path, tmp_path):
    return shutil.copytree(release_path, tmp_path / "m3dsynth")


def test_configs_and_splits_are_those_that_have_rows(release_path):
    assert open_release(release_path).splits == {
        "identity-injection": ("train",),
        "identity-removal": ("test",),
        "pix2pix-injection": ("train",),
        "pix2pix-removal": ("test",),
        "pristine": ("train", "test"),
    }


def test_a_sample_is_found_by_its_id_and_by_its_row(release_path):
    release = open_release(release_path)
    row = release.rows("pix2pix-removal", "test").to_pylist()[0]
    assert release.sample(row).row == release.sample("pix2pix/rem_1").row == row


def test_samples_beyond_the_first_row_group_are_found(release_path, tmp_path):
    path = shutil.copytree(release_path, tmp_path / "m3dsynth")
    rows = pq.read_table(path / "data/pristine/train-00000-of-00001.parquet").to_pylist() * 40
    many = [row | {"sample_id": f"pristine/{number}", "seed": number} for number, row in enumerate(rows)]
    table = pa.Table.from_pylist(many, schema=arrow_schema())
    pq.write_table(table, path / "data/pristine/train-00000-of-00001.parquet", row_group_size=16)
    release = open_release(path)
    assert [release.sample(f"pristine/{number}").row["seed"] for number in range(40)] == list(range(40))


def test_a_sample_says_what_it_is(release_path):
    sample = open_release(release_path).sample("identity/rem_1")
    assert (sample.id, sample.label, sample.manipulation) == ("identity/rem_1", "control", "removal")


def test_an_unknown_sample_gets_a_hint(release_path):
    with pytest.raises(UnknownSampleError, match=r"no sample 'pix2pix/inj_11'; did you mean 'pix2pix/inj_1'\?"):
        open_release(release_path).sample("pix2pix/inj_11")


def test_unknown_rows_are_an_error_that_lists_the_known_ones(release_path):
    with pytest.raises(ValueError, match=r"no rows of 'dm-injection', 'train'; it has .*pristine \(train/test\)"):
        open_release(release_path).rows("dm-injection", "train")


def test_a_folder_without_a_manifest_is_no_release(tmp_path):
    with pytest.raises(ReleaseNotFoundError, match=r"no release there \(it has no manifest.json\)"):
        open_release(tmp_path)


def test_another_major_version_is_refused(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"format_version": "2.0"}))
    with pytest.raises(FormatVersionError, match=r"format 2.0, this version of m3dsynth reads format 1.1"):
        open_release(copy)


def test_a_newer_minor_version_is_read(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"format_version": "1.9"}))
    assert open_release(copy).configs


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format_version": "1.0", "digest": "", "files": [], "built": {}}'])
def test_a_manifest_that_is_none_is_named(copy, text):
    (copy / "manifest.json").write_text(text)
    with pytest.raises(DamagedReleaseError, match=r"manifest.json: not the manifest of a release"):
        open_release(copy)


def test_a_release_without_rows_is_damaged(copy):
    shutil.rmtree(copy / "data")
    with pytest.raises(DamagedReleaseError, match="folder 'data'"):
        open_release(copy)


def test_a_missing_volume_is_named(copy):
    shutil.rmtree(copy / "volumes")
    with pytest.raises(DamagedReleaseError, match=r"scan-1.zarr: no volume there"):
        open_release(copy).sample("pristine/scan-1").ct[0]
