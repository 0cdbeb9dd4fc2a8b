import json

import pytest
import torch
from safetensors.torch import save_file

from generation.checkpoint import Checkpoint
from generation.descent import Descent
from generation.errors import GenerationError
from generation.pix2pix import Pix2PixConfig, Pix2PixLearner
from generation.processes import Processes

TINY = Pix2PixConfig(width=2, stages=(1, 2, 4), steps=4, batch=2)


def trained(steps):
    torch.manual_seed(0)
    learner = Pix2PixLearner(TINY)
    descend = Descent(learner.optimizers(), Processes("cpu"))
    go_on(learner, descend, range(steps))
    return learner, descend


def go_on(learner, descend, steps):
    for step in steps:
        torch.manual_seed(step)
        cubes = torch.rand((2, 1, 32, 32, 32)) - 0.5
        learner.train().training_step(cubes, descend, rng=torch.Generator())


def same(one, other):
    return all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in one.state_dict().items())


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not(tmp_path):
    whole, _ = trained(4)
    half, descend = trained(2)
    checkpoint = Checkpoint(tmp_path / "c.safetensors", {"seed": 0})
    checkpoint.save(half, descend.optimizers, 2)
    again, later = trained(0)
    assert checkpoint.restore(again, later.optimizers) == 2
    assert same(again, half)
    go_on(again, later, range(2, 4))
    assert same(again, whole)


def test_without_a_file_training_begins_at_the_beginning(tmp_path):
    learner, descend = trained(0)
    assert Checkpoint(tmp_path / "none", {}).restore(learner, descend.optimizers) == 0


def test_the_checkpoint_of_another_training_is_refused_by_what_differs(tmp_path):
    learner, descend = trained(0)
    path = tmp_path / "c.safetensors"
    Checkpoint(path, {"seed": 0, "steps": 4}).save(learner, descend.optimizers, 1)
    with pytest.raises(GenerationError, match=r"another training \(seed, width differ\).*--restart"):
        Checkpoint(path, {"seed": 1, "steps": 4, "width": 8}).restore(learner, descend.optimizers)


@pytest.mark.parametrize("damage", ["cut", "foreign", "text"])
def test_a_damaged_or_foreign_file_is_refused(tmp_path, damage):
    learner, descend = trained(1)
    path = tmp_path / "c.safetensors"
    checkpoint = Checkpoint(path, {})
    checkpoint.save(learner, descend.optimizers, 1)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "foreign":
        save_file({"a": torch.zeros(1)}, path)
    else:
        save_file({"a": torch.zeros(1)}, path, metadata={"step": "x", "training": json.dumps({})})
    with pytest.raises(GenerationError, match="is no checkpoint that can be read"):
        checkpoint.restore(learner, descend.optimizers)


def test_a_checkpoint_is_removed_once(tmp_path):
    learner, descend = trained(0)
    checkpoint = Checkpoint(tmp_path / "c.safetensors", {})
    checkpoint.save(learner, descend.optimizers, 1)
    for _ in range(2):
        checkpoint.remove()
    assert not checkpoint.path.exists()
