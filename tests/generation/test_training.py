import os
import signal

import numpy as np
import pyarrow.compute as pc
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from generation import training
from generation.cubes import CubeStore
from generation.descent import Descent
from generation.errors import GenerationError
from generation.filling import fill
from generation.training import Lesson, Options, batch_indices, train
from generation.weights import load
from generation.zoo import load_inpainter, trainable

PIX2PIX = trainable("pix2pix")
CENTRE = (slice(None), *(slice(13, 19),) * 3)


def filled_centre(store, out, manipulation):
    """Mean HU of the middle of the healthy sites, once filled by a model that was trained for a short while."""
    model = load_inpainter(train(PIX2PIX, manipulation, store, out, preset="tiny", steps=60))
    cubes, table = store.sites("injection")
    return fill(model, cubes, table["seed"].to_pylist())[CENTRE].mean()


def test_injection_learns_nodules_and_removal_learns_lung(store, tmp_path):
    removed = filled_centre(store, tmp_path, "removal")
    assert removed == pytest.approx(-800, abs=60)
    assert filled_centre(store, tmp_path, "injection") > removed + 80


def test_the_same_seed_gives_the_same_file(store, tmp_path, weights):
    with torch.random.fork_rng():
        torch.manual_seed(99)  # what went on before in this process must not matter
        again = train(PIX2PIX, "injection", store, tmp_path, preset="tiny", steps=2)
    other = train(PIX2PIX, "injection", store, tmp_path / "other", preset="tiny", steps=2, options=Options(seed=1))
    assert again.read_bytes() == weights.read_bytes()
    assert other.read_bytes() != weights.read_bytes()


def test_training_leaves_the_global_generator_as_it_was(store, tmp_path):
    before = torch.get_rng_state()
    train(PIX2PIX, "injection", store, tmp_path, preset="tiny", steps=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_and_picture_lie_side_by_side(weights):
    assert sorted(path.name for path in weights.parent.iterdir()) == [
        "pix2pix-injection",
        "pix2pix-injection.png",
        weights.name,
    ]
    assert load(weights).account.manipulation == "injection"


def test_a_training_shows_what_it_does_while_it_runs(weights):
    journal = weights.with_suffix("")
    assert [path.name for path in sorted((journal / "samples").iterdir())] == ["000001.png", "000002.png"]
    events = EventAccumulator(str(journal)).Reload()
    assert {"training/l1", "validation/loss"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("validation/loss")] == [1, 2]
    assert [event.step for event in events.Images("samples")] == [1, 2]


def test_a_finished_training_leaves_no_checkpoint(weights):
    assert not list(weights.parent.rglob("checkpoint*"))


def a_dot(inpainter, cubes, seeds, path, *, title):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (1, 1)).save(path)


