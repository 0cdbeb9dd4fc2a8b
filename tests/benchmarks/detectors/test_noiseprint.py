import torch
from torch import nn

from benchmarks.detectors.noiseprint import Noiseprint


def test_it_has_0_557_million_parameters():
    with torch.device("meta"):
        noiseprint = Noiseprint()
    assert sum(tensor.numel() for tensor in noiseprint.parameters()) == 557_249


def test_it_is_17_convolutions_of_which_all_but_two_are_normalised():
    layers = Noiseprint(features=2).layers
    assert sum(isinstance(layer, nn.Conv2d) for layer in layers) == 17
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in layers) == 15
    assert not isinstance(layers[1], nn.BatchNorm2d)
    assert isinstance(layers[-1], nn.Conv2d)


def test_a_pixel_reaches_as_far_as_there_are_layers():
    torch.manual_seed(0)
    noiseprint = Noiseprint(layers=4, features=8).eval()
    picture = torch.rand(1, 3, 15, 15)
    changed = picture.clone()
    changed[..., 7, 7] += 1
    rows, columns = torch.nonzero((noiseprint(picture) - noiseprint(changed))[0, 0], as_tuple=True)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 11, 3, 11)


def test_it_begins_blind_to_brightness_at_the_border_too():
    torch.manual_seed(0)
    noiseprint = Noiseprint(layers=4, features=8).eval()
    dark, bright = (noiseprint(torch.full((1, 3, 12, 12), grey)) for grey in (0.1, 0.9))
    assert torch.allclose(dark, bright, atol=1e-5)
