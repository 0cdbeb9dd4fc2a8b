import torch

from benchmarks.detectors.padding import padded


def test_a_picture_keeps_its_place_and_its_last_row_and_column_go_on():
    picture = torch.arange(2 * 3 * 5.0).view(1, 2, 3, 5)
    wide = padded(picture, 4)
    assert wide.shape == (1, 2, 4, 8)
    assert torch.equal(wide[..., :3, :5], picture)
    assert torch.equal(wide[..., 3, :5], picture[..., 2, :])
    assert torch.equal(wide[..., :3, 7], picture[..., :, 4])


def test_a_picture_that_fits_stays_as_it_is():
    picture = torch.rand(1, 1, 8, 4)
    assert torch.equal(padded(picture, 4), picture)


def test_a_picture_much_smaller_than_the_multiple_is_padded_too():
    assert padded(torch.rand(1, 1, 3, 1), 16).shape == (1, 1, 16, 16)
