from collections import Counter

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.sealing.drawing import Shares, draw
from benchmarks.sealing.lots import Lots
from m3dsynth_dataset.scoring import Truth

GROUPS = [(generator, kind) for generator in ("pix2pix", "dm") for kind in ("injection", "removal")]


def truth(scan, label="pristine", generator="none", manipulation="none", *, patient=None):
    return Truth(
        f"{generator}/{manipulation}/{scan}", patient or f"P{scan}", scan, label, generator, manipulation,
        (8, 8, 8), None, None,
    )  # fmt: skip


def versions(scan, *, patient=None, groups=GROUPS):
    return [
        truth(scan, patient=patient),
        *(truth(scan, "tampered", *group, patient=patient) for group in groups),
        truth(scan, "control", "identity", "removal", patient=patient),
    ]


def scans(count):
    return [each for number in range(count) for each in versions(f"scan-{number}")]


def lots(number=0):
    return Lots(number.to_bytes(32, "big"))


def labels(drawn):
    return Counter(each.label for each in drawn)


def test_of_every_scan_one_version_goes_out_in_the_wanted_shares():
    drawn = draw(scans(40), Shares(0.5, 0.1), lots())

    assert len({each.scan_id for each in drawn}) == len(drawn) == 40
    assert labels(drawn) == {"tampered": 20, "control": 4, "pristine": 16}


def test_generators_and_manipulations_come_equally_often():
    drawn = draw(scans(40), Shares(0.5, 0), lots())

    groups = Counter((each.generator, each.manipulation) for each in drawn if each.label == "tampered")
    assert groups == dict.fromkeys(GROUPS, 5)


def test_a_group_that_few_scans_have_is_drawn_where_it_can_be():
    some = [each for number in range(12) for each in versions(f"scan-{number}", groups=GROUPS[: 1 + (number < 6)])]
    drawn = draw(some, Shares(0.8, 0), lots())

    groups = Counter((each.generator, each.manipulation) for each in drawn if each.label == "tampered")
    assert groups[GROUPS[1]] >= 3
    assert sum(groups.values()) == 10


def test_any_scan_is_as_likely_to_be_tampered_as_any_other():
    often = Counter(
        each.scan_id
        for number in range(300)
        for each in draw(scans(6), Shares(0.5, 0.2), lots(number))
        if each.label == "tampered"
    )
    assert len(often) == 6
    assert all(110 < count < 190 for count in often.values())


def test_the_order_of_the_rows_does_not_matter():
    assert draw(scans(10), Shares(), lots()) == draw(scans(10)[::-1], Shares(), lots())


def test_another_secret_draws_others():
    assert set(draw(scans(20), Shares(), lots(1))) != set(draw(scans(20), Shares(), lots(2)))


def test_one_scan_of_a_patient_goes_out():
    two = [each for scan in ("a", "b") for each in versions(scan, patient="Twice")]
    drawn = draw([*two, *scans(3)], Shares(), lots())

    assert sorted(each.patient_id for each in drawn) == ["Pscan-0", "Pscan-1", "Pscan-2", "Twice"]


def test_a_scan_that_could_only_be_pristine_stays_back():
    drawn = draw([truth("plain"), *scans(3)], Shares(), lots())
    assert "plain" not in {each.scan_id for each in drawn}


def test_of_two_scans_of_a_patient_it_is_the_one_with_edits():
    for number in range(8):
        drawn = draw([truth("plain", patient="Pscan-0"), *scans(3)], Shares(), lots(number))
        assert {each.scan_id for each in drawn} == {"scan-0", "scan-1", "scan-2"}


@pytest.mark.parametrize("shares", [Shares(0.01, 0), Shares(0.98, 0.01), Shares(0.5, 0.49)])
def test_however_small_a_share_there_are_tampered_and_pristine_ones(shares):
    found = labels(draw(scans(2), shares, lots()))
    assert found == {"tampered": 1, "pristine": 1}


def test_one_patient_is_too_few():
    with pytest.raises(BenchmarkError, match=r"must be at least two, .*; got 1"):
        draw([*scans(1), truth("plain")], Shares(), lots())


def test_a_scan_without_a_pristine_row_is_named():
    with pytest.raises(BenchmarkError, match=r"scan-\d has no pristine row"):
        draw([each for each in scans(4) if each.label != "pristine"], Shares(), lots())


@pytest.mark.parametrize("shares", [(0, 0), (1, 0), (0.5, 0.5), (0.5, -0.1), (float("nan"), 0)])
def test_shares_that_leave_a_kind_out_are_refused(shares):
    with pytest.raises(BenchmarkError, match="leave room for pristine ones"):
        Shares(*shares)
