import torch

from benchmarks.detectors.srm import SRM


def quadratic(height=9, width=11):
    y, x = torch.meshgrid(torch.arange(height).float(), torch.arange(width).float(), indexing="ij")
    return x, y


def test_a_kernel_is_its_own_answer_to_a_point_and_takes_the_point_away():
    point = torch.zeros(1, 1, 9, 9)
    point[..., 4, 4] = 1
    answers = SRM()(point)
    assert torch.equal(answers[0, :, 2, 2], torch.full((3,), -1.0))
    # A ring of -1/4 and 1/2, one of -1/12 to 8/12, and two neighbours of 1/2 in the row.
    assert answers[0, 0, 1, 1:4].tolist() == [-0.25, 0.5, -0.25]
    assert torch.allclose(answers[0, 1, 0] * 12, torch.tensor([-1.0, 2, -2, 2, -1]))
    assert answers[0, 2, 2].tolist() == [0, 0.5, -1, 0.5, 0]
    assert answers[0, 2].count_nonzero() == 3


def test_planes_leave_nothing():
    x, y = quadratic()
    plane = (3 * x - 2 * y + 100).view(1, 1, *x.shape)
    assert torch.allclose(SRM()(plane), torch.zeros(1, 3, 5, 7), atol=1e-4)


def test_the_third_kernel_is_the_second_difference_along_x():
    x, y = quadratic()
    assert torch.allclose(SRM()((x * x).view(1, 1, *x.shape))[:, 2], torch.tensor(1.0))
    assert not SRM()((y * y).view(1, 1, *x.shape))[:, 2].any()


def test_nothing_is_learned_and_nothing_is_kept_in_weights():
    assert not list(SRM().parameters())
    assert not SRM().state_dict()
