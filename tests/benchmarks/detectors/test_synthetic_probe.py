import pytest
import torch
from tampered_slabs import learned, mixed_batch, parameters, pristine_batch, without_gradient

from benchmarks.detectors.synthetic_probe import SyntheticProbe


def tiny():
    torch.manual_seed(0)
    return SyntheticProbe(SyntheticProbe.presets["tiny"])


def test_the_paper_preset_has_23_5_million_parameters():
    assert parameters(SyntheticProbe) == 23_508_032 + 2048 + 1


def test_slices_of_odd_sides_get_the_mean_of_logits_eight_pixels_apart():
    hu, _ = mixed_batch(height=70, width=90)
    answer = tiny().eval()(hu[:2])
    assert answer.map is None
    assert answer.extra["positions"].shape == (2, 1, 9, 12)
    assert torch.allclose(answer.score, answer.extra["positions"].flatten(1).mean(dim=1))


def test_neither_the_first_convolution_nor_the_pooling_shrinks():
    body = tiny().body
    assert (body.conv1.stride, body.maxpool.stride) == ((1, 1), 1)
    assert body(torch.rand(1, 3, 40, 48))[0].shape[2:] == (40, 48)


def test_every_parameter_learns_from_mixed_and_from_pristine_crops():
    assert without_gradient(tiny(), *mixed_batch(height=32, width=32)) == []
    assert without_gradient(tiny(), *pristine_batch(height=32, width=32)) == []


def test_the_learning_rate_is_divided_by_ten_twice():
    with torch.device("meta"):
        network = SyntheticProbe(SyntheticProbe.presets["paper"])
    assert [network.learning_rate(done) for done in (0, 0.3)] == [1, 1]
    assert network.learning_rate(0.5) == pytest.approx(0.1)
    assert network.learning_rate(1) == pytest.approx(0.01)


def test_it_learns_which_crops_of_a_batch_are_tampered():
    network = tiny()
    hu, mask = mixed_batch(count=8, height=32, width=32)
    losses = learned(network, 60, hu=hu, mask=mask)
    assert losses[-1] < 0.1 * losses[0]
    assert ((network(hu).score > 0) == mask.any(dim=(1, 2, 3))).all()
