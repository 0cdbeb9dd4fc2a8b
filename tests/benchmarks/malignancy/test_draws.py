import pickle
from dataclasses import replace

import nodule_release
import pytest
import small_classifier
import torch

from benchmarks.errors import BenchmarkError
from benchmarks.malignancy import Ratings, sites_of
from benchmarks.malignancy.draws import CaseDraws, collate, nodules_of

CONFIG = replace(small_classifier.SMALL, nodules=2)


@pytest.fixture(scope="module")
def sites(nodules):
    return sites_of(nodules)


@pytest.fixture(scope="module")
def draws(nodules, sites):
    return CaseDraws(nodules, nodules_of(sites, Ratings()), CONFIG, seed=3)


def rated(sites, rating_of):
    return [
        replace(site, rating=rating, nodule=(site.nodule[0], site.diameter_mm, rating))
        for site in sites
        for rating in [rating_of(site)]
    ]


def test_nodules_are_told_apart_by_scan_and_those_between_are_left_out(sites):
    found = nodules_of(sites, Ratings())
    assert len(found) == len(nodule_release.SPLITS)
    assert {nodule.is_malignant for nodule in found["scan-PHANTOM-0001"]} == {True, False}

    middling = rated(sites, lambda site: 3.0 if site.patient_id == "PHANTOM-0001" else site.rating)
    assert "scan-PHANTOM-0001" not in nodules_of(middling, Ratings())


def test_two_sites_of_a_nodule_are_one_nodule(sites):
    beside = [replace(site, site_id=f"{site.site_id}b", centre_zyx=(19, 22, 22)) for site in sites]
    found = nodules_of([*sites, *beside], Ratings())

    assert [len(nodules) for nodules in found.values()] == [2] * len(nodule_release.SPLITS)
    assert all(len(nodule.sites) == 2 for nodules in found.values() for nodule in nodules)


def test_what_a_number_gives_depends_on_the_number_alone(draws):
    first, other = draws[5], draws[7]
    again = pickle.loads(pickle.dumps(draws))[5]

    assert torch.equal(first["hu"], again["hu"])
    assert not torch.equal(first["hu"], other["hu"])


def test_a_malignant_case_has_its_nodule_others_and_a_place_beside(draws):
    case = draws[0]

    assert case["malignant"].tolist() == [1, 0, 0]
    assert case["hu"].shape == (3, 16, 16, 16)
    assert case["locations"].shape == (3, 3, 4, 4, 4)
    middle = case["hu"][:, 6:10, 6:10, 6:10].mean((1, 2, 3))
    assert middle[0] > -300, "the large nodule"
    assert middle[2] < -500, "no nodule"


def test_every_second_case_is_led_by_a_benign_nodule_of_any_scan(nodules, sites):
    ill = rated(sites, lambda site: 1.0 if site.patient_id == "PHANTOM-0001" else site.rating)
    draws = CaseDraws(nodules, nodules_of(ill, Ratings()), replace(CONFIG, nodules=1), seed=0)
    looked_at = []
    draws._look = lambda rng, nodule, view: looked_at.append(nodule) or (torch.zeros(1, 1, 1), torch.zeros(3, 1, 1, 1))
    for number in range(60):
        draws[number]
    led = looked_at[::2]  # what follows each is the place beside it

    assert [nodule.is_malignant for nodule in led] == [number % 2 == 0 for number in range(60)]
    everybody = set(nodule_release.SPLITS)
    assert {nodule.sites[0].patient_id for nodule in led if not nodule.is_malignant} == everybody
    assert {nodule.sites[0].patient_id for nodule in led if nodule.is_malignant} == everybody - {"PHANTOM-0001"}


def test_a_batch_knows_whose_each_nodule_is(draws):
    batch = collate([draws[0], draws[1]])

    assert batch["cases"].tolist() == [0, 0, 0, 1, 1, 1]
    assert batch["malignant"].tolist() == [1, 0, 0, 0, 1, 0]
    assert len(batch["hu"]) == len(batch["locations"]) == 6


def test_without_ratings_or_with_one_kind_alone_nothing_can_be_learned(sites):
    with pytest.raises(BenchmarkError, match="no site to learn from has a rating"):
        nodules_of(rated(sites, lambda site: None), Ratings())
    with pytest.raises(BenchmarkError, match=r"no malignant nodule .* ratings are 1 to 3\.5.*--malignant"):
        nodules_of(rated(sites, lambda site: 3.5 if site.manipulation == "removal" else 1.0), Ratings())
    with pytest.raises(BenchmarkError, match="no benign nodule"):
        nodules_of(rated(sites, lambda site: 5.0), Ratings())
