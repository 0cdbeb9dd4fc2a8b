import pytest
import torch
from tampered_slabs import learned, mixed_batch, parameters, pristine_batch, without_gradient

from benchmarks.detectors.xception import Block, SeparableConv, Xception


def tiny():
    torch.manual_seed(0)
    return Xception(Xception.presets["tiny"])


def test_the_paper_preset_has_20_8_million_parameters():
    # 22,855,952 as published for three channels and 1000 classes: less two channels of the first convolution, and
    # the weights and biases of 999 classes.
    assert parameters(Xception) == 22_855_952 - 2 * 32 * 9 - 999 * 2049


def test_slices_of_odd_sides_get_a_score_and_no_map():
    hu, _ = mixed_batch(height=70, width=90)
    answer = tiny().eval()(hu[:2])
    assert answer.score.shape == (2,)
    assert answer.map is None


def test_the_features_are_a_32nd_of_the_slice():
    hu, _ = mixed_batch(height=160, width=256)
    # 160 less the 2 of the first convolution and the 2 of the second, and halved five times.
    assert tiny().features(hu[:2]).shape == (2, 128, 5, 8)


def test_a_separable_convolution_looks_around_in_each_channel_and_then_across():
    depthwise, pointwise = SeparableConv(6, 10)
    assert depthwise.weight.shape == (6, 1, 3, 3)
    assert pointwise.weight.shape == (10, 6, 1, 1)


def test_a_block_of_the_middle_flow_whose_convolutions_say_nothing_is_the_identity():
    block = Block(6, [6] * 3, halves=False).eval()
    torch.nn.init.zeros_(block.body[-1].weight)
    x = torch.randn(1, 6, 7, 9, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(x), x)


def test_blocks_begin_with_a_relu_but_for_the_first():
    def deaf(block, channels):
        x = -torch.rand(2, channels, 8, 8)
        return torch.equal(block.body(x), block.body(torch.zeros_like(x)))

    network = tiny().eval()
    assert not deaf(network.entry[0], 24)
    assert deaf(network.entry[1], 32)
    assert deaf(network.middle[0], 64)
    assert deaf(network.exit[0], 64)


def test_every_parameter_learns_from_mixed_and_from_pristine_slices():
    assert without_gradient(tiny(), *mixed_batch()) == []
    assert without_gradient(tiny(), *pristine_batch()) == []


def test_a_network_that_knows_nothing_loses_log_2_and_a_wrong_one_more():
    network, mask = tiny(), mixed_batch()[1]
    torch.nn.init.zeros_(network.head[1].weight)
    torch.nn.init.zeros_(network.head[1].bias)
    answer = network(mixed_batch()[0])
    assert abs(network.loss(answer, mask).item() - 0.6931) < 1e-3


def test_the_learning_rate_is_constant_as_published_and_falls_to_zero_in_a_short_training():
    with torch.device("meta"):
        paper = Xception(Xception.presets["paper"])
    assert [paper.learning_rate(done) for done in (0, 0.5, 1)] == [1, 1, 1]
    assert [tiny().learning_rate(done) for done in (0, 0.29, 1)] == [1, 1, 0]
    assert tiny().learning_rate(0.65) == pytest.approx(0.5)


def test_it_learns_which_slices_of_a_batch_are_tampered():
    network = tiny()
    hu, mask = mixed_batch(count=8)
    losses = learned(network, 40, hu=hu, mask=mask)
    assert losses[-1] < 0.1 * losses[0]
    assert ((network(hu).score > 0) == mask.any(dim=(1, 2, 3))).all()
