from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.detectors.edit_history import HISTORIES, EditHistory
from benchmarks.detectors.noiseprint import Noiseprint
from benchmarks.detectors.noiseprint_training import (
    MARGIN,
    PRESETS,
    contrast_loss,
    learn_from_release,
    patches,
    slabs_of,
    train_noiseprint,
)
from m3dsynth_dataset.release import open_release

SMALL = replace(PRESETS["tiny"], steps=60, patch=16, series=2, places=2, histories=3, views=2)


def extractor():
    torch.manual_seed(0)
    return Noiseprint(layers=6, features=16)


def scanners(recipe):
    """A source of slabs: tissue that differs from slice to slice, and noise whose strength is that of a scanner."""
    side = recipe.shape[1]

    def slabs(step):
        rng = np.random.default_rng(step)
        tissue = rng.normal(-700, 100, (recipe.series, recipe.views, 1, 1))
        noise = rng.normal(0, 1, (recipe.series, recipe.views, side, side))
        strength = 15 * 3.0 ** np.arange(recipe.series)[:, None, None, None]
        return (tissue + strength * noise).astype(np.int16)

    return slabs


def test_the_loss_is_infonce_over_all_of_a_class():
    residuals = torch.tensor([0.0, 1.0, 3.0, 5.0]).view(4, 1, 1, 1).expand(4, 1, 2, 3)
    closeness = {
        (i, j): np.exp(-((a - b) ** 2)) for i, a in enumerate((0, 1, 3, 5)) for j, b in enumerate((0, 1, 3, 5))
    }
    share = [closeness[i, (1, 0, 3, 2)[i]] / sum(closeness[i, j] for j in range(4) if j != i) for i in range(4)]
    loss = contrast_loss(residuals, torch.tensor([0, 0, 1, 1]))
    assert loss.item() == pytest.approx(-np.mean(np.log(share)), rel=1e-5)


def test_residuals_that_tell_the_classes_apart_cost_nothing_and_equal_ones_cost_chance():
    classes = torch.arange(6).repeat_interleave(2)
    apart = (100.0 * classes).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)
    assert contrast_loss(apart, classes).item() == pytest.approx(0, abs=1e-5)
    assert contrast_loss(torch.zeros(12, 1, 4, 4), classes).item() == pytest.approx(np.log(11), rel=1e-5)


def test_patches_of_a_class_share_series_place_and_history_and_are_of_different_slices():
    recipe = replace(SMALL, views=3)
    side = recipe.shape[1]
    hu = torch.empty(2, 3, side, side)
    for series in range(2):
        for view in range(3):
            hu[series, view] = -1200 + 400.0 * series + 100.0 * view
    hu[:, :, MARGIN + recipe.patch :, :] += 20
    histories = [EditHistory(), EditHistory(contrast=1.5)]
    batch, classes = patches(hu, histories, recipe, torch.Generator())
    assert batch.shape == (2 * 2 * 2 * 3, 3, 16, 16)
    assert (batch == batch[..., :1, :1]).all()  # no patch crosses the border between two quadrants
    assert classes.bincount().tolist() == [3] * 8
    hu_of = batch[:, 0, 0, 0] * 1800 - 1200
    place_history_series = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)]
    for number, (place, history, series) in enumerate(place_history_series):
        plain = np.array([-1200 + 400.0 * series + 20 * place + 100 * view for view in range(3)])
        wanted = plain if history == 0 else np.clip(-300 + 1.5 * (plain + 300), -1200, 600)
        assert hu_of[classes == number].tolist() == pytest.approx(wanted.tolist(), abs=0.1)


def test_training_tells_scanners_and_histories_apart_in_slices_it_has_not_seen():
    noiseprint, slabs = extractor(), scanners(SMALL)
    losses = train_noiseprint(noiseprint, slabs, SMALL, seed=0)
    assert len(losses) == SMALL.steps
    hu = torch.from_numpy(slabs(1000)).float()
    histories = [HISTORIES[0], EditHistory(blur=1.2), EditHistory(noise=40.0)]
    batch, classes = patches(hu, histories, SMALL, torch.Generator().manual_seed(0))
    trained, blank = (contrast_loss(network(batch), classes).item() for network in (noiseprint, extractor().eval()))
    chance = np.log(len(classes) - 1)
    assert blank > 0.95 * chance
    assert trained < 0.75 * chance


