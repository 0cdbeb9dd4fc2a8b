import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hub_stand_in import read_folder

from m3dsynth_dataset import (
    DamagedReleaseError,
    FormatVersionError,
    HubAccessError,
    HubUnavailableError,
    ReleaseNotFoundError,
)
from m3dsynth_dataset.builder import M3DSynth, config_files
from m3dsynth_dataset.manifest import Manifest
from m3dsynth_dataset.schema import FEATURES, FORMAT_VERSION


@pytest.fixture
def copy(release_path, tmp_path):
    return shutil.copytree(release_path, tmp_path / "m3dsynth")


def prepared(config, release, num_proc=None, **options):
    builder = M3DSynth(config, data_dir=release, **options)
    builder.download_and_prepare(num_proc=num_proc)
    return builder


def stored(release, config, split):
    return pq.read_table(release / f"data/{config}/{split}-00000-of-00001.parquet").to_pylist()


def test_a_config_is_read_as_it_is_stored(release_path):
    rows = prepared("pix2pix-removal", release_path).as_dataset("test")
    assert list(rows) == stored(release_path, "pix2pix-removal", "test")
    assert rows.features == FEATURES


def test_the_features_are_known_before_anything_is_read(release_path):
    assert M3DSynth("pristine", data_dir=release_path).info.features == FEATURES


def test_only_splits_with_rows_are_made(release_path):
    assert list(prepared("pix2pix-removal", release_path).as_dataset()) == ["test"]
    assert list(prepared("pristine", release_path).as_dataset()) == ["train", "test"]


def test_the_default_is_pristine_and_every_generator_without_the_control(release_path):
    rows = prepared(None, release_path).as_dataset()
    assert {split: part["sample_id"][:] for split, part in rows.items()} == {
        "train": ["pristine/scan-1", "pix2pix/inj_1"],
        "test": ["pristine/scan-2", "pix2pix/rem_1"],
    }


def test_there_is_one_config_for_each_of_the_release_in_the_order_of_the_card(release_path):
    names = ["all", "pristine", "pix2pix-injection", "pix2pix-removal", "identity-injection", "identity-removal"]
    builder = M3DSynth("pristine", data_dir=release_path)
    assert [config.name for config in builder.BUILDER_CONFIGS] == list(builder.builder_configs) == names


def test_a_release_without_generators_has_no_config_for_them(release_path):
    manifest = Manifest.read(release_path)
    only = {path: record for path, record in manifest.files.items() if "/identity-" in path}
    assert list(config_files(replace(manifest, files=only))) == ["identity-injection", "identity-removal"]


def test_builders_of_two_releases_know_their_own_configs(release_path, copy):
    manifest = Manifest.read(copy)
    kept = {path: record for path, record in manifest.files.items() if "/pix2pix-" not in path}
    replace(manifest, files=kept).write(copy)
    small, whole = M3DSynth("pristine", data_dir=copy), M3DSynth("pristine", data_dir=release_path)
    assert "pix2pix-removal" in whole.builder_configs
    assert "pix2pix-removal" not in small.builder_configs
    with pytest.raises(ValueError, match="has no config 'pix2pix-removal'"):
        M3DSynth("pix2pix-removal", data_dir=copy)


def test_an_unknown_config_gets_a_hint_and_the_known_ones(release_path):
    with pytest.raises(
        ValueError, match=r"no config 'pix2pix-remove'; it has all, pristine, .*did you mean 'pix2pix-rem"
    ):
        M3DSynth("pix2pix-remove", data_dir=release_path)


def test_what_is_no_release_is_said_to_be_none(tmp_path):
    with pytest.raises(ReleaseNotFoundError, match="no release there"):
        M3DSynth("pristine", data_dir=tmp_path)


def test_another_major_version_is_refused(copy):
    replace(Manifest.read(copy), format_version="2.0").write(copy)
    with pytest.raises(FormatVersionError, match=r"format 2.0"):
        M3DSynth("pristine", data_dir=copy)


@pytest.mark.parametrize("places", [{}, {"data_dir": "m3dsynth", "repo_id": "org/m3dsynth"}])
def test_one_release_has_to_be_named(places):
    with pytest.raises(ValueError, match="either data_dir=FOLDER or repo_id=ORG/NAME"):
        M3DSynth("pristine", **places)