@pytest.fixture
def no_pictures():
    """Drawing held-out cubes takes most of a short training."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training.montage, "show", a_dot)
        yield


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "dm"])
def test_a_training_that_was_stopped_ends_as_if_it_had_not(store, tmp_path, name, monkeypatch):
    model = trainable(name)
    whole = train(model, "removal", store, tmp_path / "whole", preset="tiny", steps=3)
    stop_after(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        train(model, "removal", store, tmp_path / "parts", preset="tiny", steps=3)
    assert list((tmp_path / "parts").rglob("*")) != []
    assert not (tmp_path / "parts" / whole.name).exists()
    monkeypatch.undo()
    taken = count_steps(monkeypatch)
    parts = train(model, "removal", store, tmp_path / "parts", preset="tiny", steps=3)
    assert parts.read_bytes() == whole.read_bytes()
    assert taken == [2]


def stop_after(steps, monkeypatch):
    step = training.Run._step

    def and_signal(self, cubes, descend, number):
        if number == steps - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, cubes, descend, number)

    monkeypatch.setattr(training.Run, "_step", and_signal)


def count_steps(monkeypatch):
    taken, step = [], training.Run._step
    monkeypatch.setattr(training.Run, "_step", lambda self, *args: taken.append(args[-1]) or step(self, *args))
    return taken


def test_the_loop_follows_the_schedule_of_the_rates(store, tmp_path, monkeypatch):
    factors, scale = [], Descent.scale_rates
    monkeypatch.setattr(Descent, "scale_rates", lambda self, factor: factors.append(factor) or scale(self, factor))
    train(PIX2PIX, "injection", store, tmp_path, preset="tiny", steps=4)
    assert factors == [training.configured(PIX2PIX, "tiny", 4).rate_at(step) for step in range(4)] == [1, 1, 1, 0.5]


def test_another_training_does_not_go_on_from_a_checkpoint(store, tmp_path, monkeypatch):
    stop_after(1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        train(PIX2PIX, "injection", store, tmp_path, preset="tiny", steps=2)
    monkeypatch.undo()
    with pytest.raises(GenerationError, match="checkpoint of another training"):
        train(PIX2PIX, "injection", store, tmp_path, preset="tiny", steps=3)
    train(PIX2PIX, "injection", store, tmp_path, preset="tiny", steps=3, options=Options(restart=True))


def test_nobody_who_is_held_out_is_learned_from(store, weights):
    learned = load(weights).account.provenance.patients
    everybody = set(store.training("injection")[1]["patient_id"].to_pylist())
    assert len(learned) == len(everybody) - 1
    assert set(learned) < everybody


def test_the_equalisation_is_that_of_the_cubes_that_are_learned_from(store):
    lesson = Lesson.of(store, "injection", 0.05)
    _, table = store.training("injection")
    mine = [patient in lesson.patients for patient in table["patient_id"].to_pylist()]
    assert len(lesson.cubes) == sum(mine)
    assert len(lesson.examples) == len(mine) - sum(mine)


def test_mixed_precision_trains_and_keeps_32_bits(store, tmp_path):
    path = train(PIX2PIX, "injection", store, tmp_path, preset="tiny", steps=1, options=Options(precision="bf16"))
    assert {tensor.dtype for tensor in load(path).tensors.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"seed": -1}, "seed must be >= 0, got -1"), ({"look_every": 0}, "look_every must be >= 1, got 0")],
)
def test_options_that_cannot_work_are_refused(wrong, message):
    with pytest.raises(GenerationError, match=message):
        Options(**wrong)


@pytest.mark.parametrize("count", [5, 8, 100])
def test_each_round_sees_each_cube_once(count):
    seen = np.concatenate([batch_indices(step, 8, count, seed=3) for step in range(count)])
    assert all(sorted(turn) == list(range(count)) for turn in seen.reshape(-1, count))


def test_rounds_are_shuffled_anew():
    first, second = batch_indices(0, 50, 50, seed=0), batch_indices(1, 50, 50, seed=0)
    assert first.tolist() != second.tolist()


def test_a_store_without_training_cubes_says_which_are_missing(store, tmp_path):
    chosen = pc.field("kind") == "site"
    table = store.table.filter(chosen)
    sites = np.asarray(store.group["sites"])
    bare = CubeStore.write(tmp_path / "c", sites, np.empty((0, 40, 40, 40), np.int16), table)
    with pytest.raises(GenerationError, match=r"has no training cubes for removal; .* nodules under 8 mm"):
        train(PIX2PIX, "removal", bare, tmp_path / "w", preset="tiny")
    assert not (tmp_path / "w").exists()


def test_an_unknown_preset_names_those_that_are_known(store, tmp_path):
    with pytest.raises(GenerationError, match=r"has no preset 'huge' \(known: paper, tiny\)"):
        train(PIX2PIX, "injection", store, tmp_path, preset="huge")


def test_losses_that_are_not_finite_stop_the_training():
    with pytest.raises(GenerationError, match="diverged at step 7: l1 nan; try another seed"):
        training.finite({"l1": torch.tensor(float("nan"))}, 7)
