import numpy as np
import pytest

from benchmarks.realism.assessment import BEFORE, BESIDE, NODULES, assess


def test_each_config_is_held_against_tissue_of_its_kind(assessments):
    kinds = {name: row.tissue for name, row in assessments.items()}
    assert kinds["loud-injection"] == NODULES
    assert kinds["loud-removal"] == BESIDE
    assert kinds["identity-injection"] == kinds["identity-removal"] == BEFORE
    assert all(row.edits == row.places == row.patients == 8 for row in assessments.values())


def test_edits_of_other_noise_are_found(assessments):
    for manipulation in ("injection", "removal"):
        loud = assessments[f"loud-{manipulation}"]
        assert loud.fine_noise_db.value == pytest.approx(20 * np.log10(2), abs=1.5)
        assert loud.spectrum_db.value == pytest.approx(20 * np.log10(2), abs=1.5)
        assert loud.spectrum_db.is_beyond
        assert loud.auc.value == 1
        assert loud.histogram_hu.is_beyond


def test_edits_of_the_same_noise_are_not(assessments):
    like = assessments["like-removal"]
    assert like.fine_noise_db.value == pytest.approx(0, abs=1.5)
    assert like.spectrum_db.value < 1.5
    assert like.correlation.value < 0.1
    assert like.auc.low < 0.5 or like.auc.value < 0.75
    assert like.histogram_hu.value < 5


def test_the_control_that_changes_nothing_is_at_no_distance(assessments):
    for manipulation in ("injection", "removal"):
        row = assessments[f"identity-{manipulation}"]
        assert row.spectrum_db.value == row.correlation.value == row.histogram_hu.value == 0
        assert row.frechet.value == pytest.approx(0, abs=1e-6)
        assert row.seam_ratio.value == row.seam_ratio.low == row.seam_ratio.high == 1
        assert row.auc.value == 0.5
        assert row.fine_noise_db == row.fine_noise_tissue_db


def test_a_step_is_a_seam_and_a_shift_of_hu_and_no_noise(assessments):
    row = assessments["step-removal"]
    # |n + 150| of noise that differs by about 30 HU from voxel to voxel, against |n|.
    assert row.seam_ratio.low > 4
    assert row.seam_beside_ratio.value == pytest.approx(row.seam_ratio.value * row.seam_tissue_ratio.value, rel=0.02)
    assert row.seam_tissue_ratio.value == pytest.approx(1, abs=0.1)
    assert row.histogram_hu.value == pytest.approx(150, abs=3)
    assert row.spectrum_db.value < 1.5


def test_floors_are_between_halves_of_the_tissue(assessments):
    row = assessments["loud-removal"]
    assert 0 < row.spectrum_db.floor.middle <= row.spectrum_db.floor.limit < 3
    assert 0 < row.histogram_hu.floor.middle < 5
    assert 0 < row.frechet.floor.middle < row.frechet.value


def test_without_features_there_is_no_frechet_distance(without_features):
    [row] = assess(without_features)
    assert np.isnan(row.frechet.value)
    assert np.isnan(row.frechet.floor.middle)


def test_features_of_any_callable_find_louder_noise(assessments):
    assert assessments["loud-removal"].frechet.is_beyond
    assert not assessments["like-removal"].frechet.value > 3 * assessments["like-removal"].frechet.floor.limit
