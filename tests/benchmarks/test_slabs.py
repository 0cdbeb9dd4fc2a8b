import numpy as np
import pytest
import torch

from benchmarks.slabs import CONTROL_SHARE, SlabDraws, augmented, collate
from m3dsynth_dataset import open_release

SHAPE = (1, 24, 24)


@pytest.fixture(scope="module")
def draws(release_path):
    return SlabDraws(open_release(release_path), ["pix2pix-injection"], "train", SHAPE, seed=3)


def test_even_numbers_are_tampered_and_odd_ones_are_not(draws):
    assert all(draws[number]["mask"].any() for number in range(0, 20, 2))
    assert not any(draws[number]["mask"].any() for number in range(1, 20, 2))


def test_a_number_gives_the_same_every_time(draws, release_path):
    again = SlabDraws(open_release(release_path), ["pix2pix-injection"], "train", SHAPE, seed=3)
    other = SlabDraws(open_release(release_path), ["pix2pix-injection"], "train", SHAPE, seed=4)

    assert all(np.array_equal(draws[number]["ct"], again[number]["ct"]) for number in range(8))
    assert not all(np.array_equal(draws[number]["ct"], other[number]["ct"]) for number in range(8))


def test_places_differ_from_number_to_number(draws):
    assert len({tuple(draws[number]["start_zyx"]) for number in range(0, 40, 2)}) > 10


def test_half_of_the_pristine_slabs_are_from_elsewhere(draws):
    box = open_release(draws._at[0].release.path).sample("pix2pix/inj_1").row
    start, stop = np.array(box["box_start_zyx"]), np.add(box["box_start_zyx"], box["box_shape_zyx"])

    def at_the_edit(number):
        first = draws[number]["start_zyx"]
        return bool(np.all((first < stop) & (first + SHAPE > start)))

    share = np.mean([at_the_edit(number) for number in range(1, 201, 2)])
    assert 0.35 < share < 0.75


def test_batches_are_small_numbers_and_not_what_networks_compute_with(draws):
    slabs = collate([draws[0], draws[1]])

    assert slabs["ct"].dtype == torch.int16
    assert slabs["mask"].dtype == torch.bool
    assert slabs["ct"].shape == (2, *SHAPE)


def test_voxels_and_mask_are_turned_alike(draws):
    slabs = collate([draws[number] for number in range(0, 32, 2)])
    marked = {"ct": torch.where(slabs["mask"], 100, 0).short(), "mask": slabs["mask"]}
    turned = augmented(marked, torch.Generator().manual_seed(0))

    assert torch.equal(turned["ct"] == 100, turned["mask"])
    assert not torch.equal(turned["mask"], slabs["mask"])
    assert torch.equal(turned["mask"].sum((1, 2, 3)), slabs["mask"].sum((1, 2, 3)))


def test_a_network_that_learns_from_the_control_is_told_that_it_is_not_tampered(release_path):
    release = open_release(release_path)
    draws = SlabDraws(release, ["pix2pix-injection"], "train", SHAPE, seed=3, controls=["identity-injection"])
    crops = [draws[number] for number in range(1, 101, 2)]
    control = [crop for crop in crops if crop["sample_id"].startswith("identity/")]
    edited, pristine = (release.sample("identity/inj_1").ct, release.sample("identity/inj_1").pristine)

    assert len(control) / len(crops) == pytest.approx(CONTROL_SHARE, abs=0.15)
    assert not any(crop["tampered"] or crop["mask"].any() for crop in control)
    for crop in control:
        start = tuple(crop["start_zyx"].tolist())
        assert np.array_equal(crop["ct"], edited.crop(start, SHAPE))
        assert not np.array_equal(crop["ct"], pristine.crop(start, SHAPE))
