import torch

from benchmarks.malignancy.classifier import PRESETS, MalignancyClassifier
from benchmarks.malignancy.nodule_net import NoduleNet

HEAD_OF_SEARCH = 128 * 64 + 64 + 64 * 15 + 15
"""Of the published network: two convolutions of 1 x 1 x 1, to 64 channels and to 3 anchors of 5 numbers."""


def parameters(module):
    return sum(tensor.numel() for tensor in module.parameters())


def test_the_network_has_the_published_size_but_for_the_head_that_searches():
    with torch.device("meta"):
        classifier = MalignancyClassifier(PRESETS["paper"])

    assert parameters(classifier.net) + HEAD_OF_SEARCH == 5_383_623  # published: 5.38 M
    assert parameters(classifier.head) == 128 * 64 + 64 + 64 + 1
    assert classifier.leak.numel() == 1


def test_cubes_of_96_mm_of_the_published_size_become_128_features_and_one_answer():
    with torch.device("meta"):
        classifier = MalignancyClassifier(PRESETS["paper"])
        cubes, locations = torch.empty(2, 96, 96, 96), torch.empty(2, 3, 24, 24, 24)
        cells = classifier.net(cubes[:, None], locations)

        assert cells.shape == (2, 128, 24, 24, 24)
        assert classifier.features(cubes, locations).shape == (2, 128)
        assert classifier(cubes, locations).shape == (2,)


def test_features_have_a_quarter_of_the_resolution_and_depend_on_where_the_cube_lies():
    torch.manual_seed(0)
    net = NoduleNet(2, (4, 4, 4, 4), (1, 1, 1, 1), (4, 6), 1).eval()
    cube = torch.randn(1, 1, 32, 32, 32)
    with torch.no_grad():
        here = net(cube, torch.zeros(1, 3, 8, 8, 8))
        there = net(cube, torch.full((1, 3, 8, 8, 8), 0.4))

    assert here.shape == (1, 6, 8, 8, 8)
    assert not torch.allclose(here, there)
