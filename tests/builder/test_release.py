import numpy as np
import pyarrow.parquet as pq
import pytest
import tiny_release
import yaml
from datasets import get_dataset_config_names, get_dataset_default_config_name, load_dataset

from builder.errors import BuilderError
from builder.release import check_replaceable, write_release
from m3dsynth_dataset import FEATURES, open_release
from m3dsynth_dataset.schema import data_file

CONFIGS = ["all", "pristine", "pix2pix-injection", "pix2pix-removal", "identity-injection", "identity-removal"]


@pytest.fixture
def beside(release_path, monkeypatch):
    """The folder that holds the release."""
    monkeypatch.chdir(release_path.parent)


@pytest.mark.usefixtures("beside")
def test_the_plain_call_loads_a_config_with_its_splits():
    loaded = load_dataset("m3dsynth", "pix2pix-injection")
    assert loaded.num_rows == {"train": 1}
    assert loaded["train"].features == FEATURES


@pytest.mark.usefixtures("beside")
def test_every_config_has_the_rows_that_its_files_have():
    assert get_dataset_config_names("m3dsynth") == CONFIGS
    for config, splits in open_release("m3dsynth").splits.items():
        loaded = load_dataset("m3dsynth", config)
        assert tuple(loaded) == splits
        for split in splits:
            assert (
                loaded[split]["sample_id"]
                == pq.read_table(f"m3dsynth/{data_file(config, split)}")["sample_id"].to_pylist()
            )


@pytest.mark.usefixtures("beside")
def test_the_default_is_everything_but_the_control():
    assert get_dataset_default_config_name("m3dsynth") == "all"
    loaded = load_dataset("m3dsynth")
    assert sorted(loaded["train"]["sample_id"]) == ["pix2pix/inj_1", "pristine/scan-1"]
    assert sorted(loaded["test"]["sample_id"]) == ["pix2pix/rem_1", "pristine/scan-2"]


@pytest.mark.usefixtures("beside")
def test_streaming_gives_the_same_rows():
    rows = list(load_dataset("m3dsynth", "pix2pix-removal", split="test", streaming=True))
    assert rows == list(load_dataset("m3dsynth", "pix2pix-removal", split="test"))


@pytest.mark.usefixtures("beside")
def test_labels_have_their_names():
    row = load_dataset("m3dsynth", "identity-removal", split="test")
    assert row.features["label"].int2str(row[0]["label"]) == "control"
    assert row.features["manipulation"].int2str(row[0]["manipulation"]) == "removal"


@pytest.mark.usefixtures("beside")
def test_a_row_from_datasets_opens_its_sample():
    row = load_dataset("m3dsynth", "pix2pix-removal", split="test")[0]
    sample = open_release("m3dsynth").sample(row)
    np.testing.assert_array_equal(sample.ct[...], tiny_release.tampered("pix2pix", "rem_1"))


def test_a_release_rebuilt_in_place_is_seen_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny_release.write(tmp_path / "m3dsynth", tmp_path / "work-1")
    assert load_dataset("m3dsynth", "pristine", split="train")[0]["seed"] == 7
    row = tiny_release._row
    monkeypatch.setattr(tiny_release, "_row", lambda *names: row(*names) | {"seed": 8})
    tiny_release.write(tmp_path / "m3dsynth", tmp_path / "work-2")
    assert load_dataset("m3dsynth", "pristine", split="train")[0]["seed"] == 8


def test_the_same_rows_make_the_same_release_to_the_bit(release_path, tmp_path):
    again = tiny_release.write(tmp_path / "m3dsynth", tmp_path / "work")
    assert (again / "manifest.json").read_bytes() == (release_path / "manifest.json").read_bytes()


def test_the_card_says_what_is_in_the_release(release_path):
    _, front_matter, text = (release_path / "README.md").read_text().split("---\n", 2)
    entries = {entry["config_name"]: entry for entry in yaml.safe_load(front_matter)["configs"]}
    assert list(entries) == CONFIGS
    assert [each["split"] for each in entries["pristine"]["data_files"]] == ["train", "test"]
    assert "| `pristine` | 1 | 0 | 1 | 2 |" in text
    assert "| `pix2pix-removal` | 0 | 0 | 1 | 1 |" in text
    assert "- `pix2pix-injection`: preset `tiny`, 300 steps on 1,234 cubes of 8 patients (phantom)" in text
    assert "- `identity-injection`: no generative model" in text
    assert "dataset_info" not in front_matter  # split sizes there make `filters=` fail


def test_the_card_says_that_phantoms_are_phantoms(release_path):
    assert "**These are phantoms.**" in (release_path / "README.md").read_text()


def test_the_card_says_when_inpainters_learned_from_something_else(tmp_path, monkeypatch):
    monkeypatch.setattr(tiny_release, "built", lambda: BUILT_FROM_LIDC)
    text = (tiny_release.write(tmp_path / "m3dsynth", tmp_path / "work") / "README.md").read_text()
    assert "**The inpainters of this release learned from phantom cubes, not from LIDC-IDRI.**" in text
    assert "These are phantoms" not in text


BUILT_FROM_LIDC = tiny_release.built() | {"source": "LIDC-IDRI"}


def test_binary_columns_are_not_compressed_twice(release_path):
    column = pq.ParquetFile(release_path / data_file("pix2pix-removal", "test")).metadata.row_group(0)
    codecs = {column.column(i).path_in_schema: column.column(i).compression for i in range(column.num_columns)}
    assert codecs["patch"] == codecs["mask"] == "UNCOMPRESSED"
    assert codecs["scan_id"] == "ZSTD"


def test_something_else_in_the_place_of_a_release_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("three years")
    with pytest.raises(BuilderError, match="something that is not a release and will not be replaced"):
        write_release(tmp_path, [], [], tiny_release.built())
    assert (tmp_path / "thesis.tex").read_text() == "three years"


def test_an_empty_folder_may_become_a_release(tmp_path):
    (tmp_path / "m3dsynth").mkdir()
    check_replaceable(tmp_path / "m3dsynth")


def test_a_release_that_cannot_be_finished_leaves_the_old_one(tmp_path):
    path = tiny_release.write(tmp_path / "m3dsynth", tmp_path / "work")
    before = {each: each.read_bytes() for each in path.rglob("*") if each.is_file()}

    def broken():
        yield tiny_release._row("scan-1", "pristine", "pristine/scan-1", "none", "pristine")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_release(path, broken(), [], tiny_release.built())
    assert {each: each.read_bytes() for each in path.rglob("*") if each.is_file()} == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["m3dsynth", "work"]
