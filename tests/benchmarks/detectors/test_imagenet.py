import pytest
import torch

from benchmarks.detectors.imagenet import as_imagenet


def test_the_mean_of_each_colour_becomes_zero_and_its_deviation_one():
    grey = torch.full((2, 1, 3, 4), 0.456)
    colours = as_imagenet(grey)
    assert colours.shape == (2, 3, 3, 4)
    assert colours[:, 1].abs().max() < 1e-6
    assert (as_imagenet(grey + 0.225) - colours)[0, 2, 0, 0].item() == pytest.approx(1, rel=1e-5)
    assert colours[0, 0, 0, 0].item() == pytest.approx((0.456 - 0.485) / 0.229, rel=1e-5)
