import json
import os
import signal

import pytest
import torch
from safetensors.torch import load_file

from benchmarks.errors import BenchmarkError
from benchmarks.run_folder import load_network, read_account
from benchmarks.training import Options, Training, train
from m3dsynth_dataset import open_release

SMALL = "small_networks:SliceNetwork"


@pytest.fixture(scope="module")
def release(learnable_release):
    return open_release(learnable_release)


def trained(release, out, **options):
    return train(SMALL, release, ["pix2pix-injection"], out, preset="tiny", options=Options(workers=0, **options))


def test_a_run_folder_holds_weights_config_events_and_curves(release, tmp_path):
    run = trained(release, tmp_path / "run")

    assert {path.name for path in run.iterdir()} >= {"weights.safetensors", "config.json", "course.json", "curves.png"}
    assert list(run.glob("events.out.tfevents*"))
    assert not (run / "checkpoint.pt").exists()
    account = read_account(run)
    assert account.train_on == ("pix2pix-injection",)
    assert account.release_digest == release.manifest.digest
    assert set(account.selection) == {"Pd@1%", "F1"}
    assert set(json.loads((run / "course.json").read_text())) == {"loss", "waiting for slabs", "Pd@1%", "F1"}


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(release, tmp_path):
    first, again, other = (
        load_file(trained(release, tmp_path / str(number), seed=seed) / "weights.safetensors")
        for number, seed in enumerate((0, 0, 1))
    )

    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("step", [1, 7])
def test_a_training_that_was_stopped_ends_as_if_it_had_not_been(release, tmp_path, monkeypatch, step):
    whole = load_file(trained(release, tmp_path / "whole") / "weights.safetensors")
    took = Training._step

    def stopping(self, model, optimizer, slabs, number):
        if number == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return took(self, model, optimizer, slabs, number)

    monkeypatch.setattr(Training, "_step", stopping)
    with pytest.raises(KeyboardInterrupt):
        trained(release, tmp_path / "run")
    assert (tmp_path / "run" / "checkpoint.pt").is_file()
    monkeypatch.setattr(Training, "_step", took)

    resumed = load_file(trained(release, tmp_path / "run") / "weights.safetensors")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_checkpoint_of_another_training_is_not_taken(release, tmp_path, monkeypatch):
    monkeypatch.setattr(Training, "_keep", lambda self: self._save(3))
    trained(release, tmp_path / "run")

    with pytest.raises(BenchmarkError, match=r"another training .*seed"):
        trained(release, tmp_path / "run", seed=5)


def test_the_weights_that_did_best_on_validation_are_kept(release, tmp_path, monkeypatch):
    looks = iter([0.2, 0.9, 0.4, 0.1, 0.0, 0.0, 0.0])
    seen = []

    def judged(self, network, device, batch):
        seen.append({name: value.clone() for name, value in network.state_dict().items()})
        return {"Pd@1%": next(looks)}

    monkeypatch.setattr("benchmarks.validation.Validation.__call__", judged)
    kept = load_network(trained(release, tmp_path / "run")).state_dict()

    assert all(torch.equal(kept[name], seen[1][name]) for name in kept)
    assert read_account(tmp_path / "run").selection == {"Pd@1%": 0.9}


def test_weights_from_before_everything_has_begun_to_learn_are_not_kept(release, tmp_path, monkeypatch):
    looks = iter([0.9, 0.8, 0.1, 0.3, 0.2, 0.0, 0.0])
    monkeypatch.setattr("benchmarks.validation.Validation.__call__", lambda *_: {"Pd@1%": next(looks)})
    monkeypatch.setattr("small_networks.SliceNetwork.is_ready", lambda self, progress: progress > 0.5)
    trained(release, tmp_path / "run")

    assert read_account(tmp_path / "run").selection == {"Pd@1%": 0.3}


def test_it_learns(release, tmp_path):
    run = trained(release, tmp_path / "run", steps=80)
    losses = list(json.loads((run / "course.json").read_text())["loss"].values())

    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(
    ("word", "configs", "preset", "message"),
    [
        ("hp-fnc", ["pix2pix-injection"], "tiny", "did you mean 'hp-fcn'"),
        ("nothing.there:Net", ["pix2pix-injection"], "tiny", "cannot be imported"),
        ("json:dumps", ["pix2pix-injection"], "tiny", "no class that extends"),
        (SMALL, ["pix2pix-injection"], "huge", "no preset 'huge'; it has tiny"),
        (SMALL, ["dm-injection"], "tiny", "no rows of 'dm-injection' in train and validation"),
    ],
)
def test_what_cannot_be_trained_is_said(release, tmp_path, word, configs, preset, message):
    with pytest.raises(BenchmarkError, match=message):
        train(word, release, configs, tmp_path / "run", preset=preset, options=Options(workers=0))


def test_a_folder_without_a_training_is_said(tmp_path):
    with pytest.raises(BenchmarkError, match="no trained detector there"):
        load_network(tmp_path)


def test_weights_of_another_network_are_said(release, tmp_path):
    run = trained(release, tmp_path / "run")
    account = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(account | {"config": account["config"] | {"width": 9}}))

    with pytest.raises(BenchmarkError, match="not the weights of small_networks:SliceNetwork"):
        load_network(run)
