import pytest
import torch
from tampered_slabs import f1, learned, mixed_batch, parameters, pristine_batch, without_gradient

from benchmarks.detectors.trace3d import Trace3D


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Trace3D(Trace3D.presets["tiny"])


@pytest.mark.parametrize(("height", "width"), [(71, 58), (64, 64), (65, 62)])
def test_it_answers_for_slabs_of_any_size(network, height, width):
    hu, _ = mixed_batch(count=2, depth=8, height=height, width=width)
    answer = network(hu)

    assert answer.map.shape == hu.shape
    assert answer.score.shape == (2,)


def test_a_slabs_verdict_does_not_depend_on_what_else_is_in_it(network):
    """As a normalisation over the slab would have it: training sees crops, judging whole slices."""
    hu, _ = mixed_batch(count=2, depth=8, height=400, width=400)
    far = hu.clone()
    far[..., 300:] = 200.0
    network.eval()

    with torch.no_grad():
        assert torch.allclose(network(hu).map[..., :100], network(far).map[..., :100], atol=1e-4)


@pytest.mark.parametrize("batch", [mixed_batch, pristine_batch])
def test_every_part_learns_from_any_batch(network, batch):
    hu, mask = batch(count=4, depth=8, height=48, width=48)

    assert without_gradient(network, hu, mask) == []


def test_the_learned_residuals_of_the_paper_preset_learn():
    from dataclasses import replace

    torch.manual_seed(0)
    network = Trace3D(replace(Trace3D.presets["tiny"], filters=2))
    assert without_gradient(network, *mixed_batch(count=2, depth=8, height=48, width=48)) == []


def test_it_learns_to_find_the_place(network):
    hu, mask = mixed_batch(count=4, depth=8, height=48, width=48)
    losses = learned(network, 40, hu=hu, mask=mask)
    answer = network(hu)

    assert losses[-1] < 0.6 * losses[0]
    assert answer.score[:2].min() > answer.score[2:].max()
    assert f1(answer.map, mask) > 0.6


def test_it_is_small_and_learns_from_the_control():
    assert parameters(Trace3D) < 1_000_000
    assert Trace3D.learns_from_control
