import math

import pytest

from m3dsynth_dataset.metrics import Overlap
from m3dsynth_dataset.scoring import Judgement
from m3dsynth_dataset.scoring.contest import Contest
from m3dsynth_dataset.scoring.parity import parity


def judgements(scores, label, **localisation):
    return [
        Judgement(
            f"{label}/{number}", f"patient-{number}", label, "dm", "removal", score, Overlap(0, 0, 0), **localisation
        )
        for number, score in enumerate(scores)
    ]


def test_three_definitions_of_pd_differ_on_the_same_scores():
    # Of 170 scans 1 % is 1.7: one may alarm, 0.169, so our threshold is the next.
    pristine = judgements([number / 1000 for number in range(170)], "pristine")
    tampered = judgements([0.168, 0.5, 0.9, 0.9], "tampered")
    found = parity({"overall": Contest(tampered, pristine, draws=5)})

    assert found.threshold == 0.168
    assert found.false_alarms == 1 / 170
    assert found.pd["overall"].value == 0.75
    # The curve rises from three of four at one scan to four of four at two, since there two scores are equal.
    assert found.pd_interp["overall"] == pytest.approx(0.75 + 0.7 * 0.25)
    # The corner at two scans is the nearest, though it is more than 1 %.
    assert found.pd_nearest["overall"] == 1


def test_localisation_is_a_mean_over_those_that_have_it():
    tampered = [
        *judgements([1.0], "tampered", oracle_f1=0.5, permuted_f1=0.25),
        *judgements([1.0], "tampered", oracle_f1=1.0, permuted_f1=0.75),
        *judgements([1.0], "tampered"),
    ]
    nothing = judgements([1.0], "tampered")
    pristine = judgements([0.0], "pristine")
    found = parity({"some": Contest(tampered, pristine, 2), "none": Contest(nothing, pristine, 2)})

    assert (found.oracle_f1["some"], found.permuted_f1["some"]) == (0.75, 0.5)
    assert math.isnan(found.oracle_f1["none"])
