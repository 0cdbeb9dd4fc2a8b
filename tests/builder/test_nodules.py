import pytest
from annotation_database import AnnotatedSeries, Ball, write

from builder.annotations import read_annotations
from builder.nodules import find_nodules


def nodules_of(tmp_path, *balls, **knobs):
    path = write(tmp_path / "a.sqlite", [AnnotatedSeries("1.2", "A", list(balls), **knobs)])
    return find_nodules(read_annotations(path)[0])


def test_readers_who_mean_the_same_place_make_one_nodule(tmp_path):
    (nodule,) = nodules_of(tmp_path, Ball((30, 60, 60), 12, (1, 2, 2)), Ball((31, 61, 60), 14, (5,)))
    assert nodule.readers == 4
    assert nodule.malignancy == 2.5
    assert nodule.diameter_mm == pytest.approx(12, rel=0.02)


def test_places_apart_are_nodules_of_their_own_from_the_head_down(tmp_path):
    first, second = nodules_of(tmp_path, Ball((40, 90, 20), 6), Ball((10, 60, 60), 12))
    assert first.centre == pytest.approx((-30, 60, 60), abs=0.1)
    assert second.centre == pytest.approx((-60, 90, 20), abs=0.1)


def test_neighbours_that_merge_into_more_than_four_readers_part_again(tmp_path):
    """Two balls 1 mm apart: within the slice thickness of 1.5 mm, yet eight annotations."""
    balls = Ball((30, 60, 60), 8), Ball((30, 60, 60 + 18), 8)
    nodules = nodules_of(tmp_path, *balls, thickness_mm=1.5)
    assert [nodule.readers for nodule in nodules] == [4, 4]


def test_neighbours_within_the_tolerance_are_one_nodule_when_the_readers_are_few(tmp_path):
    balls = Ball((30, 60, 60), 8, (3,)), Ball((30, 60, 60 + 18), 8, (3,))
    assert [nodule.readers for nodule in nodules_of(tmp_path, *balls, thickness_mm=1.5)] == [2]


def test_a_scan_without_annotations_has_no_nodules(tmp_path):
    assert nodules_of(tmp_path) == ()
