import numpy as np
import pytest
from annotation_database import AnnotatedSeries, Ball, write
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from builder.annotations import read_annotations
from builder.nodules import clusters, find_nodules


def nodules_of(tmp_path, *balls, **knobs):
    path = write(tmp_path / "a.sqlite", [AnnotatedSeries("1.2", "A", list(balls), **knobs)])
    return find_nodules(read_annotations(path)[0])


def test_readers_who_mean_the_same_place_make_one_nodule(tmp_path):
    (nodule,) = nodules_of(tmp_path, Ball((30, 60, 60), 12, (1, 2, 2)), Ball((31, 61, 60), 14, (5,)))
    assert nodule.readers == 4
    assert nodule.malignancy == 2.5
    assert nodule.diameter_mm == pytest.approx(12, rel=0.02)


def test_the_size_is_that_of_the_median_volume(tmp_path):
    (nodule,) = nodules_of(tmp_path, Ball((30, 60, 60), 9, (3,)), Ball((30, 60, 60), 12, (3,)), thickness_mm=2.0)
    assert nodule.diameter_mm == pytest.approx(((9**3 + 12**3) / 2) ** (1 / 3), rel=0.02)


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


@pytest.mark.parametrize("seed", range(6))
def test_nodules_are_those_of_all_distances_between_all_points(tmp_path, seed):
    """Held against the plain way: every distance, and all tolerances one after the other."""
    rng = np.random.default_rng(seed)
    balls = [Ball((int(z), int(y), int(x)), float(size), (3,) * int(readers))
             for z, y, x, size, readers in rng.integers((20, 60, 60, 4, 1), (32, 100, 100, 9, 4), (9, 5))]  # fmt: skip
    (scan,) = read_annotations(write(tmp_path / "a.sqlite", [AnnotatedSeries("1.2", "A", balls, thickness_mm=2.0)]))
    assert clusters(scan) == plain_clusters(scan)
    assert len(clusters(scan)) > 1


def plain_clusters(scan):
    points = [annotation.outline * (1, scan.pixel_spacing_mm, scan.pixel_spacing_mm) for annotation in scan.annotations]
    distances = np.array([[cdist(one, other).min() for other in points] for one in points])
    tolerance = scan.slice_thickness_mm
    while True:
        _, labels = connected_components(distances <= tolerance)
        groups = sorted(np.flatnonzero(labels == label).tolist() for label in set(labels))
        if max(map(len, groups)) <= 4 or tolerance < 0.1:
            return groups
        tolerance *= 0.9


def test_a_scan_without_annotations_has_no_nodules(tmp_path):
    assert nodules_of(tmp_path) == ()
