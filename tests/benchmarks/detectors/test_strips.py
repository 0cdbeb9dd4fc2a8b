import pytest
import torch
from torch import nn

from benchmarks.detectors.strips import by_strips


def local():
    """Depends on 2 + 1 rows around, and pads in two ways."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 5, padding=2), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1, padding_mode="replicate")
    )


@pytest.mark.parametrize("height", [1, 7, 8, 9, 30])
@torch.no_grad()
def test_strips_give_what_the_whole_gives(height):
    network, x = local(), torch.randn(2, 1, height, 6)
    assert torch.allclose(by_strips(network, x, rows=8, reach=3), network(x), atol=1e-5)


@torch.no_grad()
def test_too_short_a_reach_shows():
    network, x = local(), torch.randn(2, 1, 30, 6)
    assert not torch.allclose(by_strips(network, x, rows=8, reach=2), network(x), atol=1e-5)


def test_no_strip_is_taller_than_its_rows_and_twice_the_reach():
    heights = []

    def seen(x):
        heights.append(x.shape[-2])
        return x

    x = torch.randn(1, 1, 30, 4)
    assert torch.equal(by_strips(seen, x, rows=8, reach=3), x)
    assert heights == [11, 14, 14, 9]
