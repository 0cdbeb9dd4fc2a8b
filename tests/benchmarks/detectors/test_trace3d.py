import pytest
import torch
from tampered_slabs import learned, mixed_batch, pristine_batch, without_gradient

from benchmarks.detectors.trace3d import HighPass3d, NoiseStatistics, Trace3D


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Trace3D(Trace3D.presets["tiny"])


def test_it_answers_for_slabs_of_any_size(network):
    hu, _ = mixed_batch(count=2, depth=16, height=71, width=58)
    answer = network(hu)

    assert answer.map.shape == hu.shape
    assert answer.score.shape == (2,)


def test_its_filters_answer_to_no_constant_and_to_no_slope():
    filters = HighPass3d(2)
    slope = torch.arange(10.0)[None, None, None].expand(1, 8, 9, 10)

    assert filters(torch.full((1, 8, 9, 10), -700.0)).abs().max() < 1e-4
    assert filters(slope)[0, :3, 2:-2, 2:-2, 2:-2].abs().max() < 1e-5


def test_noise_that_is_repeated_in_the_next_slice_is_told_from_noise_that_is_not():
    torch.manual_seed(0)
    independent = 30 * torch.randn(1, 16, 40, 40)
    repeated = independent[:, ::2].repeat_interleave(2, 1)
    statistics, filters = NoiseStatistics(), HighPass3d(0)

    def along(z):
        # Second differences in plane, correlated along z: after the energies of the three filters.
        return statistics(filters(z))[0, 3 + 1 : 3 + 3, 4:12, 8:32, 8:32].mean()

    assert along(independent).abs() < 0.05
    assert along(repeated) > 0.4


def test_the_energy_is_that_of_the_noise():
    torch.manual_seed(0)
    statistics, filters = NoiseStatistics(), HighPass3d(0)
    loud, quiet = (statistics(filters(level * torch.randn(1, 16, 40, 40)))[0, :3].mean() for level in (30, 15))

    assert (loud - quiet).item() == pytest.approx(torch.tensor(4.0).log().item(), abs=0.15)


@pytest.mark.parametrize("batch", [mixed_batch, pristine_batch])
def test_every_part_learns_from_any_batch(network, batch):
    hu, mask = batch(count=4, depth=16, height=48, width=48)

    assert without_gradient(network, hu, mask) == []


def test_it_learns_to_find_the_place(network):
    hu, mask = mixed_batch(count=4, depth=16, height=48, width=48)
    losses = learned(network, 25, hu=hu, mask=mask)
    answer = network.eval()(hu)

    assert losses[-1] < 0.6 * losses[0]
    assert answer.score[:2].min() > answer.score[2:].max()
    said = answer.map > answer.map.flatten().quantile(0.95)
    assert mask[said].float().mean() > 0.7
