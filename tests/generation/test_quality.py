import json

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from generation.equalisation import Equalisation
from generation.errors import GenerationError
from generation.identity import Identity
from generation.mask import core
from generation.quality import assess

LUNG_HU, TISSUE_HU = -800, 40


class Constant:
    """Fills every core with one value."""

    name = "constant"
    hidden = core()
    equalisation = Equalisation.linear()
    weights_sha256 = "c0ffee"

    def __init__(self, hu):
        self.hu = hu

    def inpaint(self, masked, seeds):
        return torch.full_like(masked, self.equalisation.equalise(torch.tensor([self.hu])).item())


class Remembering(Constant):
    """Gives back what it was shown beforehand, by the cube's seed."""

    name = "remembering"

    def __init__(self, cubes):
        self.cubes = cubes

    def inpaint(self, masked, seeds):
        return self.equalisation.equalise(torch.from_numpy(self.cubes[list(seeds)]))[:, None]


def cubes(count, diameter, seed=0, noise=40):
    """Noisy lung with a ball of tissue in the middle."""
    radius = np.linalg.norm(np.indices((32, 32, 32)) - 15.5, axis=0)
    tissue = np.clip(diameter / 2 - radius + 0.5, 0, 1)
    hu = LUNG_HU + tissue * (TISSUE_HU - LUNG_HU)
    return (hu + np.random.default_rng(seed).normal(0, noise, (count, 32, 32, 32))).round().astype(np.int16)


NONE = np.empty((0, 32, 32, 32), dtype=np.int16)


def judged(inpainter, manipulation="injection", *, truth=NONE, sites=NONE, reference=NONE):
    return assess(
        inpainter,
        manipulation,
        truth=truth,
        truth_seeds=list(range(len(truth))),
        sites=sites,
        site_seeds=list(range(len(sites))),
        reference=reference,
    )


def test_identity_makes_no_error_anywhere():
    quality = judged(Identity(), truth=cubes(3, 12), sites=cubes(2, 0))
    assert quality.core_mae_hu == 0
    assert quality.ring_error_hu == 0


def test_identity_on_the_real_cubes_themselves_is_at_no_distance():
    quality = judged(Identity(), truth=cubes(3, 12), sites=cubes(3, 12), reference=cubes(3, 12))
    assert quality.histogram_distance_hu == quality.histogram_floor_hu == 0
    assert quality.spectrum_distance_db == quality.spectrum_floor_db == 0
    assert quality.diameters_filled_mm == quality.diameters_real_mm


def test_an_inpainter_that_knows_the_truth_makes_no_error():
    truth = cubes(3, 12)
    quality = judged(Remembering(truth), truth=truth, sites=cubes(3, 0, seed=1))
    assert quality.core_mae_hu == 0
    assert quality.histogram_distance_hu == 0
    assert quality.spectrum_distance_db == 0
    assert quality.share_met == 1


def test_the_error_in_the_core_is_the_mean_absolute_difference():
    truth = np.where(np.arange(32) % 2, -700, -900).astype(np.int16) + np.zeros((2, 32, 32, 32), dtype=np.int16)
    assert judged(Constant(-750), truth=truth).core_mae_hu == pytest.approx(100, abs=1)


def test_only_hidden_voxels_count_as_the_core():
    inpainter = Constant(-750)
    inpainter.hidden = core(20)
    truth = np.where(core(), -750, -650).astype(np.int16)[None]
    assert judged(inpainter, truth=truth).core_mae_hu == pytest.approx(100 * (1 - 16**3 / 20**3), abs=1)


def test_the_error_in_the_core_is_right_for_any_two_values():
    assert judged(Constant(3000), truth=np.full((1, 32, 32, 32), -32000, dtype=np.int16)).core_mae_hu == 35000


@pytest.fixture
def spilling(monkeypatch):
    """Has ``fill`` change one voxel of the last cube by 7 HU."""

    def spill_at(*place):
        def spill(inpainter, cubes, seeds):
            filled = cubes.copy()
            filled[(slice(-1, None), *place)] += 7
            return filled

        monkeypatch.setattr("generation.quality.fill", spill)

    return spill_at


def test_a_change_outside_the_hidden_core_is_found(spilling):
    spilling(0, 0, 0)
    assert judged(Constant(0), sites=cubes(2, 0)).ring_error_hu == 7
    assert judged(Constant(0), truth=cubes(2, 0)).ring_error_hu == 7


def test_a_change_inside_it_is_none(spilling):
    spilling(6, 6, 6)
    wide = Constant(0)
    wide.hidden = core(20)
    assert judged(wide, sites=cubes(2, 0)).ring_error_hu == 0
    assert judged(Constant(0), sites=cubes(2, 0)).ring_error_hu == 7


def test_what_hides_nothing_may_change_nothing(spilling):
    spilling(16, 16, 16)
    assert judged(Identity(), sites=cubes(2, 0)).ring_error_hu == 7


