"""Tubes on the fine grid, and the trees that are made of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.phantom.shapes import course
from builder.phantom.strokes import Grid, along, draw, ribbon, together
from builder.phantom.vessels import Tree, beside, branches, grow

EDGE = (1.0, 1.0)


def grid(shape=(40, 50, 60), step=0.8, bottom=-16.0):
    return Grid(np.array([bottom, -20.0, -24.0]), np.array([step] * 3), shape)


def covered(strokes, where=None, edge=EDGE):
    where = where or grid()
    cover = np.zeros(where.shape, dtype=np.float32)
    places = draw(cover, where, strokes, edge)
    return cover, places


def volume(strokes, edge=EDGE):
    return covered(strokes, edge=edge)[0].sum() * 0.8**3


@settings(max_examples=20, deadline=None)
@given(st.tuples(*[st.floats(-9, 9)] * 3), st.floats(1.5, 4), st.floats(1.5, 4))
def test_a_capsule_fills_its_volume(end, thick, thin):
    start = np.array([0.0, 0.5, -0.5])
    length = np.linalg.norm(np.array(end) - start)
    cone = np.pi * length * (thick**2 + thick * thin + thin**2) / 3
    caps = 2 / 3 * np.pi * (thick**3 + thin**3)
    assert volume(along(course((*start, thick), (*end, thin)))) == pytest.approx(cone + caps, rel=0.1)


def test_a_flat_capsule_is_thin_along_its_normal_only():
    path = course((0, 0, -12, 6), (0, 0, 12, 6))
    cover, _ = covered(ribbon(path, np.tile([0.0, 1.0, 0.0], (2, 1)), 3.0))
    z, y = np.nonzero(cover[:, :, 30] > 0.5)
    assert np.ptp(z) * 0.8 == pytest.approx(12, abs=1.7)
    assert np.ptp(y) * 0.8 == pytest.approx(4, abs=1.7)


def test_a_thin_vessel_fades_with_its_section():
    thin, thinner = (covered(along(course((0, 0, -15, r), (0, 0, 15, r))))[0].max() for r in (0.3, 0.15))
    assert 0 < 3 * thinner < thin < 0.6


def test_slabs_show_what_the_whole_shows():
    paths = [course((-14, -9, 3, 2), (12, 8, -9, 3)), course((-3, 9, 0, 4), (9, -12, 17, 1))]
    strokes = together([along(path) for path in paths])
    whole, _ = covered(strokes)
    lower, _ = covered(strokes, grid((16, 50, 60)))
    upper, _ = covered(strokes, grid((24, 50, 60), bottom=-16.0 + 16 * 0.8))
    np.testing.assert_allclose(np.concatenate([lower, upper]), whole, atol=1e-4)


def test_nothing_is_drawn_outside_the_places_that_are_named():
    cover, places = covered(along(course((0, 0, 0, 2), (6, 30, 9, 3))))
    cover.reshape(-1)[places] = 0
    assert places.size
    assert not cover.any()


def test_strokes_outside_a_slab_are_left_out():
    strokes = together([along(course((0, 0, 0, 2), (6, 3, 9, 3))), along(course((60, 0, 0, 2), (66, 3, 9, 3)))])
    assert len(strokes.within(-5, 20).thick) == 1


@given(st.integers(1, 60), st.integers(0, 99))
def test_a_tree_reaches_all_its_ends_and_shares_them_out(count, seed):
    rng = np.random.default_rng(seed)
    ends = rng.uniform(10, 60, (count, 3))
    tree = grow(rng, np.zeros(3), ends)
    tips = tree.nodes[1:][tree.leaves[1:] == 1]
    assert sorted(map(tuple, tips.round(6))) == sorted(map(tuple, ends.round(6)))
    given_on = np.bincount(tree.parents[1:], weights=tree.leaves[1:], minlength=len(tree.nodes))
    inner = np.flatnonzero(given_on)
    assert given_on[inner].tolist() == tree.leaves[inner].tolist()


def test_calibres_follow_murray():
    tree = grow(np.random.default_rng(0), np.zeros(3), np.random.default_rng(1).uniform(5, 60, (200, 3)))
    radii = tree.calibre(0.4)
    children = [radii[1:][tree.parents[1:] == node] for node in range(len(radii)) if tree.leaves[node] > 1]
    assert radii.min() == pytest.approx(0.4)
    assert all((pair**2.7).sum() ** (1 / 2.7) <= radii.max() + 1e-9 for pair in children)
    assert radii[0] == pytest.approx((children[0] ** 2.7).sum() ** (1 / 2.7))


def test_branches_join_and_taper():
    tree = grow(np.random.default_rng(0), np.zeros(3), np.random.default_rng(1).uniform(5, 60, (50, 3)))
    strokes = branches(np.zeros_like(tree.nodes), tree, tree.calibre(0.4))
    ends = {tuple(np.round(point, 6)) for point in strokes.ends} | {(0.0, 0.0, 0.0)}
    assert all(tuple(np.round(point, 6)) in ends for point in strokes.starts)
    assert (strokes.thin <= strokes.thick + 1e-9).all()


def test_a_companion_keeps_its_distance():
    tree = Tree(np.array([[0.0, 0, 0], [10, 0, 0], [20, 5, 0]]), np.array([0, 0, 1]), np.array([1, 1, 1]))
    beside_it = beside(tree, np.array([2.0, 2, 2]), np.array([0.0, 0, 1]), root=np.array([1.0, 1, 1]))
    assert np.linalg.norm(beside_it.nodes - tree.nodes, axis=1)[1:] == pytest.approx([2, 2])
    assert beside_it.nodes[0].tolist() == [1, 1, 1]
