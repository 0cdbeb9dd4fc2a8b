import pytest
import torch
from torch.nn import functional

from generation.descent import Descent
from generation.equalisation import Equalisation
from generation.errors import GenerationError
from generation.pix2pix import PRESETS, Discriminator, Generator, Pix2Pix, Pix2PixConfig, Pix2PixLearner, UpConv
from generation.processes import Processes

TINY = Pix2PixConfig(width=2, stages=(1, 2, 4), steps=4, batch=2, decay=0.5)


def millions(network):
    return sum(tensor.numel() for tensor in network.state_dict().values() if tensor.is_floating_point()) / 1e6


def step_of(learner):
    cubes = torch.rand((2, 1, 32, 32, 32), generator=torch.Generator().manual_seed(0)) - 0.5
    return learner.training_step(cubes, Descent(learner.optimizers(), Processes("cpu")), rng=torch.Generator())


def test_the_paper_preset_has_the_published_number_of_parameters():
    with torch.device("meta"):
        generator, discriminator = Generator(PRESETS["paper"]), Discriminator(PRESETS["paper"])
    assert millions(generator) == pytest.approx(162.60, abs=0.005)
    assert millions(discriminator) == pytest.approx(26.95, abs=0.005)


def test_the_paper_preset_has_the_effective_rates():
    paper = PRESETS["paper"]
    assert (paper.lr_generator, paper.lr_discriminator, paper.l1_weight, paper.dropout) == (2e-4, 1e-6, 100, 0.5)


def test_the_tiny_preset_is_tiny():
    assert 0.3 < millions(Generator(PRESETS["tiny"])) < 1


@pytest.mark.parametrize("network", [Generator, Discriminator])
def test_every_weight_of_a_new_network_is_set(network):
    torch.use_deterministic_algorithms(True)  # memory that nobody has set is then NaN
    try:
        new = network(TINY)
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(parameter.isfinite().all() for parameter in new.parameters())


@pytest.mark.parametrize("shape", [(2, 3, 2, 3, 4), (2, 3, 1, 1, 1), (2, 3, 2, 2, 2), (2, 3, 4, 4, 4)])
def test_summed_weights_give_the_convolution_of_the_doubled_cube(shape):
    torch.manual_seed(0)
    up = UpConv(3, 2)
    torch.nn.init.normal_(up.weight)
    torch.nn.init.normal_(up.bias)
    cube = torch.randn(shape)
    doubled = functional.pad(functional.interpolate(cube, scale_factor=2), (1, 2) * 3)
    assert torch.allclose(up(cube), functional.conv3d(doubled, up.weight, up.bias), atol=1e-4)


def test_the_discriminator_judges_a_map_of_2_by_2_by_2():
    with torch.device("meta"):
        logits = Discriminator(PRESETS["paper"])(torch.empty(2, 2, 32, 32, 32))
    assert logits.shape == (2, 1, 2, 2, 2)


def test_activation_comes_before_normalisation_with_keras_constants():
    layers = [type(layer).__name__ for layer in Generator(TINY).down[1]]
    norm = Generator(TINY).down[1][2]
    assert layers == ["Conv3d", "LeakyReLU", "BatchNorm3d"]
    assert (norm.eps, norm.momentum) == (1e-3, 0.2)


def test_a_step_moves_both_networks():
    learner = Pix2PixLearner(TINY)
    before = {name: tensor.clone() for name, tensor in learner.named_parameters()}
    step_of(learner)
    still = [name for name, tensor in learner.named_parameters() if torch.equal(tensor, before[name])]
    assert not [name for name in still if name.endswith("weight")]


def test_the_generator_sees_nothing_of_the_core():
    learner, seen = Pix2PixLearner(TINY), []
    learner.generator.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    step_of(learner)
    assert not seen[0][..., 8:24, 8:24, 8:24].any()
    assert seen[0][..., :8, :, :].any()


def test_answers_stay_within_the_training_cubes():
    equalisation = Equalisation.linear()
    model = Pix2Pix(Generator(TINY), TINY, equalisation)
    torch.nn.init.constant_(model.network.out[0].bias, 9)
    assert model.inpaint(torch.zeros(1, 1, 32, 32, 32), [0]).max() == equalisation.range[1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"stages": (1,)}, "stages must be 2 to 5 halvings"),
        ({"batch": 1}, "batch must be >= 2"),
    ],
)
def test_a_config_that_cannot_work_is_refused(wrong, message):
    with pytest.raises(GenerationError, match=message):
        Pix2PixConfig(**wrong)
