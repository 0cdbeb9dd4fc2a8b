import pytest
import torch
from tampered_slabs import f1, learned, mixed_batch, parameters, pristine_batch, without_gradient

from benchmarks.detectors.hp_fcn import HPFCN, Enlargement, HighPass, Unit
from benchmarks.detectors.network import Answer


def tiny():
    torch.manual_seed(0)
    return HPFCN(HPFCN.presets["tiny"])


def test_the_paper_preset_has_7_7_million_parameters():
    filters = 3 * 9
    up = 64 * (1024 * 64 + 64 * 4) + 2 * (64 + 4)
    head = 25 * 4 + 1
    assert parameters(HPFCN) == filters + blocks(3, (32, 64, 128, 256)) + up + head


def blocks(channels, widths):
    """Two units each, and the normalisation after the last."""
    total = 0
    for width in widths:
        for before in (channels, 4 * width):
            convolutions = before * width + 9 * width * width + (width + 1) * 4 * width
            shortcut = 0 if before == 4 * width else (before + 1) * 4 * width
            total += convolutions + shortcut + 2 * (before + 2 * width)
        channels = 4 * width
    return total + 2 * channels


def test_slices_of_odd_sides_get_maps_of_their_size_and_scores():
    hu, _ = mixed_batch(height=70, width=90)
    answer = tiny().eval()(hu[:2])
    assert answer.map.shape == (2, 1, 70, 90)
    assert torch.equal(answer.score, answer.map.amax(dim=(1, 2, 3)))


def test_the_filters_begin_as_differences_down_right_and_between():
    picture = torch.zeros(1, 1, 4, 5)
    picture[0, 0, 1, 2] = 1
    down, right, diagonal = HighPass()(picture)[0]
    assert (down[1, 2], down[0, 2], down.abs().sum()) == (-1, 1, 2)
    assert (right[1, 2], right[1, 1], right.abs().sum()) == (-1, 1, 2)
    assert (diagonal[1, 2], diagonal[0, 1], diagonal.abs().sum()) == (-1, 1, 2)


def test_the_filters_begin_blind_to_brightness_at_the_border_too():
    assert not HighPass()(torch.full((1, 1, 6, 7), 0.7)).any()


def test_the_filters_learn():
    assert HighPass().weight.requires_grad


def test_the_bottom_is_a_16th_of_the_slice():
    network = tiny()
    assert network.blocks(torch.randn(2, 3, 64, 96)).shape == (2, 128, 4, 6)


def test_the_last_unit_of_a_block_halves_and_the_others_see_every_pixel():
    strides = [[unit.body[3].stride[0] for unit in block] for block in tiny().blocks]
    assert strides == [[1, 2]] * 4


@pytest.mark.parametrize(("channels", "stride"), [(16, 1), (16, 2), (12, 1), (12, 2)])
def test_a_unit_whose_convolutions_say_nothing_passes_on_what_came_in(channels, stride):
    torch.manual_seed(0)
    unit = Unit(channels, 4, stride)
    torch.nn.init.zeros_(unit.body[-1].weight)
    torch.nn.init.zeros_(unit.body[-1].bias)
    x = torch.randn(2, channels, 6, 8)
    expected = x[..., ::stride, ::stride] if channels == 16 else unit.shortcut(unit.before(x))
    assert torch.equal(unit(x), expected)


def test_an_enlargement_begins_as_bilinear_interpolation_of_different_mixtures():
    torch.manual_seed(0)
    enlargement = Enlargement(6, 5)
    x = torch.randn(1, 6, 7, 8)
    mixed = torch.einsum("bihw,io->bohw", x, enlargement.weight[:, :, 3, 3] / 0.875**2)
    bilinear = torch.nn.functional.interpolate(mixed, scale_factor=4, mode="bilinear", align_corners=False)
    inside = (..., slice(2, -2), slice(2, -2))
    assert torch.allclose(enlargement(x)[inside], bilinear[inside], atol=1e-5)
    assert torch.linalg.matrix_rank(enlargement.weight[:, :, 3, 3]) == 5


def test_what_says_nothing_begins_as_hardly_tampered():
    network = tiny()
    torch.nn.init.zeros_(network.head.weight)
    assert network(mixed_batch()[0]).map.sigmoid().mean().item() == pytest.approx(0.01)


def test_every_parameter_learns_from_mixed_and_from_pristine_slices():
    assert without_gradient(tiny(), *mixed_batch()) == []
    assert without_gradient(tiny(), *pristine_batch()) == []


def test_the_loss_makes_little_of_what_is_nearly_right():
    network = tiny()
    mask = torch.tensor([[[[True, False]]]])
    logits = torch.tensor([[[[1.0, 2.0]]]])
    loss = network.loss(Answer(logits.amax(dim=(1, 2, 3)), logits), mask)
    right = torch.tensor([torch.sigmoid(torch.tensor(1.0)), 1 - torch.sigmoid(torch.tensor(2.0))])
    assert loss.item() == pytest.approx((-((1 - right) ** 2) * right.log()).mean().item(), rel=1e-5)


def test_the_learning_rate_is_halved_ten_epochs_long():
    with torch.device("meta"):
        network = HPFCN(HPFCN.presets["paper"])
    assert [network.learning_rate(done) for done in (0, 0.09, 0.11, 0.55, 0.95, 1)] == [
        1,
        1,
        1 / 2,
        1 / 32,
        *[1 / 512] * 2,
    ]


def test_only_weights_of_convolutions_decay():
    network = tiny()
    decaying, others = network.optimizer().param_groups
    assert decaying["weight_decay"] == 1e-5
    assert others["weight_decay"] == 0
    assert len(decaying["params"]) + len(others["params"]) == len(list(network.parameters()))
    assert any(tensor is network.high_pass.weight for tensor in decaying["params"])
    assert any(tensor is network.head.bias for tensor in others["params"])


def test_it_learns_where_the_slices_of_a_batch_are_tampered():
    network = tiny()
    hu, mask = mixed_batch(count=4)
    losses = learned(network, 80, hu=hu, mask=mask)
    assert losses[-1] < 0.01 * losses[0]
    assert f1(network(hu).map, mask) > 0.8
