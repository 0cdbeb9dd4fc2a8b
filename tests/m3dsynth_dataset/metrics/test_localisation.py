import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, jaccard_score

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.metrics import Overlap, oracle_f1, overlap

SHAPE = (5, 7, 8)
NOWHERE = Box((0, 0, 0), (0, 0, 0))


@st.composite
def boxes(draw):
    start = [draw(st.integers(0, length - 1)) for length in SHAPE]
    shape = [draw(st.integers(1, length - first)) for first, length in zip(start, SHAPE, strict=True)]
    return Box(tuple(start), tuple(shape))


def whole(values, box):
    volume = np.zeros(SHAPE, values.dtype)
    volume[box.slices()] = values
    return volume


@given(heatmap_box=boxes(), mask_box=boxes(), seed=st.integers(0, 1000))
def test_boxes_give_what_whole_volumes_give(heatmap_box, mask_box, seed):
    rng = np.random.default_rng(seed)
    heatmap, mask = rng.random(heatmap_box.shape), rng.random(mask_box.shape) > 0.4
    mask.flat[0] = True
    found = overlap(heatmap, heatmap_box, mask, mask_box)
    said, truth = whole(heatmap, heatmap_box).ravel() > 0.5, whole(mask, mask_box).ravel()

    assert found.f1 == pytest.approx(f1_score(truth, said))
    assert found.iou == pytest.approx(jaccard_score(truth, said))


def test_a_case_worked_by_hand():
    heatmap = np.array([[[0.9, 0.6, 0.4]]])
    mask = np.array([[[True, False, True]]])
    box = Box((1, 1, 1), (1, 1, 3))

    assert overlap(heatmap, box, mask, box) == Overlap(hits=1, false_alarms=1, misses=1)
    assert overlap(heatmap, box, mask, box).f1 == 0.5
    assert overlap(heatmap, box, mask, box).iou == 1 / 3


def test_the_threshold_itself_is_not_above_it():
    box = Box((0, 0, 0), (1, 1, 2))

    assert overlap(np.array([[[0.5, 0.51]]]), box, np.ones((1, 1, 2), bool), box).hits == 1
    assert overlap(np.array([[[127, 128]]], np.uint8), box, np.ones((1, 1, 2), bool), box, 127.5).hits == 1


def test_an_empty_map_on_a_tampered_volume_scores_nothing():
    box = Box((0, 0, 0), (1, 1, 2))
    found = overlap(None, NOWHERE, np.ones((1, 1, 2), bool), box)

    assert found == Overlap(0, 0, 2)
    assert (found.f1, found.iou) == (0, 0)


def test_on_a_pristine_volume_there_is_nothing_to_localise():
    found = overlap(np.ones((1, 1, 2)), Box((0, 0, 0), (1, 1, 2)), None, NOWHERE)

    assert found == Overlap(0, 2, 0)
    assert not found.is_defined
    with pytest.raises(ValueError, match="tampered volumes only"):
        _ = found.f1
    with pytest.raises(ValueError, match="tampered volumes only"):
        _ = found.iou


def test_pooling_counts_voxels():
    pooled = Overlap(1, 1, 0) + Overlap(8, 0, 2)

    assert pooled == Overlap(9, 1, 2)
    assert pooled.f1 == pytest.approx(18 / 21)


@settings(max_examples=30)
@given(heatmap_box=boxes(), mask_box=boxes(), seed=st.integers(0, 1000))
def test_the_oracle_has_the_best_of_all_thresholds(heatmap_box, mask_box, seed):
    rng = np.random.default_rng(seed)
    heatmap, mask = rng.integers(0, 4, heatmap_box.shape, dtype=np.uint8) * 85, rng.random(mask_box.shape) > 0.4
    mask.flat[0] = True
    values, truth = whole(heatmap, heatmap_box).ravel(), whole(mask, mask_box).ravel()

    best = max(f1_score(truth, values >= level) for level in (85, 170, 255, 256))
    assert oracle_f1(heatmap, heatmap_box, mask, mask_box) == pytest.approx(best)


def test_the_oracle_finds_a_threshold_that_no_fixed_one_is():
    box = Box((0, 0, 0), (1, 1, 4))
    heatmap = np.array([[[90, 80, 70, 0]]], np.uint8)
    mask = np.array([[[True, True, False, False]]])

    assert overlap(heatmap, box, mask, box, 127.5).f1 == 0
    assert oracle_f1(heatmap, box, mask, box) == 1


def test_the_oracle_of_an_empty_map_or_of_one_elsewhere_finds_nothing():
    box, elsewhere = Box((0, 0, 0), (1, 1, 2)), Box((3, 0, 0), (1, 1, 2))
    mask = np.ones((1, 1, 2), bool)

    assert oracle_f1(None, NOWHERE, mask, box) == 0
    assert oracle_f1(np.full((1, 1, 2), 255, np.uint8), elsewhere, mask, box) == 0
    with pytest.raises(ValueError, match="mask is empty"):
        oracle_f1(None, NOWHERE, ~mask, box)


@settings(max_examples=30)
@given(heatmap_box=boxes(), mask_box=boxes(), seed=st.integers(0, 1000))
def test_the_permuted_f1_is_that_of_the_map_or_of_its_opposite(heatmap_box, mask_box, seed):
    rng = np.random.default_rng(seed)
    heatmap, mask = rng.random(heatmap_box.shape), rng.random(mask_box.shape) > 0.4
    mask.flat[0] = True
    said, truth = whole(heatmap, heatmap_box).ravel() > 0.5, whole(mask, mask_box).ravel()

    found = overlap(heatmap, heatmap_box, mask, mask_box).permuted_f1(math.prod(SHAPE))
    assert found == pytest.approx(max(f1_score(truth, said), f1_score(truth, ~said)))
