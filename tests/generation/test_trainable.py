import numpy as np
import pytest
import torch

from generation.equalisation import Equalisation
from generation.errors import GenerationError
from generation.filling import fill
from generation.pix2pix import Pix2PixConfig
from generation.trainable import Config
from generation.zoo import load_inpainter, trainable

TRAINED = ["pix2pix", "cyclegan", "dm"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps must be >= 1, got 0"),
        ({"batch": 0}, "batch must be >= 1, got 0"),
        ({"decay": 2.0}, "decay must be a share"),
        ({"held_out": 1.0}, "held_out must be a share"),
    ],
)
def test_a_config_that_cannot_work_is_refused(wrong, message):
    with pytest.raises(GenerationError, match=message):
        Config(**{"steps": 1, "batch": 1} | wrong)


def test_rates_fall_to_zero_over_the_last_share_of_the_steps():
    rates = [Config(steps=4, batch=1, decay=0.5).rate_at(step) for step in range(5)]
    assert rates == [1, 1, 1, 0.5, 0]
    assert Config(steps=4, batch=1).rate_at(3) == 1


def test_a_config_survives_json():
    config = Pix2PixConfig(stages=(1, 2))
    assert Pix2PixConfig.from_json({"stages": [1, 2]}) == config
    with pytest.raises(TypeError):
        Pix2PixConfig.from_json({"colour": "red"})


@pytest.mark.parametrize("name", TRAINED)
def test_all_of_a_learner_that_outlives_a_step_is_in_its_state(name):
    model = trainable(name)
    learner = model.learner(model.presets["tiny"])
    kept = set(learner.network().state_dict())
    assert kept
    assert set(model.blank(model.presets["tiny"]).state_dict()) == kept


@pytest.mark.parametrize("name", TRAINED)
def test_16_bits_and_channels_last_change_little(store, name):
    model = trainable(name)
    config = model.presets["tiny"]
    torch.manual_seed(0)
    inpainter = model(model.blank(config), config, Equalisation.linear())
    for parameter in inpainter.network.parameters():
        torch.nn.init.normal_(parameter, 0, 0.05)  # a fresh diffusion model says nothing
    cubes = store.sites("injection")[0][:2]
    before = fill(inpainter, cubes, [1, 2])
    inpainter.accelerate(compiled=False)
    after = fill(inpainter, cubes, [1, 2])
    assert not np.array_equal(before, after)
    assert np.abs(before.astype(int) - after).mean() < 10


def test_a_folder_of_pretrained_weights_needs_no_network(weights, store):
    model = trainable("pix2pix").from_pretrained(weights.parent, manipulation="injection")
    cubes, table = store.sites("injection")
    seeds = table["seed"].to_pylist()
    assert np.array_equal(fill(model, cubes, seeds), fill(load_inpainter(weights), cubes, seeds))


def test_what_is_saved_comes_back(weights, tmp_path):
    first = load_inpainter(weights)
    first.save_pretrained(tmp_path)
    again = trainable("pix2pix").from_pretrained(tmp_path, manipulation="injection")
    assert (tmp_path / "pix2pix-injection.safetensors").read_bytes() == weights.read_bytes()
    assert again.weights_sha256 == first.weights_sha256
    assert "paper: arxiv" not in (tmp_path / "README.md").read_text()
    assert "M3Dsynth" in (tmp_path / "README.md").read_text()


def test_pushing_uploads_weights_config_and_card(weights, monkeypatch):
    sent = {}

    class Hub:
        def __init__(self, token=None):
            pass

        def create_repo(self, repo_id, **options):
            return type("Repository", (), {"repo_id": repo_id})

        def upload_folder(self, *, repo_id, folder_path, **options):
            sent[repo_id] = sorted(path.name for path in folder_path.iterdir())
            return "commit"

    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", Hub)
    assert load_inpainter(weights).push_to_hub("org/inpainters") == "commit"
    assert sent == {"org/inpainters": ["README.md", "config.json", "pix2pix-injection.safetensors"]}


def test_weights_on_the_hub_are_asked_for_by_file(weights, monkeypatch):
    asked = []

    def download(repository, name, **options):
        asked.append((repository, name, options["revision"]))
        return str(weights)

    monkeypatch.setattr("huggingface_hub.hub_mixin.hf_hub_download", lambda **options: None)
    monkeypatch.setattr("generation.trainable.hf_hub_download", download)
    monkeypatch.setattr("huggingface_hub.hub_mixin.constants.CONFIG_NAME", "config.json")
    model = trainable("pix2pix")._from_pretrained(
        model_id="org/inpainters",
        revision="v1",
        cache_dir=None,
        force_download=False,
        local_files_only=False,
        token=None,
        manipulation="injection",
    )
    assert asked == [("org/inpainters", "pix2pix-injection.safetensors", "v1")]
    assert model.account.manipulation == "injection"


def test_an_inpainter_that_knows_no_origin_cannot_be_saved(weights, tmp_path):
    model = load_inpainter(weights)
    model.account = None
    with pytest.raises(GenerationError, match="does not know what it has learned from"):
        model.save_pretrained(tmp_path)
