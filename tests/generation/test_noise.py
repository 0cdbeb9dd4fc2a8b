import torch

from generation.noise import CubeNoise

CPU = torch.device("cpu")


def test_noise_is_standard_normal():
    drawn = CubeNoise([1, 2, 3], CPU).draw()
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02


def test_a_cubes_noise_does_not_depend_on_its_neighbours():
    together, alone = CubeNoise([5, 6, 7], CPU), CubeNoise([6], CPU)
    for _ in range(3):
        assert torch.equal(together.draw()[1], alone.draw()[0])


def test_another_seed_and_another_draw_give_other_noise():
    source = CubeNoise([5, 6], CPU)
    first, second = source.draw(), source.draw()
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)
