import numpy as np
import pytest

from generation.errors import GenerationError
from generation.nodule_size import diameter_mm, meets

LUNG_HU, TISSUE_HU = -800, 40
PLACES = np.stack(np.meshgrid(*[np.arange(32) - 15.5] * 3, indexing="ij"))


def direction(rng):
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)


def ball(diameter, centre=(0, 0, 0)):
    """How deep each voxel lies in a ball, in mm; negative outside."""
    return diameter / 2 - np.linalg.norm(PLACES - np.reshape(centre, (3, 1, 1, 1)), axis=0)


def wall(distance, towards):
    """The same for all that is further than a distance from the centre."""
    return np.tensordot(towards, PLACES, 1) - distance


def vessel(diameter, towards):
    along = np.tensordot(towards, PLACES, 1)
    return diameter / 2 - np.sqrt(np.maximum((PLACES**2).sum(axis=0) - along**2, 0))


def cube(rng, *depths, noise=40):
    tissue = np.clip(np.max([np.full((32, 32, 32), -9.0), *depths], axis=0) + 0.5, 0, 1)
    hu = LUNG_HU + tissue * (TISSUE_HU - LUNG_HU) + rng.normal(0, noise, tissue.shape)
    return hu.round().astype(np.int16)


def measured(make, seeds=4):
    return diameter_mm(np.stack([make(np.random.default_rng(seed)) for seed in range(seeds)]))


@pytest.mark.parametrize("noise", [40, 100])
@pytest.mark.parametrize("diameter", [4, 5, 6, 8, 10, 12, 14, 16, 18])
def test_a_noisy_ball_has_its_diameter_wherever_it_lies_between_voxels(diameter, noise):
    sizes = measured(lambda rng: cube(rng, ball(diameter, rng.uniform(-1, 1, 3)), noise=noise))
    assert np.abs(sizes - diameter).max() < 0.6


def test_a_larger_ball_measures_more_by_as_much():
    sizes = measured(lambda rng: cube(rng, ball(6))), measured(lambda rng: cube(rng, ball(12)))
    assert np.abs(sizes[1] - sizes[0] - 6).max() < 0.3


@pytest.mark.parametrize("noise", [0, 40, 100])
def test_plain_lung_has_no_nodule(noise):
    assert not measured(lambda rng: cube(rng, noise=noise)).any()


def test_a_speck_is_none():
    assert not measured(lambda rng: cube(rng, ball(2, rng.uniform(-1, 1, 3)))).any()


def test_tissue_from_end_to_end_is_none():
    assert not diameter_mm(np.full((1, 32, 32, 32), TISSUE_HU, dtype=np.int16)).any()


@pytest.mark.parametrize("distance", [-20, -6, 0, 6, 12])
def test_the_chest_wall_is_none_at_whatever_slant_it_crosses_the_core(distance):
    assert not measured(lambda rng: cube(rng, wall(distance, direction(rng)))).any()


@pytest.mark.parametrize("diameter", [6, 10, 14])
def test_a_ball_beside_the_chest_wall_keeps_its_diameter(diameter):
    sizes = measured(lambda rng: cube(rng, ball(diameter), wall(diameter / 2, direction(rng))))
    assert np.abs(sizes - diameter).max() < 1


def test_a_thin_vessel_is_none():
    assert not measured(lambda rng: cube(rng, vessel(2, direction(rng)))).any()


def test_a_thick_vessel_counts_as_little_more_than_its_width_however_far_it_runs():
    sizes = measured(lambda rng: cube(rng, vessel(4, direction(rng))))
    assert ((sizes > 4) & (sizes < 7)).all()


@pytest.mark.parametrize("diameter", [8, 12])
def test_a_vessel_that_feeds_a_ball_hardly_adds_to_it(diameter):
    sizes = measured(lambda rng: cube(rng, ball(diameter), vessel(3, direction(rng))))
    assert np.abs(sizes - diameter).max() < 0.7


def test_the_thicker_of_two_balls_is_measured():
    sizes = measured(lambda rng: cube(rng, ball(8, (0, 0, -4)), ball(5, (0, 0, 5))))
    assert np.abs(sizes - 8).max() < 0.5


def test_a_smaller_ball_within_reach_does_not_add():
    sizes = measured(lambda rng: cube(rng, ball(10, (2.5, 0, 0)), ball(4, (-6, 0, 0))))
    assert np.abs(sizes - 10).max() < 0.5


def test_a_ball_in_the_ring_is_not_of_the_core():
    assert not measured(lambda rng: cube(rng, ball(7, (0, 0, -12)))).any()


@pytest.mark.parametrize("noise", [0, 40])
def test_a_ball_that_outgrows_the_core_is_as_large_as_the_core_can_hold(noise):
    assert (np.abs(measured(lambda rng: cube(rng, ball(26), noise=noise)) - 19.8) < 0.3).all()


def test_a_ball_as_thick_as_the_chest_wall_beside_it_is_none_of_it():
    assert (measured(lambda rng: cube(rng, ball(24), wall(14, (0, 1, 0)))) > 19).all()


def test_a_flood_of_tissue_in_the_core_is_a_large_nodule_and_no_wall():
    flooded = np.full((1, 32, 32, 32), LUNG_HU, dtype=np.int16)
    flooded[:, 8:24, 8:24, 8:24] = TISSUE_HU
    flooded[:, 20:] = TISSUE_HU
    assert diameter_mm(flooded)[0] > 14


def test_ground_glass_is_not_solid():
    haze = np.where(ball(12) > 0, -600, LUNG_HU).astype(np.int16)
    assert not diameter_mm(haze[None]).any()


def test_no_cubes_have_no_diameters():
    assert diameter_mm(np.empty((0, 32, 32, 32), dtype=np.int16)).shape == (0,)


def test_injection_wants_more_than_10_mm_and_removal_less_than_8():
    diameters = np.array([0.0, 7.9, 8.0, 10.0, 10.1])
    assert meets("injection", diameters).tolist() == [False, False, False, False, True]
    assert meets("removal", diameters).tolist() == [True, True, False, False, False]


def test_another_manipulation_is_an_error():
    with pytest.raises(GenerationError, match="injection or removal, got 'blur'"):
        meets("blur", np.zeros(1))
