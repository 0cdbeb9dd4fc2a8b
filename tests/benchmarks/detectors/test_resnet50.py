import pytest
import torch

from benchmarks.detectors.resnet50 import ResNet50

TINY = {"width": 4, "blocks": (1, 2, 1, 3)}


def sizes(network, height=70, width=90, channels=3):
    torch.manual_seed(0)
    return [tuple(stage.shape) for stage in network(torch.randn(2, channels, height, width))]


def test_the_body_has_the_23_5_million_parameters_of_resnet_50():
    with torch.device("meta"):
        network = ResNet50()
    # 25,557,032 with the classifier of ImageNet, whose 1000 x 2048 weights and 1000 biases are not here.
    assert sum(p.numel() for p in network.parameters()) == 25_557_032 - 2_049_000


def test_the_names_are_those_of_imagenet_weights_for_pytorch():
    with torch.device("meta"):
        state = ResNet50().state_dict()
    assert state["conv1.weight"].shape == (64, 3, 7, 7)
    assert state["layer1.0.downsample.0.weight"].shape == (256, 64, 1, 1)
    assert state["layer1.0.downsample.1.running_var"].shape == (256,)
    assert state["layer3.5.conv2.weight"].shape == (256, 256, 3, 3)
    assert state["layer4.2.bn3.weight"].shape == (2048,)
    assert "layer1.1.downsample.0.weight" not in state


def test_a_plain_body_ends_at_a_32nd_of_the_size_rounded_up():
    assert sizes(ResNet50(**TINY)) == [(2, 16, 18, 23), (2, 32, 9, 12), (2, 64, 5, 6), (2, 128, 3, 3)]


def test_without_early_downsampling_the_body_ends_at_an_8th():
    network = ResNet50(**TINY, stem_stride=1, pool_stride=1)
    assert sizes(network) == [(2, 16, 70, 90), (2, 32, 35, 45), (2, 64, 18, 23), (2, 128, 9, 12)]


def test_a_dilated_last_stage_keeps_the_size_of_the_one_before():
    network = ResNet50(1, **TINY, dilations=(1, 2, 4))
    assert sizes(network, channels=1)[2:] == [(2, 64, 5, 6), (2, 128, 5, 6)]
    assert [block.conv2.dilation for block in network.layer4] == [(1, 1), (2, 2), (4, 4)]


def test_the_widths_are_those_of_the_outputs():
    network = ResNet50(**TINY)
    assert network.widths == tuple(shape[1] for shape in sizes(network))


def test_dilations_that_are_not_one_for_each_block_are_refused():
    with pytest.raises(ValueError, match="one for each block of the last stage, 3"):
        ResNet50(**TINY, dilations=(1, 2))


def test_a_bottleneck_adds_its_convolutions_to_what_came_in():
    block = ResNet50(**TINY).layer2[1].eval()
    torch.nn.init.zeros_(block.bn3.weight)
    x = torch.randn(1, 32, 5, 6, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(x), x.relu())
