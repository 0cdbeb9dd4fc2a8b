import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from benchmarks.errors import BenchmarkError
from benchmarks.malignancy import MalignancyClassifier, Ratings
from benchmarks.malignancy.weights import FILE, Account, Provenance, Weights, load, save

ACCOUNT = Account("tiny", {"side": 32}, Provenance("abc", "phantom", ("A", "B"), 3, 4, Ratings(3.5, 1.5), 7))


def test_a_file_holds_tensors_and_where_they_come_from(tmp_path):
    save(tmp_path / FILE, Weights(ACCOUNT, {"leak": torch.tensor(-3.0)}))
    found = load(tmp_path / FILE)

    assert found.account == ACCOUNT
    assert found.tensors["leak"] == -3


def test_the_same_weights_give_the_same_file(tmp_path):
    for name in ("one", "two"):
        save(tmp_path / name, Weights(ACCOUNT, {"leak": torch.tensor(-3.0)}))

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        (None, "kind must be 'malignancy'"),
        ({"inpainter": "dm"}, "got 'dm'"),
        ({"kind": "malignancy", "preset": "tiny"}, "provenance"),
        ([], "no file of a malignancy"),
    ],
)
def test_weights_of_another_kind_are_refused(tmp_path, metadata, reason):
    texts = {} if metadata is None else {"m3dsynth": json.dumps(metadata)}
    save_file({"leak": torch.tensor(-3.0)}, tmp_path / FILE, metadata=texts)

    with pytest.raises(BenchmarkError, match=reason):
        load(tmp_path / FILE)


def test_what_is_missing_or_no_safetensors_file_is_an_error(tmp_path):
    with pytest.raises(BenchmarkError, match="leave --classifier out"):
        load(tmp_path / FILE)
    (tmp_path / FILE).write_bytes(b"not at all")
    with pytest.raises(BenchmarkError, match="no safetensors file"):
        load(tmp_path / FILE)


def test_weights_that_do_not_fit_are_an_error(learned, tmp_path):
    classifier, _ = learned
    tensors = classifier.state_dict()
    del tensors["leak"]
    save(tmp_path / FILE, Weights(classifier.account, tensors))
    with pytest.raises(BenchmarkError, match="does not fit"):
        MalignancyClassifier.from_pretrained(tmp_path)

    strange = replace(classifier.account, config={"size": "large"})
    save(tmp_path / FILE, Weights(strange, classifier.state_dict()))
    with pytest.raises(BenchmarkError, match="does not fit"):
        MalignancyClassifier.from_pretrained(tmp_path)
