import pytest
import torch
from tampered_slabs import f1, learned, mixed_batch, parameters, pristine_batch, without_gradient

from benchmarks.detectors.network import Answer
from benchmarks.detectors.unet import UNet


def tiny():
    torch.manual_seed(0)
    return UNet(UNet.presets["tiny"])


def test_the_paper_preset_has_31_million_parameters():
    # 31,030,593 with one logit, as published; and a scale for each of 5,888 channels, whose shift was their bias.
    assert parameters(UNet) == 31_030_593 + 5_888


def test_slices_of_odd_sides_get_maps_of_their_size_and_scores():
    hu, _ = mixed_batch(height=70, width=90)
    answer = tiny().eval()(hu[:2])
    assert answer.map.shape == (2, 1, 70, 90)
    assert torch.equal(answer.score, answer.map.amax(dim=(1, 2, 3)))


def test_the_map_of_a_cut_slice_is_that_of_the_slice_but_for_its_border():
    network = tiny().eval()
    hu, _ = mixed_batch(height=176, width=176)
    with torch.no_grad():
        whole, cut = network(hu[:1]).map, network(hu[:1, :, :173, :165]).map
    # Beyond 173 and 165 the last row and column go on; a pixel in the corner does not see so far.
    assert torch.allclose(whole[..., :64, :64], cut[..., :64, :64], atol=1e-4)
    assert not torch.allclose(whole[..., 150:173, 150:165], cut[..., 150:, 150:], atol=1e-4)


def test_the_finest_detail_reaches_the_map_past_the_bottom():
    network = tiny().eval()
    for up in network.up:
        torch.nn.init.zeros_(up.up.weight)
    hu, _ = mixed_batch()
    with torch.no_grad():
        maps = network(hu[:2]).map - network(hu.flip(3)[:2]).map
    assert maps.abs().max() > 1e-3


def test_every_parameter_learns_from_mixed_and_from_pristine_slices():
    assert without_gradient(tiny(), *mixed_batch()) == []
    assert without_gradient(tiny(), *pristine_batch()) == []


def test_a_tampered_pixel_that_is_missed_weighs_ten_pristine_ones_that_are_accused():
    network = tiny()
    mask = torch.zeros(1, 1, 2, 2, dtype=torch.bool)
    accused = torch.tensor([[[[30.0, -30], [-30, -30]]]])
    score = accused.amax(dim=(1, 2, 3))
    one = network.loss(Answer(score, accused), mask)
    mask[0, 0, 0, 0] = True
    missed = network.loss(Answer(score, -accused.abs()), mask)
    assert one.item() == pytest.approx(30 / 4)
    assert missed.item() == pytest.approx(10 * 30 / 4)


def test_the_learning_rate_falls_to_zero():
    network = tiny()
    assert network.learning_rate(0) == 1
    assert network.learning_rate(0.5) == pytest.approx(0.5**0.9)
    assert network.learning_rate(1) == 0


def test_it_learns_where_the_slices_of_a_batch_are_tampered():
    network = tiny()
    hu, mask = mixed_batch(count=4)
    losses = learned(network, 60, hu=hu, mask=mask)
    assert losses[-1] < 0.2 * losses[0]
    assert f1(network(hu).map, mask) > 0.8
