"""Every call that a user of ``datasets`` knows, on a release in a folder and on an installed one; offline."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import tiny_release
from datasets import (
    ClassLabel,
    get_dataset_config_names,
    get_dataset_default_config_name,
    get_dataset_split_names,
    load_dataset,
    load_from_disk,
)
from huggingface_hub import constants

from builder.release import write_release
from m3dsynth_dataset import DamagedReleaseError, ReleaseNotFoundError
from m3dsynth_dataset.builder import M3DSynth
from m3dsynth_dataset.installation import install, uninstall
from m3dsynth_dataset.schema import FEATURES

SIZES = {"train": 40, "validation": 6, "test": 5}
CONFIG = "pix2pix-injection"


def write(folder, mark=""):
    """A release with more rows than one row group holds, and with no volumes; ``mark`` makes it another one."""
    rows = [
        tiny_release._edited_row(generator, "inj_1")
        | {"sample_id": f"{generator}/inj_{mark}{split}_{number:02}", "site_id": f"{number}", "split": split}
        | {"seed": number}
        for generator in ("pix2pix", "identity")
        for split, size in SIZES.items()
        for number in range(size)
    ]
    rows += [tiny_release._row(scan, "pristine", f"pristine/{mark}{scan}", "none", "pristine") for scan in ("scan-1",)]
    write_release(folder, rows, [], tiny_release.built())
    return folder


def ids(split, mark="", generator="pix2pix"):
    return [f"{generator}/inj_{mark}{split}_{number:02}" for number in range(SIZES[split])]


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return write(tmp_path_factory.mktemp("many") / "m3dsynth")


@pytest.fixture
def rows(release):
    return load_dataset(str(release), CONFIG, split="train")


def test_all_configs_are_listed_and_all_is_the_default(release):
    names = get_dataset_config_names(str(release))
    assert names == ["all", "pristine", "pix2pix-injection", "identity-injection"]
    assert get_dataset_default_config_name(str(release)) == "all"


@pytest.mark.parametrize(("config", "splits"), [(CONFIG, ["train", "validation", "test"]), ("pristine", ["train"])])
def test_only_splits_that_have_rows_are_listed(release, config, splits):
    assert get_dataset_split_names(str(release), config) == splits


def test_the_bare_name_loads_the_folder_beside_the_user(release, monkeypatch):
    monkeypatch.chdir(release.parent)
    loaded = load_dataset("m3dsynth", CONFIG)
    assert {split: rows["sample_id"][:] for split, rows in loaded.items()} == {split: ids(split) for split in SIZES}
    assert loaded["train"].features == FEATURES


def test_the_default_holds_scans_and_edits_but_no_control(release):
    loaded = load_dataset(str(release))
    assert loaded["train"]["sample_id"][:] == ["pristine/scan-1", *ids("train")]
    assert loaded["test"]["sample_id"][:] == ids("test")


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train+validation", ids("train") + ids("validation")),
        ("train[:2]", ids("train")[:2]),
        ("train[50%:]", ids("train")[20:]),
        ("train[-1:]+test", ids("train")[-1:] + ids("test")),
        ("all", ids("train") + ids("validation") + ids("test")),
    ],
)
def test_splits_are_added_and_cut(release, split, expected):
    assert load_dataset(str(release), CONFIG, split=split)["sample_id"][:] == expected


def test_an_unknown_config_and_an_unknown_split_are_errors_that_name_the_known_ones(release):
    with pytest.raises(ValueError, match=r"'dm-injection' not found. Available: \['all', 'pristine', 'pix2pix-inj"):
        load_dataset(str(release), "dm-injection")
    with pytest.raises(ValueError, match=r"Unknown split \"dev\""):
        load_dataset(str(release), CONFIG, split="dev")


def test_only_the_columns_asked_for_are_read(release):
    loaded = load_dataset(str(release), CONFIG, split="train", columns=["sample_id", "label"])
    assert loaded.features == {name: FEATURES[name] for name in ("sample_id", "label")}
    assert loaded.num_rows == 40


@pytest.mark.parametrize("streaming", [False, True])
def test_only_the_rows_asked_for_are_read(release, streaming):
    filters = [("seed", ">=", 37)]
    loaded = load_dataset(str(release), CONFIG, split="train", filters=filters, streaming=streaming)
    assert [row["sample_id"] for row in loaded] == ids("train")[37:]


def test_a_revision_means_nothing_for_a_folder(release):
    assert load_dataset(str(release), CONFIG, revision="v7", split="test")["sample_id"][:] == ids("test")


def test_rows_come_as_numpy(rows):
    row = rows.with_format("numpy")[3]
    assert isinstance(row["box_shape_zyx"], np.ndarray)
    assert row["box_shape_zyx"].tolist() == [7, 21, 23]
    assert bytes(row["patch"]) == rows[3]["patch"]


def test_rows_come_as_torch(rows):
    torch = pytest.importorskip("torch")
    row = rows.with_format("torch")[3]
    assert row["box_shape_zyx"].tolist() == [7, 21, 23]
    assert row["spacing_mm"].dtype.is_floating_point
    assert (row["label"].item(), row["patch"]) == (1, rows[3]["patch"])
    assert isinstance(row["label"], torch.Tensor)


def test_rows_come_as_arrow_and_pandas(rows):
    table = rows.with_format("arrow")[:3]
    assert isinstance(table, pa.Table)
    assert table.schema.field("patch").type == pa.binary()
    frame = rows.with_format("pandas")[:3]
    assert isinstance(frame, pd.DataFrame)
    assert frame["sample_id"].tolist() == table["sample_id"].to_pylist() == ids("train")[:3]


def test_rows_come_as_polars(rows):
    polars = pytest.importorskip("polars")
    frame = rows.with_format("polars")[:3]
    assert isinstance(frame, polars.DataFrame)
    assert frame["sample_id"].to_list() == ids("train")[:3]


def test_shards_part_the_rows(rows):
    shards = [rows.shard(num_shards=3, index=index)["sample_id"][:] for index in range(3)]
    assert [len(shard) for shard in shards] == [14, 13, 13]
    assert list(chain(*shards)) == ids("train")


def test_loaded_rows_become_a_stream(rows):
    stream = rows.to_iterable_dataset(num_shards=4)
    assert stream.num_shards == 4
    assert [row["sample_id"] for row in stream] == ids("train")


def test_a_stream_holds_the_same_rows(release, rows):
    stream = load_dataset(str(release), CONFIG, split="train", streaming=True)
    assert list(stream) == list(rows)
    assert stream.features == FEATURES
    assert [row["sample_id"] for row in stream.skip(18).take(2)] == ids("train")[18:20]


def test_a_stream_is_shared_out_by_row_groups(release):
    stream = load_dataset(str(release), CONFIG, split="train", streaming=True).reshard()
    parts = [[row["sample_id"] for row in stream.shard(3, index)] for index in range(3)]
    assert [len(part) for part in parts] == [16, 16, 8]
    assert list(chain(*parts)) == ids("train")


def test_two_processes_load_the_same_rows(release):
    one = load_dataset(str(release), split="train")
    assert list(load_dataset(str(release), split="train", num_proc=2, download_mode="force_redownload")) == list(one)


def test_rows_are_mapped_and_filtered_by_the_names_of_their_classes(release):
    loaded = load_dataset(str(release), split="train")
    pristine = loaded.features["label"].str2int("pristine")
    assert loaded.filter(lambda label: label == pristine, input_columns="label")["sample_id"][:] == ["pristine/scan-1"]
    mapped = loaded.map(lambda row: {"bytes": len(row["patch"] or b"")})
    assert mapped["bytes"][:] == [len(patch or b"") for patch in loaded["patch"]]
    assert isinstance(mapped.features["label"], ClassLabel)


def test_a_part_is_set_aside(rows):
    parts = rows.train_test_split(test_size=0.25, seed=0)
    assert (parts["train"].num_rows, parts["test"].num_rows) == (30, 10)
    assert sorted(parts["train"]["sample_id"][:] + parts["test"]["sample_id"][:]) == ids("train")


def test_rows_are_saved_and_loaded_again(rows, tmp_path):
    rows.save_to_disk(tmp_path / "saved")
    again = load_from_disk(tmp_path / "saved")
    assert again.features == FEATURES
    assert list(again) == list(rows)


@pytest.mark.parametrize("config", ["all", "pristine", "pix2pix-injection", "identity-injection"])
def test_card_builder_and_both_streams_give_the_same_rows(release, config):
    by_card = {split: list(rows) for split, rows in load_dataset(str(release), config).items()}
    streamed = {split: list(rows) for split, rows in load_dataset(str(release), config, streaming=True).items()}
    builder = M3DSynth(config, data_dir=release)
    builder.download_and_prepare()
    by_class = {split: list(rows) for split, rows in builder.as_dataset().items()}
    class_streamed = {split: list(rows) for split, rows in builder.as_streaming_dataset().items()}
    assert by_card == by_class == streamed == class_streamed


def test_an_unchanged_release_is_copied_once(release, rows):
    before = Path(rows.cache_files[0]["filename"]).stat().st_mtime_ns
    again = load_dataset(str(release), CONFIG, split="train")
    assert again.cache_files == rows.cache_files
    assert Path(again.cache_files[0]["filename"]).stat().st_mtime_ns == before


@pytest.mark.parametrize("streaming", [False, True])
def test_a_release_rebuilt_in_place_is_seen_at_once(tmp_path, monkeypatch, streaming):
    monkeypatch.chdir(tmp_path)
    seen = []
    for mark in ("old_", "new_"):
        write(tmp_path / "m3dsynth", mark)
        # As old as the other: only the content tells them apart.
        for file in (tmp_path / "m3dsynth").rglob("*.parquet"):
            os.utime(file, (1_700_000_000, 1_700_000_000))
        loaded = load_dataset("m3dsynth", CONFIG, split="test", streaming=streaming)
        seen.append([row["sample_id"] for row in loaded])
    assert seen == [ids("test", "old_"), ids("test", "new_")]


# An installed release.

CALLS = """
import json, sys
from datasets import load_dataset
print(json.dumps({
    "named": load_dataset("m3dsynth", "pix2pix-injection")["train"]["sample_id"][:],
    "default": load_dataset("m3dsynth", split="train")["sample_id"][:],
    "sliced": load_dataset("m3dsynth", "identity-injection", split="test[:2]")["sample_id"][:],
    "streamed": [
        row["sample_id"] for row in load_dataset("m3dsynth", "pix2pix-injection", split="test", streaming=True)
    ],
}))
"""
SEEN = {
    "named": ids("train"),
    "default": ["pristine/scan-1", *ids("train")],
    "sliced": ids("test", generator="identity")[:2],
    "streamed": ids("test"),
}


@pytest.fixture
def caches(tmp_path, monkeypatch):
    """The folder of both caches, and a place that has no folder called m3dsynth to work in."""
    import datasets

    home = tmp_path / "home"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", home / "datasets")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    return home


@pytest.fixture
def hub_that_knows_nothing():
    class Nothing(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.server.asked.append(self.path)
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()

        do_GET = do_HEAD  # noqa: N815 - as the server wants it

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Nothing)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def in_a_new_process(caches, **environment):
    """What a user gets who works elsewhere, in a process that knows of the installation only what is on the disk."""
    ours = {"HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_DATASETS_CACHE", "HF_HUB_CACHE", "HF_ENDPOINT", "PYTHONPATH"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-c", CALLS],
        env=kept | {"HF_HOME": str(caches), "HF_HUB_DISABLE_TELEMETRY": "1"} | environment,
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


def test_an_installed_release_is_loaded_offline_from_any_folder(release, caches):
    install(release)
    result = in_a_new_process(caches, HF_HUB_OFFLINE="1")
    assert json.loads(result.stdout) == SEEN, result.stderr


def test_an_installed_release_is_loaded_at_once_where_there_is_no_network(release, caches):
    install(release)
    result = in_a_new_process(caches, HF_ENDPOINT="http://127.0.0.1:9")
    assert json.loads(result.stdout) == SEEN, result.stderr
    # Without what `install` leaves for it, `datasets` asks again and again for 23 seconds, and says so.
    assert "Retrying" not in result.stderr


def test_an_installed_release_is_loaded_when_the_hub_answers(release, caches, hub_that_knows_nothing):
    install(release)
    result = in_a_new_process(caches, HF_ENDPOINT=f"http://127.0.0.1:{hub_that_knows_nothing.server_port}")
    assert json.loads(result.stdout) == SEEN, result.stderr
    assert set(hub_that_knows_nothing.asked) == {"/datasets/m3dsynth/resolve/main/README.md"}


def test_after_uninstalling_nothing_is_left_and_nothing_is_found(release, caches):
    install(release)
    assert len(uninstall()) == 4
    assert [path for path in caches.rglob("*") if path.is_file()] == []
    with pytest.raises(ConnectionError, match="Couldn't reach"):
        load_dataset("m3dsynth", CONFIG)
    assert uninstall() == []


def test_installing_again_replaces_what_was_installed(release, caches, tmp_path):
    install(write(tmp_path / "older" / "m3dsynth", "old_"))
    folders = install(release)
    assert load_dataset("m3dsynth", CONFIG, split="test")["sample_id"][:] == ids("test")
    assert load_dataset("m3dsynth", split="test")["sample_id"][:] == ids("test")
    assert {path.parent for path in caches.rglob("*.arrow")} == set(folders.values())
    assert len(list((caches / "hub").glob("*/snapshots/*"))) == 1


def test_what_is_installed_is_not_displaced_by_another_release_that_is_loaded_later(
    release, caches, tmp_path, monkeypatch
):
    install(release)
    other = write(tmp_path / "other" / "m3dsynth", "other_")
    for config in (None, CONFIG):
        assert load_dataset(str(other), config, split="test")["sample_id"][:] == ids("test", "other_")
    assert load_dataset("m3dsynth", CONFIG, split="test")["sample_id"][:] == ids("test")
    assert load_dataset("m3dsynth", split="test")["sample_id"][:] == ids("test")


def test_the_default_stays_the_default_when_another_config_was_used_last(release, caches):
    install(release)
    load_dataset("m3dsynth", CONFIG, split="test").map(lambda row: {"twice": 2 * row["seed"]})
    assert load_dataset("m3dsynth", split="train")["sample_id"][0] == "pristine/scan-1"


def test_the_default_is_the_latest_whatever_order_the_folders_are_listed_in(release, caches):
    times = {config: folder.stat().st_mtime for config, folder in install(release).items()}
    assert times.pop("all") > max(times.values()) > time.time() + 1e8


def test_the_default_that_was_mapped_is_never_another_config_and_comes_back_with_an_installation(release, caches):
    install(release)
    load_dataset("m3dsynth", split="test").map(lambda row: {"twice": 2 * row["seed"]})
    with pytest.raises(ValueError, match=r"(?s)multiple 'm3dsynth' configurations.*Please specify"):
        load_dataset("m3dsynth", split="train")
    assert load_dataset("m3dsynth", "all", split="train")["sample_id"][0] == "pristine/scan-1"
    install(release)
    assert load_dataset("m3dsynth", split="train")["sample_id"][0] == "pristine/scan-1"


def test_installed_rows_say_where_their_release_lies_now(release, caches, tmp_path):
    install(release)
    assert load_dataset("m3dsynth", CONFIG, split="test").info.description.endswith(f", {release}")
    moved = shutil.copytree(release, tmp_path / "moved" / "m3dsynth")
    install(moved)
    assert load_dataset("m3dsynth", CONFIG, split="test").info.description.endswith(f", {moved}")


def test_a_release_with_damaged_rows_leaves_nothing_behind(release, caches, tmp_path):
    from datasets.exceptions import DatasetGenerationError

    copy = shutil.copytree(release, tmp_path / "copy" / "m3dsynth")
    (copy / "data/identity-injection/test-00000-of-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetGenerationError):
        install(copy)
    assert not list(caches.rglob("*.arrow"))


def test_a_release_with_missing_rows_and_a_folder_that_is_none_are_not_installed(release, caches, tmp_path):
    copy = shutil.copytree(release, tmp_path / "copy" / "m3dsynth")
    (copy / "data/identity-injection/test-00000-of-00001.parquet").unlink()
    with pytest.raises(DamagedReleaseError, match=r"identity-injection/test-.* is missing, though the manifest"):
        install(copy)
    with pytest.raises(ReleaseNotFoundError, match="no release there"):
        install(tmp_path)
    assert not list(caches.rglob("*.arrow"))


def test_a_copy_from_the_hub_that_somebody_else_made_stays(release, caches):
    theirs = caches / "hub/datasets--m3dsynth/snapshots/0123/README.md"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    install(release)
    uninstall()
    assert theirs.read_text() == "theirs"
