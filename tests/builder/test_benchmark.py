import tiny_release
import yaml
from datasets import get_dataset_config_names, get_dataset_split_names, load_dataset

from builder.benchmark import render_benchmark
from builder.release import write_release
from m3dsynth_dataset.manifest import Manifest, record_file


def test_it_names_what_the_hub_reads_and_nothing_else(release_path):
    benchmark = yaml.safe_load((release_path / "eval.yaml").read_text())
    assert list(benchmark) == ["name", "description", "evaluation_framework", "tasks"]
    assert benchmark["name"] == "M3Dsynth (phantom)"
    assert benchmark["evaluation_framework"] == "m3dsynth"
    assert "These are phantoms" in benchmark["description"]


def test_every_task_loads_rows_to_test_on(release_path):
    tasks = yaml.safe_load((release_path / "eval.yaml").read_text())["tasks"]
    assert tasks == [
        {"id": "all", "config": "all", "split": "test"},
        {"id": "pix2pix-removal", "config": "pix2pix-removal", "split": "test"},
    ]
    for task in tasks:
        assert task["config"] in get_dataset_config_names(str(release_path))
        assert task["split"] in get_dataset_split_names(str(release_path), task["config"])
        rows = load_dataset(str(release_path), task["config"], split=task["split"])
        assert any(rows.features["label"].int2str(label) == "tampered" for label in rows["label"])


def test_scans_alone_and_the_control_are_no_tasks():
    counts = {
        (config, split): 1
        for config in ("pristine", "dm-injection", "identity-injection")
        for split in ("train", "test")
    }
    benchmark = yaml.safe_load(render_benchmark(counts, {"source": "LIDC-IDRI"}))
    assert [task["id"] for task in benchmark["tasks"]] == ["all", "dm-injection"]
    assert "phantom" not in str(benchmark)


def test_a_release_with_nothing_to_test_on_is_no_benchmark(tmp_path):
    counts = {("pristine", "test"): 3, ("dm-injection", "train"): 3, ("identity-injection", "test"): 1}
    assert render_benchmark(counts, {"source": "phantom"}) is None
    row = tiny_release._row("scan-1", "pristine", "pristine/scan-1", "none", "pristine")
    manifest = write_release(tmp_path / "m3dsynth", [row], [], tiny_release.built())
    assert "eval.yaml" not in manifest.files
    assert not (tmp_path / "m3dsynth/eval.yaml").exists()


def test_it_is_part_of_the_manifest(release_path):
    assert Manifest.read(release_path).files["eval.yaml"] == record_file(release_path / "eval.yaml")
