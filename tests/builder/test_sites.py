import pytest
from annotation_database import AnnotatedSeries, Ball, write

from builder import sites as site_rule
from builder.annotations import read_annotations
from builder.nodules import find_nodules
from builder.sites import find_sites


def everybody(patient):
    return True


def sites_of(tmp_path, *balls, patients=("A",), is_drawn=everybody):
    series = [AnnotatedSeries(f"1.{number}", patient, list(balls)) for number, patient in enumerate(patients)]
    scans = read_annotations(write(tmp_path / "a.sqlite", series))
    return find_sites([(scan, nodule) for scan in scans for nodule in find_nodules(scan)], is_drawn)


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


@pytest.mark.parametrize(("diameter", "manipulation"), [(8.2, "injection"), (8.9, "removal"), (18.2, "removal")])
def test_the_diameter_decides(tmp_path, diameter, manipulation):
    assert {site.manipulation for site in sites_of(tmp_path, Ball((30, 60, 70), diameter))} == {manipulation}


def test_the_second_pass_stops_at_the_published_number(tmp_path, monkeypatch):
    monkeypatch.setattr(site_rule, "INJECTION_SITES", 5)
    found = sites_of(tmp_path, Ball((30, 60, 70), 6), patients=("A", "B", "C"))
    assert [site.patient_id for site in found] == ["A", "B", "C", "A", "B"]


def test_only_patients_who_are_drawn_count_towards_that_number(tmp_path, monkeypatch):
    monkeypatch.setattr(site_rule, "INJECTION_SITES", 3)
    found = sites_of(tmp_path, Ball((30, 60, 70), 6), patients=("A", "B", "C"), is_drawn={"A", "C"}.__contains__)
    assert [site.patient_id for site in found] == ["A", "B", "C", "A", "B"]


def test_a_site_knows_its_nodule_and_its_place_in_the_patient(tmp_path):
    site = sites_of(tmp_path, Ball((30, 60, 70), 6))[0]
    assert site.nodule_zyx == (30, 60, 70)
    assert site.slice_mm == -20 - 31
    assert site.nodule.diameter_mm == pytest.approx(6, rel=0.03)
