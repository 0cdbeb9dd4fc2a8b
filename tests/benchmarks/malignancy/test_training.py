from dataclasses import replace

import pytest
import small_classifier
import torch

from benchmarks.errors import BenchmarkError
from benchmarks.malignancy import Options, Ratings, sites_of, train, training
from benchmarks.malignancy.classifier import PRESETS
from benchmarks.malignancy.training import CHECKPOINT, nodule_loss, rate
from benchmarks.malignancy.weights import FILE

OPTIONS = Options(preset=small_classifier.NAME, workers=0, steps=4)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    small_classifier.add(monkeypatch)


@pytest.fixture(scope="module")
def sites(nodules):
    return sites_of(nodules, ["train"])


def test_the_account_says_whose_nodules_were_learned_from(nodules, learned):
    origin = learned[0].account.provenance

    assert origin.patients == tuple(f"PHANTOM-000{number}" for number in range(1, 6))
    assert (origin.malignant, origin.benign) == (5, 5)
    assert origin.release_digest == nodules.manifest.digest
    assert origin.source == "phantom"


def test_a_patient_whose_nodules_are_all_left_out_has_not_been_learned_from(nodules, sites, tmp_path):
    unclear = [replace(site, rating=3.0) if site.patient_id == "PHANTOM-0002" else site for site in sites]
    unclear = [replace(site, nodule=(site.nodule, site.rating)) for site in unclear]

    found = train(nodules, unclear, tmp_path, OPTIONS)

    assert "PHANTOM-0002" not in found.account.provenance.patients


def test_the_same_training_gives_the_same_weights_however_many_read(nodules, sites, tmp_path):
    train(nodules, sites, tmp_path / "alone", OPTIONS)
    train(nodules, sites, tmp_path / "helped", replace(OPTIONS, workers=1))
    train(nodules, sites, tmp_path / "other", replace(OPTIONS, seed=1))
    files = [(tmp_path / name / FILE).read_bytes() for name in ("alone", "helped", "other")]

    assert files[0] == files[1]
    assert files[0] != files[2]


def test_what_is_trained_already_is_read_and_not_trained_again(nodules, sites, tmp_path, monkeypatch):
    first = train(nodules, sites, tmp_path, OPTIONS)
    monkeypatch.setattr(training, "Training", None)
    again = train(nodules, sites, tmp_path, OPTIONS)

    assert torch.equal(again.state_dict()["head.1.weight"], first.state_dict()["head.1.weight"])
    with pytest.raises(TypeError):
        train(nodules, sites, tmp_path, replace(OPTIONS, ratings=Ratings(4.2, 2)))


def test_a_stopped_training_goes_on_and_ends_with_the_same_weights(nodules, sites, tmp_path, monkeypatch):
    train(nodules, sites, tmp_path / "whole", OPTIONS)
    with pytest.MonkeyPatch.context() as stopped:
        step = training.Training._step

        def stop_after_two(self, batch, number):
            if number == 2:
                raise KeyboardInterrupt
            return step(self, batch, number)

        stopped.setattr(training, "SAVE_SECONDS", -1)
        stopped.setattr(training.Training, "_step", stop_after_two)
        with pytest.raises(KeyboardInterrupt):
            train(nodules, sites, tmp_path / "parts", OPTIONS)
    assert (tmp_path / "parts" / CHECKPOINT).is_file()

    done = []
    monkeypatch.setattr(
        training.Training, "_step", lambda self, batch, number: done.append(number) or step(self, batch, number)
    )
    train(nodules, sites, tmp_path / "parts", OPTIONS)

    assert done == [2, 3]
    assert (tmp_path / "parts" / FILE).read_bytes() == (tmp_path / "whole" / FILE).read_bytes()
    assert not (tmp_path / "parts" / CHECKPOINT).exists()


def test_a_file_is_no_folder_for_weights(nodules, sites, tmp_path):
    (tmp_path / "file").write_text("something else")
    with pytest.raises(BenchmarkError, match="is no folder"):
        train(nodules, sites, tmp_path / "file", OPTIONS)


def test_there_is_no_other_preset():
    with pytest.raises(BenchmarkError, match=r"no preset 'huge'; there are paper, tiny"):
        Options(preset="huge").config()


def test_the_published_rate_falls_to_a_tenth_three_times():
    paper = replace(PRESETS["paper"], steps=160)

    assert [round(rate(paper, step), 6) for step in (0, 49, 50, 100, 140, 159)] == [0.01, 0.01, 1e-3, 1e-4, 1e-5, 1e-5]


def test_the_rate_of_tiny_falls_to_nothing():
    tiny = PRESETS["tiny"]

    assert rate(tiny, 0) == tiny.lr
    assert rate(tiny, tiny.steps // 2) == pytest.approx(tiny.lr / 2)
    assert rate(tiny, tiny.steps) == pytest.approx(0)


def test_both_kinds_weigh_the_same():
    logits = torch.tensor([2.0, -1.0, 0.5])
    of_malignant = torch.nn.functional.softplus(-logits[:1]).mean()
    of_benign = torch.nn.functional.softplus(logits[1:]).mean()

    assert torch.isclose(nodule_loss(logits, torch.tensor([1.0, 0.0, 0.0])), (of_malignant + of_benign) / 2)
    assert torch.isclose(nodule_loss(logits[1:], torch.tensor([0.0, 0.0])), of_benign)
