import annotation_database as database
import pytest

from builder.annotations import read_annotations
from builder.official_nodules import nodule_columns
from builder.official_tables import OfficialSite, SeriesKey


@pytest.fixture
def scan(tmp_path):
    """Two nodules, at slices 20 and 40, read by four and by two."""
    balls = [database.Ball((20, 100, 120), 6.0), database.Ball((40, 200, 210), 12.0, (5, 4))]
    path = database.write(tmp_path / "db.sqlite", [database.AnnotatedSeries("1.2", "LIDC-IDRI-9001", balls)])
    return read_annotations(path)[0]


def site(manipulation, *centre):
    return OfficialSite("inj_1", manipulation, SeriesKey("LIDC-IDRI-9001", 3), centre)


@pytest.mark.parametrize(
    ("place", "readers"),
    [
        (site("injection", 21, 105, 125), 4),
        (site("injection", 22, 95, 115), 4),
        (site("injection", 21, 105, 115), None),  # on the other diagonal
        (site("injection", 24, 105, 125), None),
        (site("removal", 41, 200, 210), 2),
        (site("removal", 42, 204, 206), 2),
        (site("removal", 41, 209, 210), None),
        (site("removal", 38, 200, 210), None),
    ],
)
def test_a_site_belongs_to_the_nodule_that_the_rule_has_it_from(scan, place, readers):
    found = nodule_columns(scan, [place])
    assert [columns["readers"] for columns in found.values()] == ([] if readers is None else [readers])


def test_the_columns_are_those_of_the_nodule(scan):
    (columns,) = nodule_columns(scan, [site("removal", 41, 200, 210)]).values()
    assert columns == {"nodule_diameter_mm": pytest.approx(12.0, rel=0.05), "malignancy": 4.5, "readers": 2}


def test_a_scan_without_nodules_gives_none(tmp_path):
    path = database.write(tmp_path / "db.sqlite", [database.AnnotatedSeries("1.2", "LIDC-IDRI-9001")])
    assert nodule_columns(read_annotations(path)[0], [site("removal", 1, 2, 3)]) == {}
