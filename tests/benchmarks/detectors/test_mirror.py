import numpy as np
import pytest
import torch

from benchmarks.detectors.mirror import mirrored


@pytest.mark.parametrize("shape", [(4, 6), (1, 3), (2, 1)])
@pytest.mark.parametrize("margin", [0, 1, 2, 5])
def test_the_picture_goes_on_backwards_with_its_outermost_pixels(shape, margin):
    x = torch.arange(2 * shape[0] * shape[1], dtype=torch.float32).view(2, 1, *shape)
    expected = np.pad(x.numpy(), ((0, 0), (0, 0), (margin, margin), (margin, margin)), mode="symmetric")
    assert np.array_equal(mirrored(x, margin).numpy(), expected)
