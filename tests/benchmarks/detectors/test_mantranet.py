import pytest
import torch
from tampered_slabs import f1, learned, mixed_batch, parameters, pristine_batch, without_gradient

from benchmarks.detectors import mantranet
from benchmarks.detectors.mantranet import Deviations, ManTraNet, UnitConv2d, mean_around
from benchmarks.detectors.network import Answer


def tiny():
    torch.manual_seed(0)
    return ManTraNet(ManTraNet.presets["tiny"])


def test_the_paper_preset_has_3_8_million_parameters():
    filters = 3 * 24 + 26 * 25
    body = sum(9 * a * b + b for a, b in [(32, 32), (32, 64), (64, 64), (64, 128), *[(128, 128)] * 2, (128, 256)])
    body += 5 * (9 * 256 * 256 + 256)
    anomalies = 256 * 64 + 64 + 4 * 8 * (49 * (64 + 8) + 1) + 49 * 8 + 1
    assert parameters(ManTraNet) == filters + body + anomalies == 3_809_755


def test_slices_of_odd_sides_get_maps_of_their_size_and_scores():
    hu, _ = mixed_batch(height=70, width=90)
    answer = tiny().eval()(hu[:2])
    assert answer.map.shape == (2, 1, 70, 90)
    assert torch.equal(answer.score, answer.map.amax(dim=(1, 2, 3)))


def test_the_window_becomes_minus_one_to_one():
    network, seen = tiny().eval(), []
    network.traces.register_forward_hook(lambda _, x, y: seen.append(x[0]))
    network(torch.tensor([-3000.0, -1200, -300, 600, 3000]).view(1, 1, 1, 5))
    assert seen[0].flatten().tolist() == [-1, -1, 0, 1, 1]


def test_slices_smaller_than_every_window_are_judged():
    assert tiny().eval()(torch.full((1, 1, 5, 3), -700.0)).map.isfinite().all()


def test_traces_have_length_one_and_depend_on_the_pixels_in_reach_and_on_no_others():
    torch.manual_seed(0)
    traces = mantranet.Traces((8, 8, 8, 8))
    assert traces.reach == 5
    x = torch.randn(1, 1, 40, 40, requires_grad=True)
    found = traces(x)
    assert torch.allclose(found.norm(dim=1), torch.ones(1, 40, 40), atol=1e-5)
    found[0, :, 20, 20].sum().backward()
    rows, columns = x.grad[0, 0].nonzero().unbind(1)
    assert [rows.min(), rows.max(), columns.min(), columns.max()] == [15, 25, 15, 25]


def test_the_published_traces_see_29_pixels():
    with torch.device("meta"):
        network = ManTraNet(ManTraNet.presets["paper"])
    assert 1 + 2 * network.traces.reach == 29


def test_traces_do_not_see_the_frame_of_a_constant_slice():
    traces = tiny().traces(torch.full((1, 1, 30, 20), 0.3))
    assert torch.allclose(traces, traces[..., :1, :1].expand(traces.shape), atol=1e-5)


def test_what_is_judged_in_strips_and_alone_is_what_is_judged_whole_and_together(monkeypatch):
    hu, _ = mixed_batch(height=70, width=50)
    network = tiny().eval()
    whole = network(hu)
    monkeypatch.setattr(mantranet, "STRIP", 16)
    heights, together = [], []
    network.traces.register_forward_hook(lambda _, x, y: heights.append(y.shape[-2]))
    network.decide.register_forward_hook(lambda _, x, y: together.append(len(y)))
    with torch.no_grad():
        bounded = network(hu)
    assert max(heights) == 16 + 2 * network.traces.reach
    assert set(together) == {1}
    assert torch.allclose(bounded.map, whole.map, atol=1e-4)
    assert torch.allclose(bounded.score, whole.score, atol=1e-4)


