import numpy as np
import pytest

from benchmarks.audit.chance import Telling, exchange, judged, telling, won
from m3dsynth_dataset.metrics import Interval

PATIENTS = 16
OWNERS = [str(number) for number in range(PATIENTS) for _ in range(3)]
LABELS = np.array([copy > 0 for _ in range(PATIENTS) for copy in range(3)])


def noise(seed, columns=2):
    return np.random.default_rng(seed).normal(size=(len(LABELS), columns))


def test_what_tells_the_label_is_told():
    found = telling(noise(0) + 9 * LABELS[:, None], LABELS, OWNERS, tests=14)
    assert found.auc.value == 1
    assert found.is_told
    assert "cannot be told from chance" in str(found)


def test_what_is_unusual_on_either_side_is_told():
    features = np.abs(noise(0)) + 1
    features[LABELS] *= 9 * np.random.default_rng(1).choice([-1, 1], (LABELS.sum(), 1))
    assert telling(features, LABELS, OWNERS, tests=14).is_told


def test_luck_is_told_as_rarely_as_it_should():
    found = [telling(noise(seed), LABELS, OWNERS, tests=1, seed=seed) for seed in range(24)]
    assert sum(each.auc.value > each.limit for each in found) <= 4  # 1.2 expected
    assert np.mean([each.auc.value for each in found]) == pytest.approx(0.5, abs=0.06)


def test_more_checks_and_fewer_patients_let_luck_reach_further():
    few = telling(noise(0)[:18], LABELS[:18], OWNERS[:18], tests=14)
    many = telling(noise(0), LABELS, OWNERS, tests=14)
    assert few.limit > many.limit > telling(noise(0), LABELS, OWNERS, tests=1).limit > 0.5


def test_a_shift_that_only_the_patients_own_scan_would_show_is_no_leak():
    """Every tampered scan is a little brighter than its own pristine one; patients differ by far more."""
    features = np.repeat(100 * noise(0, 1)[:PATIENTS], 3, axis=0) + 0.01 * LABELS[:, None]
    found = telling(features, LABELS, OWNERS, tests=14)
    assert found.auc.value == pytest.approx(0.5, abs=0.05)
    assert not found.is_told


def test_what_is_the_same_in_all_versions_tells_nothing():
    found = telling(np.repeat(noise(0)[:PATIENTS], 3, axis=0), LABELS, OWNERS, tests=14)
    assert found.auc.value == 0.5
    assert str(found).endswith("the same in all versions of a scan")


def test_three_patients_are_too_few():
    found = telling(noise(0)[:9], LABELS[:9], OWNERS[:9], tests=1)
    assert not found.is_measurable
    assert str(found) == "3 patients are too few"


def test_the_same_samples_in_another_order_are_told_as_well():
    order = np.random.default_rng(5).permutation(len(LABELS))
    features = noise(0) + LABELS[:, None]
    one = telling(features, LABELS, OWNERS, tests=1)
    other = telling(features[order], LABELS[order], [OWNERS[place] for place in order], tests=1)
    assert one.auc.value == pytest.approx(other.auc.value)


def test_a_score_counts_against_other_patients_of_its_half_alone():
    scores = np.array([5.0, 1.0, 3.0, 3.0, 9.0])
    labels = np.array([True, False, True, False, False])
    owners = np.array([0, 0, 1, 1, 2])
    wins, met = won(scores, labels, owners, np.array([True, True, False]))
    assert met.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert wins.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_nobody_is_judged_by_what_they_taught():
    """A patient who alone has a feature is scored as if nobody had it."""
    owners = np.arange(8)
    ranks = np.zeros((8, 1))
    ranks[3] = 1
    targets = np.tile(np.where(owners == 3, 1.0, -1.0)[:, None], 2)
    found = judged(ranks, targets, owners, owners < 4)
    assert found[3, 0] == pytest.approx(found[2, 0])


def test_exchanged_labels_keep_how_many_a_patient_has():
    owners = np.repeat(np.arange(PATIENTS), 3)
    drawn = exchange(LABELS, owners, np.random.default_rng(0))
    assert (drawn != LABELS).any()
    assert (np.bincount(owners[drawn]) == 2).all()


def test_patients_with_and_without_edits_are_exchanged():
    owners, labels = np.arange(40), np.arange(40) < 10
    drawn = exchange(labels, owners, np.random.default_rng(0))
    assert drawn.sum() == 10
    assert (drawn != labels).any()


@pytest.mark.parametrize(
    ("auc", "limit", "is_told"),
    [
        (Interval(0.8, 0.7, 0.9), 0.75, True),
        (Interval(0.8, 0.7, 0.9), 0.85, False),  # by luck
        (Interval(0.8, 0.45, 0.9), 0.75, False),  # for other patients, perhaps not
        (Interval(0.53, 0.52, 0.54), 0.51, False),  # for sure, but it helps nobody
        (Interval(1.0, 1.0, 1.0), 1.1, False),  # of so few patients nothing can be told
    ],
)
def test_a_leak_is_above_luck_for_sure_and_of_use(auc, limit, is_told):
    assert Telling(auc, limit, 9).is_told is is_told
