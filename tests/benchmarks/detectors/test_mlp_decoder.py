import torch

from benchmarks.detectors.mlp_decoder import MlpDecoder


def test_a_decoder_of_mit_b2_has_1_58_million_parameters():
    with torch.device("meta"):
        decoder = MlpDecoder((64, 128, 320, 512), 512, 2)
    linear = 512 * (64 + 128 + 320 + 512) + 4 * 512
    assert (
        sum(tensor.numel() for tensor in decoder.parameters()) == linear + 2048 * 512 + 2 * 512 + 2 * 513 == 1_576_962
    )


def test_logits_have_the_size_of_the_first_stage():
    stages = [torch.randn(2, 4, 9, 11), torch.randn(2, 8, 5, 6)]
    assert MlpDecoder((4, 8), 16, 2).eval()(stages).shape == (2, 2, 9, 11)


def test_every_stage_counts():
    decoder, stages = MlpDecoder((4, 8), 16, 1).eval(), [torch.randn(1, 4, 9, 11), torch.randn(1, 8, 5, 6)]
    before = decoder(stages)
    for stage in stages:
        kept = stage.clone()
        stage += 1
        assert not torch.equal(decoder(stages), before)
        stage.copy_(kept)