def test_batch_statistics_are_those_of_the_batch_also_without_gradients():
    hu, _ = mixed_batch()
    together = []
    network = tiny().train()
    network.standardise.register_forward_hook(lambda _, x, y: together.append(len(y)))
    with torch.no_grad():
        network(hu)
    assert together == [4]


def test_a_mean_counts_only_pixels_in_the_picture():
    x = torch.randn(2, 3, 9, 12)
    means = mean_around(x, 5)
    assert torch.allclose(means[..., 4, 6], x[..., 2:7, 4:9].mean(dim=(-2, -1)), atol=1e-6)
    assert torch.allclose(means[..., 0, 11], x[..., :3, 9:].mean(dim=(-2, -1)), atol=1e-6)


def test_deviations_are_in_standard_deviations_of_the_slice_whatever_its_scale():
    x = torch.randn(2, 3, 20, 24)
    small, large, whole = Deviations(3, (3, 31))(x)
    spread = x.std(dim=(-2, -1), correction=0, keepdim=True)
    around = x[..., 4:7, 4:7].mean(dim=(-2, -1), keepdim=True)
    assert torch.allclose(small[..., 5:6, 5:6], (around - x[..., 5:6, 5:6]).abs() / spread, atol=1e-5)
    assert torch.allclose(whole, (x - x.mean(dim=(-2, -1), keepdim=True)).abs() / spread, atol=1e-5)
    for found, scaled in zip((small, large, whole), Deviations(3, (3, 31))(7 * x + 2), strict=True):
        assert torch.allclose(found, scaled, atol=1e-4)


def test_kernels_of_the_reduction_have_length_one():
    conv = UnitConv2d(16, 4)
    x = torch.randn(1, 16, 3, 3)
    once = conv(x)
    conv.weight.data *= 5
    assert torch.allclose(conv(x), once, atol=1e-6)
    assert conv(torch.nn.functional.normalize(x, dim=1)).abs().max() <= 1


# In a slice with any noise, the floor is below every deviation and learns nothing.
@pytest.mark.parametrize("batch", [mixed_batch(), pristine_batch()])
def test_every_parameter_learns_from_mixed_and_from_pristine_slices(batch):
    assert without_gradient(tiny(), *batch) == ["deviations.floor"]


def test_a_constant_slice_gives_finite_answers_and_gradients():
    network, hu = tiny(), torch.full((2, 1, 40, 40), -2000.0)
    loss = network.loss(network(hu), torch.zeros(hu.shape, dtype=torch.bool))
    loss.backward()
    assert loss.isfinite()
    assert all(tensor.grad.isfinite().all() for tensor in network.parameters())
    assert network.eval()(hu).map.isfinite().all()


def test_the_loss_is_the_mean_cross_entropy_of_logits():
    maps = torch.tensor([[[[0.0, 2.0]]]])
    mask = torch.tensor([[[[True, False]]]])
    loss = tiny().loss(Answer(maps.amax(dim=(1, 2, 3)), maps), mask)
    assert loss.item() == pytest.approx((0.693147 + 2.126928) / 2)


def test_every_pixel_starts_as_one_that_is_hardly_ever_tampered():
    hu, _ = mixed_batch()
    for seed in range(3):
        torch.manual_seed(seed)
        maps = ManTraNet(ManTraNet.presets["tiny"])(hu).map
        assert maps.mean().item() == pytest.approx(-4, abs=0.5)


def test_the_published_rate_stays_what_it_is_and_the_tiny_one_falls():
    with torch.device("meta"):
        paper = ManTraNet(ManTraNet.presets["paper"])
    assert [paper.learning_rate(done) for done in (0, 0.5, 1)] == [1, 1, 1]
    assert tiny().config.lr * tiny().learning_rate(1) == pytest.approx(3e-4)


def test_it_learns_where_the_slices_of_a_batch_are_tampered():
    network = tiny()
    hu, mask = mixed_batch()
    losses = learned(network, 60, hu=hu, mask=mask)
    assert losses[-1] < 0.3 * losses[0]
    assert f1(network(hu).map, mask) > 0.8