def test_the_trained_extractor_is_frozen():
    noiseprint = extractor()
    train_noiseprint(noiseprint, scanners(SMALL), replace(SMALL, steps=1), seed=0)
    assert not noiseprint.training
    assert not any(tensor.requires_grad for tensor in noiseprint.parameters())


def test_the_same_seed_gives_the_same_weights_and_another_others():
    weights = []
    for seed in (0, 0, 1):
        noiseprint = extractor()
        train_noiseprint(noiseprint, scanners(SMALL), replace(SMALL, steps=3), seed=seed)
        weights.append(torch.cat([tensor.flatten() for tensor in noiseprint.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def crops_of(release_path, recipe):
    release = open_release(release_path)
    return release.crops("pristine", "train", shape=recipe.shape, seed=0, positions="anywhere", balanced=False)


@pytest.mark.parametrize(("series", "batches"), [(1, 7), (3, 2)])
def test_slabs_show_every_scan_once_before_any_comes_again(series, batches):
    crops = _Scans(7)
    slabs = slabs_of(crops, replace(SMALL, series=series))
    for epoch in range(3):
        crops.asked.clear()
        for step in range(epoch * batches, (epoch + 1) * batches):
            assert len(slabs(step)) == series
        assert len(set(crops.asked)) == len(crops.asked) == series * batches


def test_slices_of_a_slab_are_a_gap_apart():
    recipe = replace(SMALL, views=3, gap=4, series=1)
    slab = np.random.default_rng(0).integers(-900, -700, recipe.shape).astype(np.int16)
    assert slab.shape[0] == 9
    assert np.array_equal(slabs_of(_Scans(1, slab), recipe)(0)[0], slab[[0, 4, 8]])


def test_slabs_of_a_step_are_always_the_same_and_those_of_two_epochs_are_not(release_path):
    recipe = SMALL
    crops = crops_of(release_path, recipe)
    batches = len(crops) // min(recipe.series, len(crops))
    again = slabs_of(crops_of(release_path, recipe), recipe)
    slabs = slabs_of(crops, recipe)
    assert np.array_equal(slabs(0), again(0))
    assert not np.array_equal(slabs(0), slabs(batches))


def test_slabs_without_tissue_are_drawn_again(release_path):
    recipe = replace(SMALL, series=1)
    crops = _MostlyAir(crops_of(release_path, recipe))
    assert np.ptp(slabs_of(crops, recipe)(0), axis=(2, 3)).all()


def test_it_learns_from_a_release(release_path):
    noiseprint = extractor()
    losses = learn_from_release(noiseprint, open_release(release_path), replace(SMALL, steps=2), seed=0)
    assert np.isfinite(losses).all()


class _Scans:
    """Crops of scans that are not there, which note which were asked for."""

    seed = 0

    def __init__(self, count, slab=None):
        self.count, self.asked = count, []
        self.slab = np.random.default_rng(0).integers(-900, -700, SMALL.shape) if slab is None else slab

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.asked.append(index)
        return {"ct": self.slab.astype(np.int16)}

    def at_epoch(self, epoch):
        return self


class _MostlyAir:
    """Crops of which all but every fourth are air."""

    def __init__(self, crops, epoch=0):
        self.crops, self.epoch, self.seed = crops, epoch, crops.seed

    def __len__(self):
        return len(self.crops)

    def __getitem__(self, index):
        crop = self.crops[index]
        return crop if self.epoch % 4 == 3 else crop | {"ct": np.full_like(crop["ct"], -1000)}

    def at_epoch(self, epoch):
        return _MostlyAir(self.crops.at_epoch(epoch), epoch)
