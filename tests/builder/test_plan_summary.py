import sqlite3

import pytest
from annotation_database import AnnotatedSeries, Ball, write

from builder.annotations import read_annotations
from builder.plan import make_plan
from builder.plan_summary import evenly_sliced, summary, unchecked


@pytest.fixture
def scans(tmp_path):
    """Three patients: of the second a slice is missing, of the third one lies a tenth of a millimetre off."""
    nodules = {"A": Ball((30, 60, 70), 6), "B": Ball((30, 60, 70), 12), "C": Ball((30, 60, 70), 12)}
    series = [AnnotatedSeries(f"1.{number}", name, [ball]) for number, (name, ball) in enumerate(nodules.items(), 1)]
    path = write(tmp_path / "a.sqlite", series)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM zvals WHERE scan_id = 2 AND val = -40")
    connection.execute("UPDATE zvals SET val = -40.1 WHERE scan_id = 3 AND val = -40")
    connection.commit()
    return read_annotations(path)


def test_a_plan_is_summed_up_with_who_sees_whom(scans):
    text = summary(make_plan(scans))
    assert text.startswith("2 injection and 4 removal sites in 3 scans of 3 patients (1 train, 1 validation, 1 test")


def test_what_the_database_tells_of_the_stacks_is_told(scans):
    assert [evenly_sliced(scan) for scan in scans] == [True, False, False]
    text = unchecked(make_plan(scans), scans)
    assert "not checked: whether the scans are at hand" in text
    assert text.endswith("the slices of 2 scans are uneven or missing: B, C")
    assert "uneven" not in unchecked(make_plan(scans, at_hand={"1.1"}), scans)
