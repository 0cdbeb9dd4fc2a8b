import numpy as np

from benchmarks.malignancy.classifier import PRESETS, MalignancyClassifier
from benchmarks.realism.embedding import Embedding, malignancy_embedding
from m3dsynth_dataset import open_release


def test_a_malignancy_classifier_gives_features_of_a_place(noise_path, tmp_path, malignancy_account):
    import torch

    torch.manual_seed(0)
    MalignancyClassifier(PRESETS["tiny"], malignancy_account).save_pretrained(tmp_path)
    embedding = malignancy_embedding(str(tmp_path))
    assert isinstance(embedding, Embedding)
    sample = open_release(noise_path).sample("loud/inj_0")
    before, after = (embedding(ct, (5, 49, 49), (2.5, 0.75, 0.75)) for ct in (sample.pristine, sample.ct))
    assert before.shape == after.shape
    assert before.ndim == 1
    assert np.array_equal(before, embedding(sample.pristine, (5, 49, 49), (2.5, 0.75, 0.75)))
    assert not np.allclose(before, after)
