import pytest
from annotation_database import AnnotatedSeries, Ball, write

from builder import sites as site_rule
from builder.annotations import read_annotations
from builder.sites import find_all_nodules, find_sites


def sites_of(tmp_path, *balls, patients=("A",)):
    series = [AnnotatedSeries(f"1.{number}", patient, list(balls)) for number, patient in enumerate(patients)]
    return find_sites(find_all_nodules(read_annotations(write(tmp_path / "a.sqlite", series))))


def places(sites):
    return [(site.site_id, site.manipulation, site.centre_zyx) for site in sites]


def test_a_middling_nodule_is_removed_twice_on_neighbouring_slices(tmp_path):
    assert places(sites_of(tmp_path, Ball((30, 60, 70), 12))) == [
        ("rem_1", "removal", (31, 60, 70)),
        ("rem_2", "removal", (32, 60, 70)),
    ]


def test_a_small_nodule_gets_neighbours_on_both_sides(tmp_path):
    assert places(sites_of(tmp_path, Ball((30, 60, 70), 6))) == [
        ("inj_1", "injection", (31, 65, 75)),
        ("inj_2", "injection", (32, 55, 65)),
    ]


def test_a_nodule_that_outgrows_the_core_is_left_alone(tmp_path):
    assert sites_of(tmp_path, Ball((30, 60, 70), 22)) == ()


@pytest.mark.parametrize(("diameter", "manipulation"), [(7.7, "injection"), (8.3, "removal"), (17.7, "removal")])
def test_the_diameter_decides(tmp_path, diameter, manipulation):
    assert {site.manipulation for site in sites_of(tmp_path, Ball((30, 60, 70), diameter))} == {manipulation}


def test_the_first_half_thousand_small_nodules_get_a_second_injection(tmp_path, monkeypatch):
    monkeypatch.setattr(site_rule, "SECOND_PASS", 2)
    found = sites_of(tmp_path, Ball((30, 60, 70), 6), patients=("A", "B", "C"))
    assert [site.patient_id for site in found] == ["A", "B", "C", "A", "B"]


def test_of_the_removed_the_second_half_comes_again_a_slice_above(tmp_path):
    found = sites_of(tmp_path, Ball((30, 60, 70), 12), patients=("A", "B", "C"))
    assert [(site.patient_id, site.centre_zyx[0]) for site in found] == [
        ("A", 31), ("B", 31), ("C", 31), ("A", 32), ("B", 32), ("C", 30),
    ]  # fmt: skip


def test_a_site_knows_its_nodule_and_its_place_in_the_patient(tmp_path):
    site = sites_of(tmp_path, Ball((30, 60, 70), 6))[0]
    assert site.nodule_zyx == (30, 60, 70)
    assert site.slice_mm == -20 - 31
    assert site.nodule.diameter_mm == pytest.approx(6, rel=0.03)
