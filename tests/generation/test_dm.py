from dataclasses import replace

import pytest
import torch

from generation.descent import Descent
from generation.dm import PRESETS, Ddim50, Dm, DmConfig, DmLearner, DpmPp20
from generation.equalisation import Equalisation
from generation.errors import GenerationError
from generation.processes import Processes

SMALL = replace(PRESETS["tiny"], channels=(8, 8), attention=(False, False), groups=4, head=8, steps=4)


def learner(**changes):
    torch.manual_seed(0)
    return DmLearner(replace(SMALL, **changes))


def cubes(count=2):
    return torch.rand((count, 1, 32, 32, 32), generator=torch.Generator().manual_seed(0)) - 0.5


def step_of(model):
    rng = torch.Generator().manual_seed(1)
    return model.training_step(cubes(), Descent(model.optimizers(), Processes("cpu")), rng=rng)


def inpainter(kind=Dm, **changes):
    torch.manual_seed(0)
    config = replace(SMALL, **changes)
    return kind(config.denoiser(), config, Equalisation.linear())


def test_the_paper_preset_has_69_9_million_parameters():
    assert sum(each.numel() for each in PRESETS["paper"].denoiser().parameters()) / 1e6 == pytest.approx(
        69.90, abs=0.01
    )


def test_the_paper_preset_visits_all_2000_levels_as_published():
    paper = PRESETS["paper"]
    assert (paper.levels, paper.sampling, paper.preconditioned, paper.window, paper.block) == (
        2000,
        "ancestral",
        False,
        32,
        1,
    )


def test_the_denoiser_sees_nothing_of_the_core_but_in_noise():
    model, seen = learner(), []
    model.denoiser.register_forward_pre_hook(lambda module, inputs: seen.append(inputs))
    step_of(model)
    noisy, masked, level = seen[0]
    assert not masked[:, :, model.hidden].any()
    assert torch.equal(masked[:, :, ~model.hidden], 2 * cubes()[:, :, ~model.hidden])
    assert ((level >= 1) & (level <= 2000)).all()
    assert not torch.allclose(noisy, 2 * cubes(), atol=0.01)


def test_the_averaged_weights_follow_slowly_and_are_the_ones_that_are_kept():
    model = learner(ema=0.9)
    descend, rng = Descent(model.optimizers(), Processes("cpu")), torch.Generator().manual_seed(1)
    model.training_step(cubes(), descend, rng=rng)  # the first step copies
    start = {name: tensor.clone() for name, tensor in model.network().state_dict().items()}
    model.training_step(cubes(), descend, rng=rng)
    for name, tensor in model.denoiser.state_dict().items():
        expected = 0.9 * start[name] + 0.1 * tensor
        assert torch.allclose(model.network().state_dict()[name], expected, atol=1e-6)


def test_a_gradient_is_clipped():
    model = learner(clip=1e-3)
    step_of(model)
    norm = torch.stack([each.grad.norm() for each in model.denoiser.parameters() if each.grad is not None]).norm()
    assert norm.item() == pytest.approx(1e-3, rel=0.01)


def test_the_loss_counts_the_window_alone():
    model = learner(window=24)
    model.denoiser.forward = lambda noisy, masked, level: torch.where(model.denoised, 0, 1e6).expand_as(noisy)
    assert step_loss(model).item() < 1e3


def step_loss(model):
    with torch.no_grad():
        return model._loss(model.denoiser, cubes(), torch.tensor([5, 900]), torch.Generator().manual_seed(0))


def test_validation_is_the_same_every_time():
    model = learner()
    first, second = (model.validation_loss(cubes(), rng=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)


def test_the_same_seed_gives_the_same_cube_and_another_seed_another():
    model = inpainter()
    one, two, other = model.inpaint(cubes(3)[[0, 0, 0]], [7, 7, 8])
    assert torch.equal(one, two)
    assert not torch.allclose(one, other)


@pytest.mark.parametrize(
    ("kind", "changes", "calls"),
    [
        (Dm, {"sampling": "ancestral", "levels": 60}, 60),
        (Dm, {"sampling": "ddim50"}, 50),
        (Ddim50, {"sampling": "ancestral"}, 50),
        (DpmPp20, {}, 20),
    ],
)
def test_each_generator_asks_the_network_as_often_as_its_name_says(kind, changes, calls):
    model, seen = inpainter(kind, **changes), []
    model.network.register_forward_hook(lambda module, inputs, output: seen.append(inputs[2][0].item()))
    model.inpaint(cubes(1), [0])
    assert len(seen) == calls
    assert seen[0] == model.config.levels
    assert seen == sorted(seen, reverse=True)


def test_answers_stay_within_the_training_cubes():
    low, high = Equalisation.linear().range
    answer = inpainter().inpaint(cubes(1), [0])
    assert low <= answer.min()
    assert answer.max() <= high


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"channels": (8,)}, "channels and attention must have one entry per halving, got 1 and 4"),
        ({"levels": 49}, "levels must be >= 50, got 49"),
        ({"ema": 1.0}, "ema must be 0 to below 1, got 1.0"),
    ],
)
def test_a_config_that_cannot_work_is_refused(wrong, message):
    with pytest.raises(GenerationError, match=message):
        DmConfig(**wrong)
