import os
from dataclasses import replace

import pytest

from benchmarks.deception.judges import Judge, folded, given, trained
from benchmarks.errors import BenchmarkError
from benchmarks.malignancy import Ratings, train

FEW = {"steps": 2}


def learned_from(judge):
    return set(judge.classifier.account.provenance.patients)


def judged(judge):
    return {site.patient_id for site in judge.sites}


def test_the_patients_of_a_split_are_judged_by_one_who_learned_from_all_others(nodules, sites, options, tmp_path):
    (judge,) = trained(nodules, sites, "test", 4, tmp_path, replace(options, **FEW))

    assert judged(judge) == {"PHANTOM-0006", "PHANTOM-0007"}
    assert learned_from(judge) == {site.patient_id for site in sites} - judged(judge)


def test_all_are_judged_in_turn_each_by_one_who_has_not_seen_them(nodules, sites, options, tmp_path):
    judges = list(trained(nodules, sites, "all", 3, tmp_path, replace(options, **FEW)))

    assert sorted(site.site_id for judge in judges for site in judge.sites) == sorted(site.site_id for site in sites)
    assert len(judges) == 3
    assert not any(judged(judge) & learned_from(judge) for judge in judges)
    assert all(judged(judge) | learned_from(judge) == {site.patient_id for site in sites} for judge in judges)


def test_a_classifier_that_is_given_judges_nobody_it_has_learned_from(nodules, sites, options, tmp_path):
    others = [site for site in sites if site.patient_id != "PHANTOM-0006"]
    train(nodules, others, tmp_path, replace(options, **FEW))

    assert judged(given(str(tmp_path), sites, "test", options)) == {"PHANTOM-0006"}
    assert judged(given(str(tmp_path), sites, "all", options)) == {"PHANTOM-0006"}
    with pytest.raises(BenchmarkError, match=f"{os.fspath(tmp_path)}: has learned from every patient of 'train'"):
        given(str(tmp_path), sites, "train", options)


def test_a_judge_of_its_own_patients_cannot_be_made(nodules, sites, options, tmp_path):
    classifier = train(nodules, sites, tmp_path, replace(options, **FEW))

    with pytest.raises(BenchmarkError, match="has learned from PHANTOM-0001"):
        Judge(classifier, tuple(sites))


def test_every_group_has_its_share_of_patients_with_a_malignant_nodule(sites):
    ill = {"PHANTOM-0001", "PHANTOM-0002", "PHANTOM-0005"}
    rated = [replace(site, rating=4.5 if site.patient_id in ill else 1.0) for site in sites]

    groups = folded(rated, 3, Ratings())

    assert [len(group & ill) for group in groups] == [1, 1, 1]
    assert sorted(len(group) for group in groups) == [2, 2, 3]
    assert folded(list(reversed(rated)), 3, Ratings()) == groups


@pytest.mark.parametrize("folds", [1, 8])
def test_there_are_at_least_two_groups_and_no_more_than_patients(sites, folds):
    with pytest.raises(BenchmarkError, match=f"from 2 to the number of patients with edits, 7; got {folds}"):
        folded(sites, folds, Ratings())
