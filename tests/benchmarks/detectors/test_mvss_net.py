import pytest
import torch
from tampered_slabs import f1, learned, mixed_batch, parameters, pristine_batch, without_gradient

from benchmarks.detectors.mvss_net import MVSSNet, edges_of
from benchmarks.detectors.network import Answer


def tiny():
    torch.manual_seed(0)
    return MVSSNet(MVSSNet.presets["tiny"])


def slices_with_masks():
    """Logits of 8 x 8 pixels that are wrong everywhere, for one tampered slice and one pristine."""
    mask = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    mask[0, 0, 2:6, 2:6] = True
    wrong = torch.where(mask, -50.0, 50.0)
    return wrong, mask


def answer(maps, edges):
    return Answer(maps.amax(dim=(1, 2, 3)), maps, {"edges": edges})


def test_the_paper_preset_has_two_bodies_of_resnet_50_and_dual_attention_over_both():
    bodies = 2 * 23_508_032
    attention = 2 * (9 * 4096 * 1024 + 9 * 1024 * 1024 + 4 * 1024) + 2 * (1024 * 128 + 128) + 1024 * 1024 + 1024 + 2
    block = 9 + 2 + 10
    edges = 4 * 4 + (256 + 512 + 1024 + 2048 + 4) + 3 * 2 + 7 * block
    bayar = 3 * 24
    assert parameters(MVSSNet) == bodies + attention + 1025 + edges + bayar == 142_713_208
    # With the two classifiers of ImageNet that the published count holds: 146.8 million.
    assert parameters(MVSSNet) + 2 * 2_049_000 == 146_811_208


def test_slices_of_odd_sides_get_maps_of_their_size_scores_and_edges():
    hu, mask = mixed_batch(height=70, width=90)
    found = tiny().eval()(hu[:2])
    assert found.map.shape == (2, 1, 70, 90)
    assert torch.equal(found.score, found.map.amax(dim=(1, 2, 3)))
    assert found.extra["edges"].shape == edges_of(mask[:2]).shape == (2, 1, 18, 23)


def test_the_last_stage_is_no_smaller_than_the_one_before():
    sides = [stage.shape[-1] for stage in tiny().edge_body(torch.rand(2, 3, 64, 64))]
    assert sides == [16, 8, 4, 4]


def test_the_noise_view_sees_nothing_of_brightness():
    network = tiny().eval()
    seen = []
    network.noise_body.register_forward_hook(lambda _, x, y: seen.append(x[0]))
    hu, _ = mixed_batch()
    network(hu)
    network(hu + 100)
    assert seen[0].abs().max() > 0.01
    assert torch.allclose(seen[0], seen[1], atol=1e-5)
    assert not network(torch.full((1, 1, 64, 64), -700.0)).score.isnan().any()
    assert torch.allclose(seen[2], torch.zeros(()), atol=1e-5)


def test_every_stage_reaches_the_edges():
    network = tiny().eval()
    stages = [stage.requires_grad_() for stage in map(torch.Tensor.detach, network.edge_body(torch.rand(1, 3, 64, 64)))]
    network.edges(stages).sum().backward()
    assert all(stage.grad.any() for stage in stages)


def test_the_edges_of_a_mask_are_its_outline_and_not_its_inside_or_the_frame_of_the_crop():
    mask = torch.zeros(1, 1, 42, 40, dtype=torch.bool)
    mask[0, 0, 20:, 8:28] = True
    edges = edges_of(mask)[0, 0]
    expected = torch.zeros(11, 10, dtype=torch.bool)
    expected[4:6, 1:8] = True
    expected[4:, [1, 2, 6, 7]] = True
    assert torch.equal(edges, expected)
    assert not edges_of(torch.ones(1, 1, 16, 16, dtype=torch.bool)).any()


def test_scales_are_weighed_as_published():
    wrong, mask = slices_with_masks()
    edges = edges_of(mask).float() * 100 - 50
    network = tiny()
    right = network.loss(answer(-wrong, edges), mask)
    pixels = network.loss(answer(torch.where(mask, -50.0, -60.0) + 0.0, edges), mask) - right
    outline = network.loss(answer(-wrong, -edges), mask) - right
    assert right.item() == pytest.approx(0, abs=1e-3)
    # 16 pixels missed, and with them the score of 50 nats.
    assert pixels.item() == pytest.approx(0.16 * (1 - 1 / 17) + 0.04 * 50 / 2, rel=1e-3)
    assert outline.item() == pytest.approx(0.80 * (1 - 1 / 5), rel=1e-3)


def test_a_pristine_slice_counts_in_the_score_alone():
    wrong, mask = slices_with_masks()
    network = tiny()
    edges = torch.full((1, 1, 2, 2), 50.0)
    accused = network.loss(answer(wrong[1:], edges), mask[1:])
    assert accused.item() == pytest.approx(0.04 * 50)
    assert network.loss(answer(wrong[1:] * -1, edges), mask[1:]).item() == pytest.approx(0, abs=1e-6)


def test_pristine_slices_do_not_water_down_the_dice_of_the_tampered():
    wrong, mask = slices_with_masks()
    network = tiny()
    edges = edges_of(mask).float() * 100 - 50
    both = network.loss(answer(-wrong, -edges), mask)
    alone = network.loss(answer(-wrong[:1], -edges[:1]), mask[:1])
    assert both.item() == pytest.approx(alone.item(), rel=1e-4)


def silent(names, *parts):
    """Whether all names belong to parts that learn nothing yet."""
    return all(any(part in name for part in parts) for name in names)


# Attention begins as the identity: its share learns first, then what it looks at. Pristine slices have no edges.
def test_every_parameter_learns_from_mixed_slices_and_all_but_the_edges_from_pristine_ones():
    attention = (".query.", ".key.", ".value.")
    assert silent(without_gradient(tiny(), *mixed_batch()), *attention)
    assert silent(without_gradient(tiny(), *pristine_batch()), *attention, "edges.")


def test_the_learning_rate_ends_at_a_thousandth():
    with torch.device("meta"):
        network = MVSSNet(MVSSNet.presets["paper"])
    rates = [network.config.lr * network.learning_rate(done) for done in (0, 0.5, 1)]
    assert rates == pytest.approx([1e-4, 10**-5.5, 1e-7])


def test_it_learns_where_the_slices_of_a_batch_are_tampered():
    network = tiny()
    hu, mask = mixed_batch()
    losses = learned(network, 60, hu=hu, mask=mask)
    assert losses[-1] < 0.4 * losses[0]
    assert f1(network(hu).map, mask) > 0.6
