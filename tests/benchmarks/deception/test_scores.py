from itertools import product

import pytest
import torch
from nodule_release import GENERATORS, PLACES

from benchmarks.deception.judges import Judge
from benchmarks.deception.scores import changes
from benchmarks.malignancy import MalignancyClassifier, Ratings
from benchmarks.malignancy.weights import Account, Provenance


class Brightness(MalignancyClassifier):
    """Scores by the mean of the middle 8 mm, in HU: -30 is even odds."""

    def forward(self, hu, locations):
        return (hu[:, 6:10, 6:10, 6:10].mean((1, 2, 3)) + 300) / 100


@pytest.fixture
def found(nodules, sites, options):
    origin = Provenance("", "", (), 1, 1, Ratings(), 0)
    classifier = Brightness(options.config(), Account("small", {}, origin)).eval()
    here = tuple(site for site in sites if site.patient_id == "PHANTOM-0001")
    return list(changes(nodules, Judge(classifier, here), Ratings()))


def test_every_generator_has_a_row_for_every_site(found):
    assert sorted((each.generator, each.manipulation) for each in found) == sorted(product(GENERATORS, PLACES))


def test_before_is_the_pristine_scan_and_after_the_edited_one(found):
    by = {(each.generator, each.manipulation): each for each in found}

    assert by["swap", "removal"].before > 0.9
    assert by["swap", "removal"].after < 0.1
    assert by["swap", "injection"].before < 0.2
    assert by["swap", "injection"].after > 0.9
    for manipulation in PLACES:
        control = by["identity", manipulation]
        assert control.after == pytest.approx(control.before, abs=0.01)
        assert control.after != control.before


def test_a_row_says_what_the_readers_said(found):
    assert {(each.manipulation, each.rating, each.is_malignant) for each in found} == {
        ("removal", 4.5, True),
        ("injection", 1.5, False),
    }
    assert torch.tensor([each.before for each in found]).isfinite().all()
