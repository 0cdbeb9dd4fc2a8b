import sys

import pytest
import torch
from transformers import SegformerConfig, SegformerModel

from benchmarks.detectors.mix_transformer import MixTransformer
from m3dsynth_dataset.errors import MissingExtraError

NARROW = {"widths": (8, 16, 24, 32), "depths": (1, 2, 1, 1), "heads": (1, 2, 3, 4), "reductions": (8, 4, 2, 1)}


def narrow(**other):
    return MixTransformer(**NARROW | other, drop_path=0.0)


def test_mit_b2_has_24_196_million_parameters():
    with torch.device("meta"):
        encoder = MixTransformer((64, 128, 320, 512), (3, 4, 6, 3), (1, 2, 5, 8), (8, 4, 2, 1), drop_path=0.1)
    assert sum(tensor.numel() for tensor in encoder.parameters()) == 24_196_288


def test_the_stages_are_1_4th_to_1_32nd_of_the_picture():
    x, sizes = torch.randn(2, 3, 70, 90), []
    for stage in narrow().stages:
        x = stage(x)
        sizes.append(tuple(x.shape))
    assert sizes == [(2, 8, 18, 23), (2, 16, 9, 12), (2, 24, 5, 6), (2, 32, 3, 3)]


def test_the_smallest_picture_is_the_smallest():
    encoder = narrow()
    assert encoder.smallest == 29
    x = torch.randn(1, 3, 29, 29)
    for stage in encoder.stages:
        x = stage(x)
    with pytest.raises(RuntimeError):
        encoder.stages[0](torch.randn(1, 3, 28, 28))


def test_the_depthwise_convolutions_do_not_begin_as_nothing():
    kernel = narrow().stages[3].blocks[0].mlp.dwconv.dwconv.weight
    assert kernel.std().item() == pytest.approx((2 / 9) ** 0.5, rel=0.1)


def test_pretrained_weights_give_the_answer_of_their_model(tmp_path):
    torch.manual_seed(0)
    model = SegformerModel(
        SegformerConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 2, 1, 1], num_attention_heads=[1, 2, 3, 4])
    ).eval()
    model.save_pretrained(tmp_path)
    encoder, picture = narrow().eval(), torch.randn(1, 3, 64, 64)
    encoder.load_pretrained(str(tmp_path))
    x = picture
    for stage in encoder.stages:
        x = stage(x)
    assert torch.equal(x, model(picture).last_hidden_state)


def test_pretrained_weights_of_another_size_are_refused(tmp_path):
    SegformerModel(SegformerConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1])).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"\(1, 1, 1, 1\)\), but the preset needs .*\(1, 2, 1, 1\)\)"):
        narrow().load_pretrained(str(tmp_path))


def test_the_error_without_transformers_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"m3dsynth\[benchmarks\]"):
        narrow()
