from dataclasses import replace

import pytest
import torch

from generation.cyclegan import PRESETS, CycleGan, CycleGanConfig, CycleGanLearner, Discriminator, Generator
from generation.descent import Descent
from generation.equalisation import Equalisation
from generation.errors import GenerationError
from generation.processes import Processes

SMALL = replace(PRESETS["tiny"], width=4, blocks=1, steps=4, batch=2)


def millions(network):
    return sum(parameter.numel() for parameter in network.parameters()) / 1e6


def cubes(count=2):
    return torch.rand((count, 1, 32, 32, 32), generator=torch.Generator().manual_seed(0)) - 0.5


def learner(**changes):
    torch.manual_seed(0)
    return CycleGanLearner(replace(SMALL, **changes))


def step_of(learner):
    rng = torch.Generator().manual_seed(1)
    return learner.training_step(cubes(), Descent(learner.optimizers(), Processes("cpu")), rng=rng)


def test_the_paper_preset_has_the_size_of_the_public_recipe():
    with torch.device("meta"):
        generator, discriminator = Generator(PRESETS["paper"]), Discriminator(PRESETS["paper"])
    second_channel = 64 * 7**3 / 1e6  # that tells which voxels are hidden; the public generator has one
    assert millions(generator) - second_channel == pytest.approx(34.11, abs=0.005)
    assert millions(discriminator) == pytest.approx(11.05, abs=0.005)


def test_the_discriminator_judges_a_map_of_2_by_2_by_2():
    with torch.device("meta"):
        logits = Discriminator(PRESETS["paper"])(torch.empty(2, 1, 32, 32, 32))
    assert logits.shape == (2, 1, 2, 2, 2)


def test_the_generator_sees_nothing_of_the_core():
    model = learner()
    other = torch.where(model.hidden, torch.zeros(()), cubes())
    assert torch.equal(model.generator.filled(cubes(), model.hidden), model.generator.filled(other, model.hidden))


def test_the_generator_is_told_what_is_hidden():
    model = learner()
    blank = cubes().masked_fill(model.hidden, 0)
    told, untold = (model.generator.filled(blank, mask) for mask in (model.hidden, model.nothing))
    assert not torch.allclose(told, untold)


def test_the_discriminator_sees_the_composite():
    model, seen = learner(), []
    model.discriminator.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    step_of(model)
    for shown in seen:
        assert torch.equal(shown[:, :, ~model.hidden], cubes()[:, :, ~model.hidden])
    composite, real, again = seen
    assert torch.equal(real, cubes())
    assert torch.equal(composite, again)
    assert not torch.allclose(composite[:, :, model.hidden], cubes()[:, :, model.hidden])


def test_the_core_is_asked_for_by_the_discriminator_alone():
    """No distance to the true core may reach the generator: the domains are not paired."""
    model = learner(cycle_weight=0.0, identity_weight=0.0)
    hidden = model.hidden
    truth = cubes()
    other = torch.where(hidden, truth.flip(-1), truth)
    losses = []
    for batch in (truth, other):
        model = learner()
        rng = torch.Generator().manual_seed(1)
        found = model.training_step(batch, Descent(model.optimizers(), Processes("cpu")), rng=rng)
        losses.append(found)
    assert torch.equal(losses[0]["ring"], losses[1]["ring"])
    assert torch.equal(losses[0]["adversarial"], losses[1]["adversarial"])


def test_a_step_moves_both_networks():
    model = learner()
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    step_of(model)
    still = {name for name, tensor in model.named_parameters() if torch.equal(tensor, before[name])}
    assert not [name for name in still if name.endswith("weight")]


def test_nothing_hidden_is_the_identity_it_learns():
    model = learner(identity_weight=100.0, cycle_weight=0.0, lr=5e-3)
    descend = Descent(model.optimizers(), Processes("cpu"))
    rng = torch.Generator().manual_seed(1)
    losses = [model.training_step(cubes(), descend, rng=rng)["identity"].item() for _ in range(30)]
    assert losses[-1] < 0.97 * losses[0]


def test_norms_keep_no_statistics():
    norms = [module for module in Generator(SMALL).modules() if isinstance(module, torch.nn.InstanceNorm3d)]
    assert len(norms) == 7
    assert not any(norm.track_running_stats or norm.affine for norm in norms)


def test_answers_stay_within_the_training_cubes():
    equalisation = Equalisation.linear()
    model = CycleGan(Generator(SMALL), SMALL, equalisation)
    torch.nn.init.constant_(model.network[-2].bias, 9)
    assert model.inpaint(torch.zeros(1, 1, 32, 32, 32), [0]).max() == equalisation.range[1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"blocks": 0}, "blocks must be >= 1, got 0"),
        ({"kernel": 4}, "kernel must be odd, got 4"),
        ({"pool": 3}, "pool must hold at least two batches of 2, got 3"),
    ],
)
def test_a_config_that_cannot_work_is_refused(wrong, message):
    with pytest.raises(GenerationError, match=message):
        CycleGanConfig(**wrong)
