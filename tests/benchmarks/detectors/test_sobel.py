import torch

from benchmarks.detectors.sobel import SobelGate


def test_constant_features_have_no_gradient_anywhere_and_are_halved():
    x = torch.full((1, 4, 6, 8), 3.0)
    gate = SobelGate().eval()
    assert not gate.gradient(x).any()
    assert torch.allclose(gate(x), x / 2, atol=1e-3)


def test_slopes_along_each_axis_are_told_apart():
    y, x = torch.meshgrid(torch.arange(6).float(), torch.arange(8).float(), indexing="ij")
    features = torch.stack([x, x + 6 * y])[None]
    along_x, along_y = SobelGate().gradient(features)[0, :, 1:-1, 1:-1]
    assert torch.equal(along_x, torch.full((4, 6), 8.0))
    assert torch.equal(along_y, torch.full((4, 6), 24.0))


def test_features_pass_at_a_step_and_half_of_them_elsewhere():
    x = torch.ones(1, 2, 6, 8)
    x[..., 4:] = 9
    share = SobelGate().eval()(x) / x
    assert share[..., 3:5].min() > 0.99
    assert torch.allclose(share[..., :3], torch.tensor(0.5), atol=1e-3)


def test_the_slope_of_flat_features_is_finite():
    x = torch.zeros(1, 2, 6, 8, requires_grad=True)
    gate = SobelGate()
    gate(x + 1).sum().backward()
    assert x.grad.isfinite().all()
    assert all(tensor.grad.isfinite().all() for tensor in gate.parameters())


def test_the_filters_are_not_learned():
    assert {name for name, _ in SobelGate().named_parameters()} == {"normalise.weight", "normalise.bias"}
    assert "kernels" not in SobelGate().state_dict()
