import pytest
import torch

from generation.device import chosen
from generation.errors import GenerationError


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert chosen("auto").type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen("auto").type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "cuda:1"])
def test_a_gpu_that_is_not_there_is_refused(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(GenerationError, match=f"device is {name}, but torch finds no GPU here"):
        chosen(name)


def test_another_word_is_refused():
    with pytest.raises(GenerationError, match="device must be auto, cpu, cuda or cuda:N, got 'abacus'"):
        chosen("abacus")
