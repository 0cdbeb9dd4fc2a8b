"""Nodules, and what readers make of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.phantom.identity import Identity
from builder.phantom.lesions import draw_lesion
from builder.phantom.patient import draw_subject
from builder.phantom.readers import Hand, outline, rate
from builder.phantom.scanner import draw_scanner
from builder.phantom.stature import draw_stature

NAMES = ("malignancy", "spiculation")
STEADY = Hand(bias=0.0, tremor=0.0)


def scanner(seed=0):
    rng = np.random.default_rng(seed)
    return draw_scanner(rng, "small", draw_stature(rng, "small"), 1)


def inside(lesion, step):
    axis = np.arange(-1.6 * lesion.diameter, 1.6 * lesion.diameter, step)
    z, y, x = (axis + middle for middle in lesion.centre)
    return axis, lesion.distance(z[:, None, None], y[:, None], x) < 0


def area(points):
    x, y = np.array(points, dtype=float).T
    return abs((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) / 2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 999), st.floats(4, 30))
def test_a_nodule_has_the_volume_of_its_diameter(seed, diameter):
    lesion = draw_lesion(np.random.default_rng(seed), (3.0, -8.0, 5.0), diameter)
    _, filled = inside(lesion, diameter / 20)
    measured = np.cbrt(6 / np.pi * filled.sum() * (diameter / 20) ** 3)
    assert measured == pytest.approx(diameter, rel=0.03)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 999))
def test_no_part_of_a_nodule_lies_beyond_its_reach(seed):
    lesion = draw_lesion(np.random.default_rng(seed), (0.0, 0.0, 0.0), 12.0)
    axis, filled = inside(lesion, 0.8)
    away = np.sqrt(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2)
    assert away[filled].max() <= lesion.reach


def test_a_part_solid_nodule_is_ground_glass_with_a_core():
    lesion = replace(draw_lesion(np.random.default_rng(0), (0.0, 0.0, 0.0), 12.0), texture="part-solid", hu=20.0)
    glass, core = lesion.parts()
    assert glass.hu < -500 < core.hu == 20
    assert core.reach < lesion.reach
    assert core.centre != lesion.centre


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 999))
def test_an_outline_encloses_the_section(seed):
    rng = np.random.default_rng(seed)
    camera = scanner()
    lesion = draw_lesion(rng, (float(camera.heights[40]), 10.0, -20.0), 14.0)
    points = outline(rng, lesion, STEADY, camera, lesion.centre[0])
    rows, columns = (axis.astype(float) for axis in (camera.rows, camera.columns))
    section = (lesion.distance(np.full((1, 1), lesion.centre[0]), rows[:, None], columns) < 0).sum()
    assert points[0] == points[-1]
    assert area(points) == pytest.approx(section, rel=0.15)


def test_an_outline_has_the_column_first():
    rng, camera = np.random.default_rng(0), scanner()
    lesion = draw_lesion(rng, (0.0, float(camera.rows[60]), float(camera.columns[150])), 12.0)
    x, y = np.array(outline(rng, lesion, STEADY, camera, 0.0)).mean(axis=0)
    assert (x, y) == pytest.approx((150, 60), abs=3)


def test_no_outline_is_drawn_where_the_slice_misses_the_nodule():
    rng = np.random.default_rng(0)
    lesion = draw_lesion(rng, (0.0, 0.0, 0.0), 8.0)
    assert outline(rng, lesion, STEADY, scanner(), lesion.reach + 0.1) == ()


def test_two_outlines_by_an_unsteady_hand_differ():
    rng = np.random.default_rng(0)
    lesion = draw_lesion(rng, (0.0, 0.0, 0.0), 14.0)
    first, second = (outline(rng, lesion, Hand(0.1, 0.2), scanner(), 0.0) for _ in range(2))
    assert first != second
    assert area(first) == pytest.approx(area(second), rel=0.25)


def test_large_spiculated_nodules_are_rated_more_suspicious():
    rng = np.random.default_rng(0)
    lesion = draw_lesion(rng, (0.0, 0.0, 0.0), 5.0)
    small = replace(lesion, texture="solid", hu=30.0, sharpness=np.full_like(lesion.sharpness, 2.0))
    spicules = np.where(np.arange(len(lesion.swells)) < 3, 2.0, 60.0)
    large = replace(small, diameter=22.0, sharpness=spicules, swells=np.full_like(lesion.swells, 0.4))
    ratings = [[rate(rng, nodule) for _ in range(20)] for nodule in (small, large)]
    suspicion, spikes = ([np.mean([getattr(r, name) for r in group]) for group in ratings] for name in NAMES)
    assert suspicion[1] > suspicion[0] + 2
    assert spikes[1] > spikes[0] + 2


@pytest.mark.parametrize("number", [4, 5, 6])
def test_nodules_lie_in_the_lungs_apart_from_each_other(number):
    subject = draw_subject(Identity(0, "small", number))
    centres = np.array([lesion.centre for lesion in subject.lesions])
    assert 2 <= len(centres) <= 6
    assert (subject.anatomy.thorax.lung.at(centres) < 0).all()
    for index, lesion in enumerate(subject.lesions[1:], start=1):
        gaps = np.linalg.norm(centres[:index] - lesion.centre, axis=1)
        reaches = np.array([other.reach for other in subject.lesions[:index]]) + lesion.reach
        assert (gaps - reaches > 5).all()