def test_the_distance_of_histograms_is_that_of_wasserstein():
    sites, truth, reference = cubes(3, 0), cubes(2, 12, seed=1), cubes(4, 9, seed=2)
    quality = judged(Identity(), truth=truth, sites=sites, reference=reference)
    inside = core()
    expected = wasserstein_distance(sites[:, inside].ravel(), truth[:, inside].ravel())
    floor = wasserstein_distance(truth[:, inside].ravel(), reference[:, inside].ravel())
    assert quality.histogram_distance_hu == pytest.approx(expected)
    assert quality.histogram_floor_hu == pytest.approx(floor)


def test_a_shift_of_all_voxels_is_the_distance_of_histograms_and_none_of_spectra():
    truth = cubes(3, 12)
    quality = judged(Identity(), truth=truth, sites=truth + np.int16(25))
    assert quality.histogram_distance_hu == pytest.approx(25)
    assert quality.spectrum_distance_db == pytest.approx(0, abs=1e-9)


def test_missing_noise_is_seen_in_the_spectrum():
    real, smooth, learned = cubes(8, 0), cubes(8, 0, noise=4), cubes(8, 0, seed=1)
    quality = judged(Identity(), "removal", truth=real, sites=smooth, reference=learned)
    assert quality.spectrum_distance_db == pytest.approx(20, abs=1)
    assert quality.spectrum_floor_db < 1
    assert quality.power_real[-1] == pytest.approx(40**2, rel=0.1)
    assert quality.power_filled[-1] == pytest.approx(4**2, rel=0.1)


@pytest.mark.parametrize(("manipulation", "met", "met_real"), [("injection", 0.75, 1), ("removal", 0.25, 0)])
def test_the_share_of_nodules_that_meet_the_criterion(manipulation, met, met_real):
    sites = np.concatenate([cubes(3, 14), cubes(1, 5)])
    quality = judged(Identity(), manipulation, truth=cubes(2, 12), sites=sites)
    assert quality.diameters_filled_mm == pytest.approx([14, 14, 14, 5], abs=0.5)
    assert quality.diameters_real_mm == pytest.approx([12, 12], abs=0.5)
    assert (quality.share_met, quality.share_met_real) == (met, met_real)


def test_it_is_the_filled_sites_that_are_measured():
    quality = judged(Constant(TISSUE_HU), sites=cubes(2, 0), truth=cubes(2, 0))
    assert quality.share_met == 1
    assert quality.share_met_real == 0


def test_without_held_out_cubes_there_is_nothing_to_compare_with():
    quality = judged(Constant(-700), sites=cubes(2, 0), reference=cubes(2, 12))
    assert (quality.core_mae_hu, quality.histogram_distance_hu, quality.spectrum_distance_db) == (None, None, None)
    assert (quality.power_real, quality.diameters_real_mm, quality.share_met_real) == (None, None, None)
    assert quality.share_met == 0


def test_without_sites_the_real_cubes_are_still_filled():
    quality = judged(Constant(-700), truth=cubes(2, 12))
    assert (quality.power_filled, quality.diameters_filled_mm, quality.share_met) == (None, None, None)
    assert (quality.histogram_distance_hu, quality.spectrum_distance_db) == (None, None)
    assert quality.core_mae_hu > 0
    assert (np.abs(quality.shown["filled"][:, core()] + 700) <= 1).all()


def test_without_a_reference_there_is_no_floor():
    quality = judged(Identity(), truth=cubes(2, 12), sites=cubes(2, 0))
    assert (quality.histogram_floor_hu, quality.spectrum_floor_db) == (None, None)
    assert quality.histogram_distance_hu > 0


def test_without_any_cubes_there_is_nothing_to_judge():
    with pytest.raises(GenerationError, match=r"neither sites nor held-out cubes for removal.*builder extract"):
        judged(Identity(), "removal", reference=cubes(2, 0))


def test_another_manipulation_is_an_error():
    with pytest.raises(GenerationError, match="injection or removal, got 'blur'"):
        judged(Identity(), "blur", sites=cubes(1, 0))


def test_cubes_are_counted_and_the_weights_named():
    quality = judged(Constant(0), truth=cubes(3, 0), sites=cubes(2, 0), reference=cubes(4, 0))
    assert (quality.real_cubes, quality.site_cubes, quality.reference_cubes) == (3, 2, 4)
    assert (quality.generator, quality.manipulation, quality.weights_sha256) == ("constant", "injection", "c0ffee")


def test_a_few_cubes_are_kept_to_be_shown():
    sites = cubes(20, 0)
    shown = judged(Constant(TISSUE_HU), sites=sites).shown
    assert list(shown) == ["input", "masked", "filled"]
    assert all(len(row) == 8 for row in shown.values())
    assert np.array_equal(shown["input"][[0, -1]], sites[[0, -1]])
    assert (np.abs(shown["filled"][:, core()] - TISSUE_HU) <= 1).all()
    assert len(np.unique(shown["masked"][:, core()])) == 1


@pytest.mark.parametrize("empty", ["truth", "sites", "reference"])
def test_the_numbers_are_json_without_nan(empty):
    given = {"truth": cubes(2, 12), "sites": cubes(2, 0), "reference": cubes(2, 12)} | {empty: NONE}
    numbers = json.loads(json.dumps(judged(Constant(-700), **given).numbers(), allow_nan=False))
    assert numbers["generator"] == "constant"
    assert "shown" not in numbers
