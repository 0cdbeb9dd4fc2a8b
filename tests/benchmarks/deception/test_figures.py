from dataclasses import replace
from math import isnan

import pytest

from benchmarks.deception.figures import ALL, RATED, faults, figures, percent
from benchmarks.deception.scores import Change


def change(number, manipulation, before, after, *, patient=None, generator="dm", malignant="by role"):
    kind = manipulation == "removal" if malignant == "by role" else malignant
    return Change(
        f"{manipulation[:3]}_{number}", f"scan-{number}", patient or f"P{number}", manipulation, generator,
        3.0, 10.0, kind, before, after,
    )  # fmt: skip


def swapped(count=10, **more):
    return [
        each
        for number in range(count)
        for each in (
            change(number, "removal", 0.9, 0.1, **more),
            change(number, "injection", 0.2, 0.8, **more),
        )
    ]


def kept(generator, count=10):
    return [
        change(n, kind, score, score, generator=generator)
        for n in range(count)
        for kind, score in (("removal", 0.9), ("injection", 0.2))
    ]


def of(found, group=ALL, generator="dm"):
    return next(each for each in found if (each.group, each.generator) == (group, generator))


def test_exchanged_roles_are_an_auc_of_one_before_and_of_zero_after():
    found = of(figures(swapped()))

    assert (found.before.value, found.after.value) == (1, 0)
    assert (found.injected.value, found.removed.value) == (1, 1)
    assert found.roles == "exchanged"
    assert (found.injections, found.removals, found.patients) == (10, 10, 10)


def test_what_changes_nothing_keeps_the_roles():
    found = of(figures(kept("dm")))

    assert found.roles == "kept"
    assert (found.injected.value, found.removed.value) == (0, 0)


def test_decisions_count_as_flipped_only_if_they_were_the_other_way_before():
    found = of(
        figures(
            [
                change(1, "removal", 0.9, 0.1),
                change(2, "removal", 0.9, 0.5),
                change(3, "removal", 0.4, 0.1),
                change(4, "injection", 0.1, 0.5),
                change(5, "injection", 0.1, 0.49),
                change(6, "injection", 0.6, 0.9),
            ]
        )
    )

    assert found.removed.value == 0.5
    assert found.injected.value == 0.5


def test_an_auc_counts_pairs_and_ties_half():
    found = of(
        figures(
            [
                change(1, "removal", 0.9, 0.1),
                change(2, "removal", 0.3, 0.5),
                change(3, "injection", 0.3, 0.5),
                change(4, "injection", 0.1, 0.4),
            ]
        )
    )

    assert found.before.value == (1 + 1 + 0.5 + 1) / 4
    assert found.after.value == (0 + 0 + 0.5 + 1) / 4


def test_rated_sites_are_removals_called_malignant_and_injections_called_benign():
    odd = [
        change(20, "removal", 0.1, 0.9, malignant=False),
        change(21, "removal", 0.1, 0.9, malignant=None),
        change(22, "injection", 0.9, 0.1, malignant=True),
        change(23, "injection", 0.9, 0.1, malignant=None),
    ]
    found = figures([*swapped(), *odd])

    assert (of(found, RATED).injections, of(found, RATED).removals) == (10, 10)
    assert of(found, RATED).before.value == 1
    assert (of(found, ALL).injections, of(found, ALL).removals) == (12, 12)
    assert of(found, ALL).before.value < 1


def test_intervals_are_by_patient():
    mixed = [
        change(n, "injection", 0.1, 0.9 if n < 5 else 0.1, patient="A" if n < 5 else "B") for n in range(10)
    ]  # fmt: skip
    alone = [change(n, "injection", 0.1, 0.9 if n < 5 else 0.1) for n in range(10)]

    two, ten = of(figures(mixed)).injected, of(figures(alone)).injected

    assert two.value == ten.value == 0.5
    assert (two.low, two.high) == (0, 1)
    assert 0 < ten.low < 0.5 < ten.high < 1


def test_generators_are_told_apart():
    found = figures([*swapped(), *kept("identity")])

    assert of(found).roles == "exchanged"
    assert of(found, generator="identity").roles == "kept"
    assert len(found) == 4


@pytest.mark.parametrize("manipulation", ["injection", "removal"])
def test_one_manipulation_alone_has_no_auc(manipulation):
    found = of(figures([change(n, manipulation, 0.4, 0.6) for n in range(3)]))

    assert isnan(found.before.value)
    assert found.roles == "unknown"


def test_roles_that_were_never_told_apart_cannot_be_exchanged():
    blind = [change(n, kind, (n * 7 % 10) / 10, after) for n in range(10)
             for kind, after in (("removal", 0.1), ("injection", 0.9))]  # fmt: skip

    assert of(figures(blind)).roles == "not told apart"


def test_few_patients_leave_nothing_beyond_doubt():
    assert of(figures(swapped(5))).roles == "exchanged"
    assert of(figures(swapped(4))).roles == "too few patients"
    assert of(figures(swapped(patient="A"))).roles == "too few patients"


def test_an_interval_across_one_half_leaves_the_roles_in_doubt():
    half = [
        change(n, kind, before, after if n < 5 else 1 - after)
        for n in range(10)
        for kind, before, after in (("removal", 0.9, 0.1), ("injection", 0.2, 0.9))
    ]

    assert of(figures(half)).roles == "in doubt"


def test_inpainters_that_swap_and_a_control_that_does_not_are_as_they_must_be():
    assert faults(figures([*swapped(), *kept("identity")])) == []


def test_an_inpainter_that_keeps_the_roles_and_a_control_that_swaps_them_are_faults():
    found = faults(figures([*kept("dm"), *swapped(generator="identity")]))

    assert found == [
        "dm must exchange the roles: kept (AUC 100.0 (100-100) before, 100.0 (100-100) after)",
        "identity, the control, must keep the roles: exchanged (AUC 100.0 (100-100) before, 0.0 (0-0) after)",
    ]


def test_an_exchange_must_not_be_beyond_doubt_but_more_than_half():
    def mixed(share):
        sites = swapped()
        return [*(each if int(each.scan_id[5:]) < share else replace(each, after=each.before) for each in sites),
                *kept("identity")]  # fmt: skip

    assert of(figures(mixed(6))).roles == "in doubt"
    assert faults(figures(mixed(6))) == []
    assert len(faults(figures(mixed(4)))) == 1


def test_a_release_without_the_control_proves_nothing():
    assert faults(figures(swapped())) == ["the release has no control (identity)"]


def test_figures_of_nothing_are_a_dash():
    assert percent(of(figures([change(1, "removal", 0.9, 0.1)])).after) == "-"
