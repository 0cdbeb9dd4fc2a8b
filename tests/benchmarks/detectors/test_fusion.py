import torch

from benchmarks.detectors.fusion import CrossAttention, Fusion
from benchmarks.detectors.rectification import Rectification


def test_rectification_and_fusion_of_mit_b2_have_16_59_million_parameters():
    widths, heads = (64, 128, 320, 512), (1, 2, 5, 8)
    with torch.device("meta"):
        modules = [Rectification(width) for width in widths]
        modules += [Fusion(width, head) for width, head in zip(widths, heads, strict=True)]
    assert sum(tensor.numel() for module in modules for tensor in module.parameters()) == 16_591_880


def test_two_maps_become_one():
    assert Fusion(8, 2)(*torch.randn(2, 3, 8, 5, 7)).shape == (3, 8, 5, 7)


def test_a_context_is_small_and_sums_to_1_over_the_keys():
    context = CrossAttention(8, 2).context(torch.randn(3, 35, 8))
    assert context.shape == (3, 2, 4, 4)
    assert torch.allclose(context.sum(dim=2), torch.ones(3, 2, 4))


def test_attention_crosses_over():
    """A change of one place of the noise reaches every place of the image's half, and only through the context."""
    torch.manual_seed(0)
    fusion = Fusion(8, 2).eval()
    image, noise = torch.randn(2, 1, 8, 5, 7)
    changed = noise.clone()
    changed[..., 2, 3] += 5
    seen = []
    fusion.merge.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for other in (noise, changed):
        fusion(image, other)
    of_image = (seen[0] - seen[1])[:, :8]
    assert (of_image.abs().amax(dim=1) > 1e-4).all()


def test_a_constant_image_has_a_constant_fusion_away_from_the_border():
    fused = Fusion(8, 2).eval()(torch.full((1, 8, 6, 6), 0.3), torch.full((1, 8, 6, 6), -0.2))[..., 1:-1, 1:-1]
    assert torch.allclose(fused, fused[..., :1, :1].expand_as(fused), atol=1e-5)
