import numpy as np
import pytest

from builder.parenchyma import AWAY_FROM_NODULES_MM, healthy_places
from builder.scan import Scan
from m3dsynth_dataset.volume import Geometry

SPACING = (2.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def chest():
    """A body of water in air, with two boxes of lung in it and a windpipe of air between them."""
    voxels = np.full((60, 160, 200), -1000, np.int16)
    voxels[:, 20:140, 10:190] = 40
    voxels[5:55, 40:120, 30:90] = -860
    voxels[5:55, 40:120, 110:170] = -860
    voxels[:, 60:70, 95:105] = -1000
    geometry = Geometry(SPACING, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0))
    return Scan("1.2", "A", voxels, geometry)


def places(chest, nodules=(), count=50, seed=0):
    return healthy_places(chest, list(nodules), count, np.random.default_rng(seed))


def test_places_lie_in_the_lungs_and_not_in_the_windpipe_or_outside(chest):
    found = places(chest)
    assert len(found) == 50
    assert {int(chest.voxels[place]) for place in found} == {-860}


def test_both_lungs_are_seen(chest):
    assert {place[2] > 100 for place in places(chest)} == {True, False}


def test_places_keep_away_from_nodules(chest):
    nodule = (30, 80, 60)
    for place in places(chest, [nodule], count=400):
        assert np.linalg.norm(np.subtract(place, nodule) * SPACING) >= AWAY_FROM_NODULES_MM


def test_no_place_is_drawn_twice_and_small_lungs_give_fewer(chest):
    everywhere = places(chest, count=100_000)
    assert len(set(everywhere)) == len(everywhere) < 100_000


def test_a_seed_gives_the_same_places(chest):
    assert places(chest, seed=1) == places(chest, seed=1) != places(chest, seed=2)


def test_a_scan_without_lungs_has_none(chest):
    water = Scan("1.2", "A", np.full_like(chest.voxels, 40), chest.geometry)
    assert places(water) == []
