from dataclasses import replace

import pytest
import torch
from tampered_slabs import f1, learned, mixed_batch, pristine_batch
from transformers import SegformerConfig, SegformerModel

from benchmarks.detectors.noiseprint_training import PRESETS as NOISEPRINT_PRESETS
from benchmarks.detectors.noiseprint_training import NoiseprintRecipe
from benchmarks.detectors.trufor import TruFor
from benchmarks.detectors.trufor_loss import confidence_loss
from m3dsynth_dataset.release import open_release

PHASES = {"localisation": 0.0, "detection": 0.99}
TINY = TruFor.presets["tiny"]


def tiny(phase="localisation", **other):
    torch.manual_seed(0)
    network = TruFor(replace(TINY, **other))
    network.at(PHASES[phase])
    return network


def millions(module):
    return sum(tensor.numel() for tensor in module.parameters()) / 1e6


def gradients(network, hu, mask):
    """By the name of a part: whether its parameters have all a gradient that is finite (True) or none (False)."""
    loss = network.train().loss(network(hu), mask)
    assert loss.isfinite()
    loss.backward()
    found = {}
    for name, part in network.named_children():
        has = {tensor.grad is not None and bool(tensor.grad.isfinite().all()) for tensor in part.parameters()}
        assert len(has) == 1, name
        found[name] = has.pop()
    return found


def test_the_paper_preset_has_the_published_number_of_parameters():
    with torch.device("meta"):
        network = TruFor(TruFor.presets["paper"])
    branches = network.branches
    assert millions(branches.image) + millions(branches.noise) == pytest.approx(48.39, abs=0.005)
    assert millions(branches.rectify) + millions(branches.fuse) == pytest.approx(16.59, abs=0.005)
    assert millions(network.map) == pytest.approx(1.58, abs=0.005)
    assert millions(network.confidence) == pytest.approx(1.58, abs=0.005)
    assert millions(network.noiseprint) == pytest.approx(0.557, abs=0.0005)
    assert sum(tensor.numel() for tensor in network.parameters()) == 68_696_397


def test_the_paper_preset_has_the_published_rates():
    paper = TruFor.presets["paper"]
    assert (paper.lr, paper.weight_decay, paper.batch, paper.crop, paper.tampered) == (5e-3, 5e-4, 18, 512, 0.7)
    optimizer = tiny(optimiser="sgd", weight_decay=5e-4).optimizer()
    assert isinstance(optimizer, torch.optim.SGD)
    assert {(group["momentum"], group["weight_decay"]) for group in optimizer.param_groups} == {(0.9, 5e-4), (0.9, 0)}


def test_norms_and_biases_do_not_decay_and_the_extractor_is_not_learned():
    network = tiny()
    decaying, others = network.optimizer().param_groups
    ids = {id(tensor) for tensor in decaying["params"]}
    norms = [m for m in network.modules() if isinstance(m, torch.nn.LayerNorm | torch.nn.BatchNorm2d)]
    spared = [tensor for module in norms for tensor in module.parameters()]
    spared += [tensor for name, tensor in network.named_parameters() if name.endswith("bias")]
    assert not ids & {id(tensor) for tensor in spared}
    taught = ids | {id(tensor) for tensor in others["params"]}
    assert not taught & {id(tensor) for tensor in network.noiseprint.parameters()}
    left = {id(tensor) for name, tensor in network.named_parameters() if not name.startswith("noiseprint")}
    assert taught == left


def test_every_weight_of_a_new_network_is_set():
    torch.use_deterministic_algorithms(True)  # memory that nobody has set is then NaN
    try:
        network = TruFor(TINY)
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(parameter.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("phase", PHASES)
def test_slices_of_odd_sides_get_maps_of_their_size_and_scores(phase):
    hu, _ = mixed_batch(height=70, width=90)
    answer = tiny(phase).eval()(hu[:2])
    assert answer.map.shape == answer.extra["confidence"].shape == (2, 1, 70, 90)
    assert answer.score.shape == (2,)


def test_slices_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="at least 29 x 29 pixels, got 28 x 40"):
        tiny()(torch.zeros(1, 1, 28, 40))
    tiny().eval()(torch.zeros(1, 1, 29, 29))


@pytest.mark.parametrize("batch", [mixed_batch, pristine_batch])
@pytest.mark.parametrize(
    ("phase", "taught"), [("localisation", {"branches", "map"}), ("detection", {"confidence", "detector"})]
)
def test_a_phase_teaches_its_parts_and_no_others(batch, phase, taught):
    found = gradients(tiny(phase), *batch())
    assert {name for name, has in found.items() if has} == taught


def test_a_step_of_the_second_phase_changes_nothing_of_the_first():
    network = tiny("detection").train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    learned(network, 2, **batch_of())
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert {name.partition(".")[0] for name in changed} == {"confidence", "detector"}
    assert any("running_mean" in name for name in changed)


