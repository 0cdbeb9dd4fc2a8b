import pytest
import small_classifier
import torch
from nodule_release import PLACES

from benchmarks.errors import BenchmarkError
from benchmarks.malignancy import MalignancyClassifier, sites_of
from benchmarks.malignancy import classifier as classifier_module
from benchmarks.malignancy.classifier import PRESETS, Config, opened
from benchmarks.malignancy.crop import cut
from benchmarks.malignancy.weights import FILE


def inputs(count=2, side=16, seed=0):
    source = torch.Generator().manual_seed(seed)
    hu = -600 + 300 * torch.randn(count, side, side, side, generator=source)
    return hu, torch.rand(count, 3, side // 4, side // 4, side // 4, generator=source) - 0.5


def test_only_the_middle_of_the_features_counts():
    torch.manual_seed(0)
    classifier = MalignancyClassifier(small_classifier.SMALL).eval()
    cells = torch.zeros(1, 16, 4, 4, 4)
    cells[0, 0, 2, 1, 2], cells[0, 1, 0, 0, 0] = 7.0, 9.0
    classifier.net.forward = lambda x, locations: cells

    found = classifier.features(*inputs(1))

    assert found.shape == (1, 16)
    assert found[0, 0] == 7
    assert found[0, 1] == 0


def test_what_lies_beyond_the_window_makes_no_difference():
    torch.manual_seed(0)
    classifier = MalignancyClassifier(small_classifier.SMALL).eval()
    hu, locations = inputs()
    with torch.no_grad():
        assert torch.equal(classifier(hu.clamp(-1200, 600), locations), classifier(hu, locations))
        assert not torch.equal(classifier(hu.clamp(-700, 600), locations), classifier(hu, locations))


def test_every_parameter_learns_from_nodules_and_cases():
    torch.manual_seed(0)
    classifier = MalignancyClassifier(small_classifier.SMALL).train()
    with torch.no_grad():
        classifier.leak.fill_(-1.0)
    logits = classifier(*inputs(4))
    (logits.sum() + classifier.log_benign(logits, torch.tensor([0, 0, 1, 1]), 2).sum()).backward()

    assert [name for name, tensor in classifier.named_parameters() if tensor.grad is None] == []


def test_a_large_nodule_looks_malignant_and_a_small_one_and_lung_do_not(nodules, learned):
    classifier, _ = learned
    site = next(site for site in sites_of(nodules, ["test"]) if site.manipulation == "removal")
    ct = site.anyone(nodules).pristine

    def score(centre):
        hu, locations = cut(ct, centre, site.spacing_mm, classifier.config.side, classifier.config.voxel_mm)
        with torch.no_grad():
            return classifier(hu[None], locations[None]).sigmoid().item()

    assert score(PLACES["removal"]) > 0.5
    assert score(PLACES["injection"]) < 0.5
    assert score((18, 22, 58)) < 0.5


def test_weights_come_back_from_a_folder_and_from_their_file(learned):
    classifier, folder = learned
    hu, locations = inputs()
    with torch.no_grad():
        said = classifier(hu, locations)
        for again in (MalignancyClassifier.from_pretrained(folder), opened(str(folder)), opened(str(folder / FILE))):
            assert torch.equal(again(hu, locations), said)
            assert again.account == classifier.account


def test_a_saved_classifier_can_be_read_by_others_without_a_pickle(learned, tmp_path):
    classifier, _ = learned
    classifier.save_pretrained(tmp_path)

    assert MalignancyClassifier.from_pretrained(tmp_path).account == classifier.account
    assert "Not for diagnosis" in (tmp_path / "README.md").read_text()
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json", ".md"}


def test_a_classifier_comes_from_the_hub(learned, monkeypatch):
    classifier, folder = learned
    asked = []
    monkeypatch.setattr(
        classifier_module, "hf_hub_download", lambda *names, **_: asked.append(names) or str(folder / FILE)
    )

    monkeypatch.setattr("huggingface_hub.hub_mixin.hf_hub_download", lambda **_: str(folder / "config.json"))

    assert opened("org/malignancy").account == classifier.account
    assert asked == [("org/malignancy", FILE)]


def test_a_classifier_that_has_learned_nothing_is_not_saved(tmp_path):
    with pytest.raises(BenchmarkError, match="cannot be saved"):
        MalignancyClassifier(small_classifier.SMALL).save_pretrained(tmp_path)


@pytest.mark.parametrize("word", ["nowhere/to/be/found", "org/nothing"])
def test_a_classifier_that_is_not_there_is_an_error_with_its_name(word):
    with pytest.raises(BenchmarkError, match=word):
        opened(word)


def test_a_cube_must_fit_the_networks_levels():
    sizes = vars(PRESETS["tiny"])
    with pytest.raises(BenchmarkError, match="multiple of 16 voxels, got 40"):
        Config(**sizes | {"side": 40})
    with pytest.raises(BenchmarkError, match="at least 1 step"):
        Config(**sizes | {"steps": 0})
