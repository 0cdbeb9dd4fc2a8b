import multiprocessing

import numpy as np
import pytest
import tiny_release
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from m3dsynth_dataset import open_release
from m3dsynth_dataset.box import Box

SHAPE = (9, 25, 27)
BOX = tiny_release.EDITS["pix2pix", "inj_1"][1]


@pytest.fixture(scope="module")
def release(release_path):
    return open_release(release_path)


def crops(release, **options):
    given = {"config": "pix2pix-injection", "split": "train", "shape": SHAPE, "seed": 0} | options
    return release.crops(given.pop("config"), given.pop("split"), **given)


def cut(whole, crop, fill):
    """The same crop, cut out of a padded scan."""
    margin = 200
    padded = np.pad(whole, margin, constant_values=fill)
    start = crop["start_zyx"] + margin
    return padded[tuple(slice(first, first + length) for first, length in zip(start, crop["ct"].shape, strict=True))]


def test_a_balanced_set_shows_every_place_twice(release):
    tampered, before = crops(release)
    assert len(crops(release)) == 2
    assert (tampered["tampered"], before["tampered"]) == (True, False)
    assert np.array_equal(tampered["start_zyx"], before["start_zyx"])
    assert not before["mask"].any()
    assert np.array_equal(tampered["ct"][~tampered["mask"]], before["ct"][~tampered["mask"]])
    assert (tampered["ct"] != before["ct"])[tampered["mask"]].all()


@given(st.integers(0, 2**32), st.tuples(st.integers(1, 40), st.integers(1, 90), st.integers(1, 90)))
@settings(deadline=None, max_examples=60)
def test_any_crop_has_the_voxels_of_the_scan_and_air_beyond_it(release, seed, shape):
    for positions in ("edit", "away", "anywhere"):
        crop, before = crops(release, seed=seed, shape=shape, positions=positions)
        assert crop["ct"].dtype == np.int16
        np.testing.assert_array_equal(crop["ct"], cut(tiny_release.tampered("pix2pix", "inj_1"), crop, -1000))
        np.testing.assert_array_equal(before["ct"], cut(tiny_release.scan("scan-1"), before, -1000))


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_crops_at_the_edit_hold_all_of_it(release, seed):
    crop = crops(release, seed=seed)[0]
    assert BOX in Box(tuple(crop["start_zyx"].tolist()), SHAPE)


def test_crops_at_the_edit_do_not_show_it_always_in_the_middle(release):
    starts = {tuple(crops(release, seed=seed)[0]["start_zyx"].tolist()) for seed in range(40)}
    assert len(starts) > 10


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_crops_away_from_the_edit_hold_nothing_of_it(release, seed):
    crop = crops(release, seed=seed, shape=(3, 9, 9), positions="away")[0]
    assert not crop["tampered"]
    assert not Box(tuple(crop["start_zyx"].tolist()), (3, 9, 9)).intersection(BOX).size


def test_whole_slices_are_crops_of_one_plane(release):
    _, y, x = tiny_release.SHAPE
    crop = crops(release, shape=(1, y, x))[0]
    assert crop["start_zyx"].tolist()[1:] == [0, 0]
    assert crop["ct"].shape == (1, y, x)


def test_seed_and_epoch_change_the_places_and_nothing_else_does(release):
    def start(crops):
        return crops[0]["start_zyx"].tolist()

    first = crops(release, positions="anywhere")
    assert start(first) == start(crops(release, positions="anywhere"))
    assert start(first) != start(crops(release, positions="anywhere", seed=1))
    assert start(first) != start(first.at_epoch(1))
    assert start(first.at_epoch(1)) == start(first.at_epoch(1))
    assert first.item(0, 1)["start_zyx"].tolist() == first.at_epoch(1)[0]["start_zyx"].tolist()


def test_pristine_scans_are_shown_once(release):
    (crop,) = crops(release, config="pristine")
    assert not crop["tampered"]
    np.testing.assert_array_equal(crop["ct"], cut(tiny_release.scan("scan-1"), crop, -1000))


def test_unbalanced_sets_show_edits_alone(release):
    (crop,) = crops(release, balanced=False)
    assert crop["tampered"]


def as_lists(batches):
    return [(batch["ct"].tolist(), batch["start_zyx"].tolist(), batch["sample_id"]) for batch in batches]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize(("workers", "method"), [(1, "fork"), (2, "spawn"), (4, "forkserver")])
def test_loaders_give_the_same_with_any_workers(release, workers, method):
    many = crops(release, config="all", shape=(4, 8, 8))
    assert len(many) == 4
    many[0]  # a file is open before the workers start
    expected = as_lists(DataLoader(many, batch_size=2))
    context = multiprocessing.get_context(method)
    assert as_lists(DataLoader(many, batch_size=2, num_workers=workers, multiprocessing_context=context)) == expected


def test_negative_indices_count_from_the_end(release):
    many = crops(release)
    assert np.array_equal(many[-1]["ct"], many[1]["ct"])
    with pytest.raises(IndexError, match="index 2 is out of bounds for 2 crops"):
        many[2]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shape": (0, 4, 4)}, "each >= 1, got"),
        ({"seed": -1}, "seed must be >= 0, got -1"),
        ({"config": "dm-injection"}, "has no rows of 'dm-injection'"),
    ],
)
def test_crops_that_cannot_be_are_refused(release, wrong, message):
    with pytest.raises(ValueError, match=message):
        crops(release, **wrong)