def test_the_first_phase_changes_nothing_of_the_second_nor_of_the_noise():
    network = tiny().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    learned(network, 2, **batch_of())
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert {name.partition(".")[0] for name in changed} == {"branches", "map"}


def batch_of():
    hu, mask = mixed_batch()
    return {"hu": hu, "mask": mask}


def test_the_score_is_the_maximum_of_the_map_until_there_is_a_detector():
    hu, _ = mixed_batch()
    network = tiny().eval()
    answer = network(hu)
    assert torch.equal(answer.score, answer.map.amax(dim=(1, 2, 3)))
    network.at(0.9)
    assert not torch.equal(network(hu).score, answer.score)
    assert torch.equal(network(hu).map, answer.map)


def test_weights_remember_whether_there_is_a_detector():
    hu, _ = mixed_batch()
    trained, loaded = tiny("detection").eval(), TruFor(TINY).eval()
    loaded.load_state_dict(trained.state_dict())
    assert torch.equal(loaded(hu).score, trained(hu).score)


def test_noise_of_the_slice_reaches_the_map_through_the_extractor():
    hu, _ = mixed_batch()
    network = tiny().eval()
    before = network(hu).map
    for tensor in network.noiseprint.parameters():
        tensor.mul_(0)
    assert not torch.allclose(network(hu).map, before, atol=1e-4)


def test_what_was_rectified_is_what_the_next_stage_sees():
    network, hu = tiny().eval(), mixed_batch()[0]
    seen = []
    network.branches.noise.stages[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network.branches.rectify[0].register_forward_hook(lambda *hooked: seen.append(hooked[2][1]))
    network(hu)
    assert torch.equal(*seen)


def test_places_without_confidence_do_not_count_in_the_score():
    network = tiny().eval()
    difference, confidence = torch.full((1, 1, 8, 8), -3.0), torch.full((1, 1, 8, 8), 4.0)
    confidence[..., 2, 2] = -60
    loud = difference.clone()
    loud[..., 2, 2] = 9
    quiet, other = network._detected(confidence, difference), network._detected(confidence, loud)
    assert torch.allclose(quiet, other, atol=1e-4)
    sure = torch.full_like(confidence, 4.0)
    assert not torch.allclose(network._detected(sure, difference), network._detected(sure, loud), atol=1e-4)


def test_the_rate_falls_to_zero_in_each_phase():
    network = tiny(localisation=0.5)
    assert [network.learning_rate(at) for at in (0, 0.25, 0.5, 0.75)] == pytest.approx([1, 0.5**0.9, 1, 0.5**0.9])
    assert network.learning_rate(0.4999) < 0.01
    assert network.learning_rate(1) == 0


def test_tiny_finds_the_place_then_how_sure_it_is_and_whether_there_is_any():
    hu, mask = mixed_batch()
    network = tiny()
    losses = learned(network, 40, hu=hu, mask=mask)
    assert losses[-1] < 0.4 < 0.7 < losses[0]  # of which 0.35 is the Dice loss of the pristine half
    assert f1(network.eval()(hu).map[:2], mask[:2]) > 0.8
    network.at(0.99)
    losses = learned(network, 30, hu=hu, mask=mask)
    assert losses[-1] < 0.5 * losses[0]
    answer = network.eval()(hu)
    assert (answer.score[:2] > 0).all()
    assert (answer.score[2:] < 0).all()
    assert confidence_loss(answer.extra["confidence"], answer.map, mask.float()) < 0.05


def test_what_comes_before_the_first_step(release_path, tmp_path, monkeypatch):
    recipe = NoiseprintRecipe(steps=2, patch=16, series=1, places=2, histories=2, views=2, gap=1, lr=1e-3)
    monkeypatch.setitem(NOISEPRINT_PRESETS, "tiny", recipe)
    sizes = {"hidden_sizes": list(TINY.widths), "depths": list(TINY.depths), "num_attention_heads": list(TINY.heads)}
    model = SegformerModel(SegformerConfig(**sizes))
    model.save_pretrained(tmp_path)
    network = tiny(backbone=str(tmp_path)).train()
    before = network.noiseprint.layers[0].weight.clone()
    network.prepare(open_release(release_path), seed=0)
    assert not torch.equal(network.noiseprint.layers[0].weight, before)
    assert not network.noiseprint.training
    assert not any(tensor.requires_grad for tensor in network.noiseprint.parameters())
    wanted = model.stages[2].patch_embeddings.proj.weight
    for branch in (network.branches.image, network.branches.noise):
        assert torch.equal(branch.stages[2].patch_embeddings.proj.weight, wanted)


def test_it_is_not_ready_before_its_detection_head_has_learned():
    network = tiny()
    assert not network.is_ready(network.config.localisation)
    assert network.is_ready(network.config.localisation + 0.01)
