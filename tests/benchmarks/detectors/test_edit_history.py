import pytest
import torch

from benchmarks.detectors.edit_history import BLUR, CONTRAST, HISTORIES, NOISE, RESAMPLE, EditHistory


def slabs(side=40):
    return -800 + 60 * torch.randn(3, 2, side, side + 6, generator=torch.Generator().manual_seed(0))


def rng():
    return torch.Generator().manual_seed(1)


def test_there_are_512_of_them_and_the_first_is_none():
    assert len(set(HISTORIES)) == 512
    assert HISTORIES[0] == EditHistory()
    assert torch.equal(EditHistory()(slabs(), rng()), slabs())


@pytest.mark.parametrize("factor", RESAMPLE[1:])
def test_resampling_smooths_and_keeps_size_and_brightness(factor):
    edited = EditHistory(resample=factor)(slabs(), rng())
    assert edited.shape == slabs().shape
    assert edited.std() < 0.95 * slabs().std()
    assert edited.mean().item() == pytest.approx(slabs().mean().item(), abs=2)


@pytest.mark.parametrize("std", BLUR[1:])
def test_blur_has_the_wanted_width(std):
    hu = torch.zeros(1, 1, 31, 31)
    hu[..., 15, 15] = 1
    edited = EditHistory(blur=std)(hu, rng())[0, 0]
    offset = torch.arange(31) - 15.0
    assert edited.sum().item() == pytest.approx(1, abs=1e-4)
    for axis in (0, 1):
        # A Gaussian of half a pixel, sampled at whole ones, is a little narrower.
        assert (edited.sum(axis) * offset**2).sum().sqrt().item() == pytest.approx(std, rel=0.1)


def test_blur_does_not_mix_slices_nor_darken_the_border():
    hu = torch.stack([torch.full((9, 9), -700.0), torch.full((9, 9), 40.0)])[None]
    assert torch.allclose(EditHistory(blur=1.2)(hu, rng()), hu, atol=0.01)


@pytest.mark.parametrize("factor", CONTRAST[1:])
def test_contrast_stretches_about_the_middle_of_the_window(factor):
    hu = torch.tensor([-300.0, -200.0]).view(1, 1, 1, 2)
    assert EditHistory(contrast=factor)(hu, rng()).flatten().tolist() == pytest.approx([-300, -300 + 100 * factor])


@pytest.mark.parametrize("std", NOISE[1:])
def test_noise_has_the_wanted_strength_and_its_seed_decides_it(std):
    noise = EditHistory(noise=std)(slabs(), rng()) - slabs()
    assert noise.std().item() == pytest.approx(std, rel=0.05)
    assert torch.equal(EditHistory(noise=std)(slabs(), rng()) - slabs(), noise)


def test_noise_comes_last():
    edited = EditHistory(blur=1.2, contrast=0.7, noise=40)(torch.full((1, 1, 64, 64), -300.0), rng())
    assert edited.std().item() == pytest.approx(40, rel=0.05)
