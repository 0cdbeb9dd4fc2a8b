import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from generation import weights as files
from generation.errors import GenerationError
from generation.filling import fill
from generation.zoo import load_inpainter


def test_a_file_tells_what_it_has_learned_from(weights, store):
    origin = files.load(weights).account.provenance
    assert (origin.trained_on, origin.steps, origin.seed) == ("phantom", 2, 0)
    everybody = store.training("injection")[1]["patient_id"].to_pylist()
    assert set(origin.patients) < set(everybody)
    assert origin.cubes == sum(patient in origin.patients for patient in everybody)
    assert origin.table_sha256 == store.table_sha256
    assert origin.versions["torch"] == torch.__version__


def test_saving_what_was_loaded_gives_the_same_file(weights, tmp_path):
    assert files.save(tmp_path / "again.safetensors", files.load(weights)) == files.sha256(weights)


def test_loaded_twice_it_fills_the_same_and_names_its_file(weights, store):
    cubes, table = store.sites("injection")
    first, second = load_inpainter(weights), load_inpainter(weights)
    seeds = table["seed"].to_pylist()
    assert np.array_equal(fill(first, cubes, seeds), fill(second, cubes, seeds))
    assert first.weights_sha256 == files.sha256(weights)


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(GenerationError, match="no weights there; make some with"):
        files.load(tmp_path / "none.safetensors")


def test_a_file_that_is_no_safetensors_is_refused(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"no such thing")
    with pytest.raises(GenerationError, match="is no safetensors file that can be read"):
        files.load(tmp_path / "x.safetensors")


@pytest.mark.parametrize("kept", [20, 1000, -1])
def test_a_truncated_file_is_refused(weights, tmp_path, kept):
    (tmp_path / "x.safetensors").write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(GenerationError, match="is no safetensors file that can be read"):
        files.load(tmp_path / "x.safetensors")


def test_a_safetensors_file_of_something_else_is_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(GenerationError, match="its metadata lacks 'm3dsynth'"):
        files.load(tmp_path / "x.safetensors")


def test_another_format_version_is_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors", metadata={"m3dsynth": '{"format_version": 9}'})
    with pytest.raises(GenerationError, match="format_version must be 2, got 9"):
        files.load(tmp_path / "x.safetensors")
