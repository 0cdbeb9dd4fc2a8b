import torch

from generation import augmentation
from generation.augmentation import augment


def moved(cubes, seed=0):
    return augment(cubes, torch.Generator().manual_seed(seed))


def ramp(axis):
    shape = [1, 1, 1, 1]
    shape[axis + 1] = 40
    return (10 * torch.arange(40, dtype=torch.int16)).view(shape).expand(64, 40, 40, 40).contiguous()


def still(monkeypatch, theta):
    monkeypatch.setattr(augmentation, "_movements", lambda count, device, rng: theta.expand(count, 3, 4))


def test_without_movement_the_inner_cube_comes_out(monkeypatch):
    still(monkeypatch, torch.tensor([[[0.8, 0, 0, 0], [0, 0.8, 0, 0], [0, 0, 0.8, 0]]]))
    cubes = torch.randint(-1000, 1000, (2, 40, 40, 40), dtype=torch.int16)
    assert torch.allclose(moved(cubes)[:, 0], cubes[:, 4:36, 4:36, 4:36].float(), atol=0.1)


def test_the_same_seed_gives_the_same_variants():
    cubes = torch.randint(-1000, 1000, (4, 40, 40, 40), dtype=torch.int16)
    assert torch.equal(moved(cubes, 1), moved(cubes, 1))
    assert not torch.equal(moved(cubes, 1), moved(cubes, 2))


def test_slices_are_shifted_by_up_to_4_whole_voxels_and_never_turned_over():
    along_z = moved(ramp(0))[:, 0]
    shifts = (along_z[:, 10, 16, 16] - 140) / 10
    assert sorted({round(shift, 2) for shift in shifts.tolist()}) == list(range(-4, 5))
    assert (along_z.diff(dim=1) > 9).all()


def test_in_plane_every_direction_occurs():
    along_x = moved(ramp(2))[:, 0]
    slopes = along_x[:, 16, 16, 17] - along_x[:, 16, 16, 16]
    assert slopes.min() < -9
    assert slopes.max() > 9
    assert ((slopes > -5) & (slopes < 5)).any()


def test_hu_stay_within_those_of_the_cube():
    cubes = torch.randint(-1000, 1000, (8, 40, 40, 40), dtype=torch.int16)
    assert moved(cubes).min() >= -1000
    assert moved(cubes).max() <= 1000