def test_a_repository_that_cannot_be_reached_is_an_error(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(HubUnavailableError, match=r"manifest.json is not in the cache .* HF_HUB_OFFLINE is set"):
        M3DSynth("pristine", repo_id="org/m3dsynth")


@pytest.mark.parametrize("files", [None, {}, {"README.md": b"another data set"}])
def test_a_repository_without_a_release_is_an_error(hub, files):
    if files is not None:
        hub.create("org/m3dsynth").commit(files)
    with pytest.raises(ReleaseNotFoundError, match="org/m3dsynth: no release there on the Hub"):
        M3DSynth("pristine", repo_id="org/m3dsynth")


def test_a_gated_repository_asks_for_access(hub, release_path):
    repository = hub.create("org/m3dsynth", gated=True, readers={"mine"})
    repository.commit(read_folder(release_path))
    with pytest.raises(HubAccessError, match=r"asked for at http.*/datasets/org/m3dsynth; .*log in"):
        M3DSynth("pristine", repo_id="org/m3dsynth")
    builder = M3DSynth("pristine", repo_id="org/m3dsynth", token="mine")
    builder.download_and_prepare()
    assert builder.as_dataset("test")["sample_id"][:] == ["pristine/scan-2"]


def test_rows_on_the_hub_are_streamed(hub, release_path):
    hub.create("org/m3dsynth").commit(read_folder(release_path))
    builder = M3DSynth("pix2pix-injection", repo_id="org/m3dsynth")
    here = M3DSynth("pix2pix-injection", data_dir=release_path)
    assert list(builder.as_streaming_dataset("train")) == list(here.as_streaming_dataset("train"))


def test_the_rows_are_of_the_commit_that_was_found(hub, release_path):
    files = read_folder(release_path)
    repository = hub.create("org/m3dsynth")
    repository.commit(files)
    builder = M3DSynth("pix2pix-injection", repo_id="org/m3dsynth")
    repository.commit(dict.fromkeys(files, b"something else"))
    assert [row["sample_id"] for row in builder.as_streaming_dataset("train")] == ["pix2pix/inj_1"]


def test_a_missing_file_is_named_before_anything_is_read(copy):
    (copy / "data/pristine/test-00000-of-00001.parquet").unlink()
    with pytest.raises(DamagedReleaseError, match=r"data/pristine/test-00000-of-00001.parquet is missing"):
        M3DSynth("pristine", data_dir=copy)
    assert M3DSynth("pix2pix-removal", data_dir=copy).info.features == FEATURES


def test_columns_and_filters_do_what_they_do_for_parquet(release_path):
    rows = prepared("all", release_path, columns=["sample_id", "label"], filters=[("label", "==", 1)]).as_dataset()
    assert {split: part[:] for split, part in rows.items()} == {
        "train": {"sample_id": ["pix2pix/inj_1"], "label": [1]},
        "test": {"sample_id": ["pix2pix/rem_1"], "label": [1]},
    }
    assert rows["train"].features["label"] == FEATURES["label"]


def test_a_stream_has_the_same_rows_and_features_as_the_copy(release_path):
    builder = prepared("all", release_path)
    stream = builder.as_streaming_dataset("train")
    assert list(stream) == list(builder.as_dataset("train"))
    assert stream.features == FEATURES


def test_two_processes_make_the_same_copy(release_path, tmp_path):
    one = prepared("all", release_path, cache_dir=str(tmp_path / "one")).as_dataset("train")
    two = prepared("all", release_path, cache_dir=str(tmp_path / "two"), num_proc=2).as_dataset("train")
    assert len(two.cache_files) == 2
    assert list(two) == list(one)


def test_a_builder_is_sent_to_another_process(release_path):
    again = pickle.loads(pickle.dumps(M3DSynth("pix2pix-removal", data_dir=release_path)))
    again.download_and_prepare()
    assert list(again.as_dataset("test")) == stored(release_path, "pix2pix-removal", "test")


def test_the_copy_is_filed_under_the_format_and_the_content(release_path, tmp_path):
    builder = M3DSynth("pristine", data_dir=release_path, cache_dir=str(tmp_path))
    digest = Manifest.read(release_path).digest[:32]
    assert Path(builder.cache_dir) == tmp_path / f"m3dsynth/pristine/{FORMAT_VERSION}.0/{digest}"


def test_the_same_release_in_two_places_is_copied_once(release_path, copy):
    first = prepared("pristine", release_path).as_dataset("train")
    assert prepared("pristine", copy).as_dataset("train").cache_files == first.cache_files


def test_a_release_rebuilt_in_place_is_never_served_from_the_old_copy(copy):
    assert prepared("pristine", copy).as_dataset("test")["seed"][:] == [7]
    path = copy / "data/pristine/test-00000-of-00001.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.schema.get_field_index("seed"), table.schema.field("seed"), [[8]]), path)
    replace(Manifest.read(copy), digest="0" * 64).write(copy)
    assert prepared("pristine", copy).as_dataset("test")["seed"][:] == [8]
    assert [row["seed"] for row in M3DSynth("pristine", data_dir=copy).as_streaming_dataset("test")] == [8]


def test_columns_that_a_newer_format_added_are_left_out(copy):
    path = copy / "data/pristine/test-00000-of-00001.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("dose", [[1.5]]), path)
    rows = prepared("pristine", copy).as_dataset("test")
    assert (rows.features, rows["sample_id"][:]) == (FEATURES, ["pristine/scan-2"])


FROM_HUB = """
import json, sys
from m3dsynth_dataset.builder import M3DSynth
builder = M3DSynth("pix2pix-removal", repo_id="org/m3dsynth", revision="v1")
builder.download_and_prepare()
print(json.dumps([builder.cache_dir, builder.place, builder.as_dataset("test")["sample_id"][:]]))
"""


def test_a_release_on_the_hub_is_downloaded_no_more_of_it_than_the_config(hub, release_path, tmp_path):
    repository = hub.create("org/m3dsynth")
    repository.commit(read_folder(release_path), branch="v1")
    done = subprocess.run(
        [sys.executable, "-c", FROM_HUB], env=os.environ | {"HF_HOME": str(tmp_path / "home")},
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    cache, place, found = json.loads(done.stdout)
    assert found == ["pix2pix/rem_1"]
    assert place == f"hf://datasets/org/m3dsynth@{repository.refs['v1']}"
    assert "/org___m3dsynth/pix2pix-removal/" in cache
    asked = {exchange.path.partition("/resolve/")[2].partition("/")[2] for exchange in hub.log.asked("/resolve/")}
    assert asked == {"manifest.json", "data/pix2pix-removal/test-00000-of-00001.parquet"}
