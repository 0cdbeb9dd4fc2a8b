"""Signed distances, the lattice they live on, and the maps between patient and model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.phantom.cage import Cage
from builder.phantom.lattice import Coordinates, Field, Lattice, Sampler, ripples
from builder.phantom.posture import draw_posture
from builder.phantom.shapes import course, ellipsoid, joined, shared, smoothed, tube
from builder.phantom.stature import draw_stature

LATTICE = Lattice.spanning((-40.0, -30.0, -20.0), (40.0, 30.0, 20.0), 5.0)
CAGE = Cage(breadth=130, front=85, back=95, waist=-85, dome=200, lean=14)


def places(*points):
    z, y, x = np.array(points, dtype=np.float32).T
    return Coordinates(z, y, x)


@given(st.tuples(*[st.floats(-2, 2, width=32)] * 4))
def test_the_spline_keeps_every_linear_field(slopes):
    z, y, x = np.meshgrid(*LATTICE.axes, indexing="ij")
    linear = (slopes[0] * z + slopes[1] * y + slopes[2] * x + slopes[3]).astype(np.float32)
    rows, columns, heights = np.linspace(-30, 30, 17), np.linspace(-20, 20, 9), np.linspace(-40, 40, 11)
    read = Sampler(Field(LATTICE, linear), rows, columns).volume(heights)
    expected = slopes[0] * heights[:, None, None] + slopes[1] * rows[:, None] + slopes[2] * columns + slopes[3]
    np.testing.assert_allclose(read, expected, atol=1e-3)


def test_a_cut_field_reads_the_same_where_it_is_left():
    field = ripples(np.random.default_rng(0), LATTICE, 15.0)
    part = field.cut((slice(2, 15), slice(3, 12), slice(1, 10)))
    rows, columns, heights = np.array([0.0, 3.3]), np.array([1.0]), np.array([-7.7, 4.0])
    whole, cut = (Sampler(source, rows, columns).volume(heights) for source in (field, part))
    np.testing.assert_allclose(cut, whole, atol=1e-5)


def test_a_field_covers_only_the_rows_and_levels_of_its_lattice():
    sampler = Sampler(Field(LATTICE, np.zeros(LATTICE.shape, np.float32)), np.arange(-90.0, 90), np.arange(-9.0, 9))
    levels, _ = sampler.levels(np.arange(-100.0, 0))
    assert 28 <= sampler.rows.stop - 90 <= 40
    assert 50 <= levels.start <= 62


def test_ripples_have_unit_deviation():
    lattice = Lattice.spanning((0.0, 0.0, 0.0), (300.0, 300.0, 300.0), 10.0)
    values = ripples(np.random.default_rng(0), lattice, 20.0).values
    assert values.std() == pytest.approx(1, abs=0.1)
    assert abs(values.mean()) < 0.1


def test_an_ellipsoid_ends_at_its_radii():
    points = places((0, 0, 11), (0, 0, 10), (0, 4, 0), (6, 0, 0), (0, 3.5, 0))
    assert ellipsoid(points, (0.0, 0.0, 0.0), (6.0, 4.0, 10.0)) == pytest.approx([1, 0, 0, 0, -0.5], abs=1e-4)


def test_the_middle_of_an_ellipsoid_is_inside():
    assert -10 <= ellipsoid(places((1, 2, 3)), (1.0, 2.0, 3.0), (6.0, 4.0, 10.0))[0] <= -4


def test_a_turned_ellipsoid_ends_at_its_radii():
    frame = np.array([[0.0, 0.6, 0.8], [1.0, 0.0, 0.0], [0.0, -0.8, 0.6]])
    points = places(*(frame * np.array([[6.0], [4.0], [10.0]])))
    assert ellipsoid(points, (0.0, 0.0, 0.0), (6.0, 4.0, 10.0), frame) == pytest.approx([0, 0, 0], abs=1e-4)


def test_a_tube_is_round_about_its_course():
    path = course((0, 0, 0, 3), (20, 0, 0, 5))
    assert tube(places((0, 3, 0), (10, 0, 9), (20, 5, 0), (-4, 0, 0)), path) == pytest.approx([0, 5, 0, 1])


def test_a_smoothed_course_goes_through_its_stations():
    path = course((0, 0, 0, 3), (20, 5, 0, 5), (30, 0, 7, 4))
    dense = smoothed(path, 6)
    assert dense.points[::6] == pytest.approx(path.points)
    assert dense.radii[::6] == pytest.approx(path.radii)


@given(st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=4), st.floats(0.5, 15))
def test_blending_adds_to_a_union_and_takes_from_an_intersection(depths, blend):
    solids = [np.array([depth], dtype=np.float32) for depth in depths]
    assert min(depths) - blend <= joined(solids, blend)[0] <= min(depths) + 1e-4
    assert max(depths) - 1e-4 <= shared(solids, blend)[0] <= max(depths) + blend


@given(st.floats(0, np.pi), st.floats(-150, 95), st.floats(0, 12))
def test_points_on_the_cage_lie_where_its_distance_says(angle, height, outside):
    points = CAGE.surface(np.array([angle]), np.array([height]), 0.0)
    away = CAGE.surface(np.array([angle]), np.array([height]), outside)
    assert CAGE.distance(places(*points)) == pytest.approx(0, abs=0.05)
    assert CAGE.distance(places(*away))[0] >= 0.3 * outside - 0.05


def test_the_cage_is_as_wide_and_deep_as_it_says():
    angles = np.array([0.0, np.pi / 2, np.pi])
    behind, side, front = CAGE.surface(angles, np.full(3, -100.0), 0.0)
    assert (behind[1], side[2], front[1]) == pytest.approx((95, 130, -85))


@pytest.mark.parametrize("size", ["small", "full"])
def test_patient_and_model_places_are_inverse(size):
    rng = np.random.default_rng(3)
    stature = draw_stature(rng, size)
    reach = 150 * stature.scale
    posture = draw_posture(rng, stature, Lattice.spanning((-reach,) * 3, (reach,) * 3, 5 * stature.scale))
    model = rng.uniform(-110, 110, (50, 3))
    points = posture.patient_points(model)
    shifts = np.stack([shift.at(points) for shift in posture.shifts], axis=1)
    np.testing.assert_allclose(points @ posture.matrix.T + shifts, model, atol=0.1)
    assert np.abs(points - model * stature.scale).max() > 1
