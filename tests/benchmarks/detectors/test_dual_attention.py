import torch

from benchmarks.detectors.dual_attention import ChannelAttention, DualAttention, PositionAttention


def position():
    torch.manual_seed(0)
    attention = PositionAttention(16)
    attention.share.data.fill_(0.7)
    return attention


def test_both_begin_as_the_identity():
    x = torch.randn(2, 16, 3, 5)
    assert torch.equal(PositionAttention(16)(x), x)
    assert torch.equal(ChannelAttention()(x), x)


def test_each_place_gets_the_values_of_all_by_plain_dot_products():
    attention, x = position(), torch.randn(2, 16, 3, 5)
    query, key, value = (layer(x).flatten(2) for layer in (attention.query, attention.key, attention.value))
    weights = torch.einsum("bci,bcj->bij", query, key).softmax(dim=2)
    expected = x + 0.7 * torch.einsum("bij,bcj->bci", weights, value).view(x.shape)
    assert torch.allclose(attention(x), expected, atol=1e-5)


def test_places_are_not_mixed_up_when_the_slice_is_turned_over():
    attention, x = position(), torch.randn(2, 16, 3, 5)
    assert torch.allclose(attention(x.flip(3)), attention(x).flip(3), atol=1e-5)


def test_each_channel_gets_those_least_like_it():
    attention = ChannelAttention()
    attention.share.data.fill_(0.7)
    x = torch.randn(2, 6, 3, 5)
    flat = x.flatten(2)
    likeness = torch.einsum("bin,bjn->bij", flat, flat)
    weights = (likeness.amax(dim=2, keepdim=True) - likeness).softmax(dim=2)
    assert torch.allclose(attention(x), x + 0.7 * torch.einsum("bij,bjn->bin", weights, flat).view(x.shape), atol=1e-5)


def test_large_features_in_16_bits_do_not_become_nan():
    attention = ChannelAttention()
    attention.share.data.fill_(1)
    with torch.autocast("cpu", dtype=torch.float16):
        assert attention(torch.full((1, 4, 32, 32), 50.0, dtype=torch.float16)).isfinite().all()


def test_both_branches_count():
    torch.manual_seed(0)
    attention, x = DualAttention(32, 1, 0.1).eval(), torch.randn(1, 32, 3, 5)
    head = attention.head
    assert torch.allclose(attention(x), head(attention.position(x) + attention.channel(x)), atol=1e-6)


def test_the_logits_have_the_size_of_the_features():
    assert DualAttention(32, 2, 0.1)(torch.randn(2, 32, 3, 5)).shape == (2, 2, 3, 5)
