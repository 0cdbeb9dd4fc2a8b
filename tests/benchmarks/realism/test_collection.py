import numpy as np
import pytest

from benchmarks.realism.collection import Collection, Measures, mean_of_known
from benchmarks.realism.frame import Frame
from benchmarks.realism.traits import OF_HU, TRAITS

SPACING = (2.5, 0.75, 0.75)
SHAPE = (9, 24, 24)


def frame():
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1:8, 1:23, 1:23] = True
    return Frame.of(mask, SPACING)


def window(seed, level):
    return np.rint(np.random.default_rng(seed).normal(-850, level, SHAPE)).astype(np.int16)


def test_noise_is_relative_to_the_surroundings_and_hu_are_not():
    """Twice the noise is log 2 more, whatever the level of the scan."""
    for level in (10, 40):
        places = Collection()
        around = [Measures.of(window(seed, level), frame()) for seed in (1, 2)]
        places.add("a", Measures.of(window(3, 2 * level), frame()), around, window(3, 2 * level)[0, 0], SPACING)
        found = dict(zip(TRAITS, places.trait_rows[0], strict=True))
        assert found["log noise"] == pytest.approx(np.log(2), abs=0.1)
        assert found["log power 0.4"] == pytest.approx(np.log(2), abs=0.2)
        assert found["mean"] == pytest.approx(-850, abs=5)
        assert found["log spread"] == pytest.approx(np.log(2 * level), abs=0.1)
        assert places.fine_noise_db[0] == pytest.approx(20 * np.log10(2), abs=1)


def test_without_surroundings_what_is_relative_is_not_known():
    places = Collection()
    places.add("a", Measures.of(window(3, 20), frame()), [], window(3, 20)[0, 0], SPACING)
    assert np.isnan(places.trait_rows[0, len(OF_HU) :]).all()
    assert not np.isnan(places.trait_rows[0, : len(OF_HU)]).any()
    assert np.isnan(places.fine_noise_db[0])


def test_voxels_are_counted_by_patient():
    places = Collection()
    for patient, value in (("a", -800), ("b", -700), ("a", -600)):
        values = np.full(10, value, dtype=np.int16)
        places.add(patient, Measures.of(window(1, 20), frame()), [], values, SPACING)
    assert places.histogram().sum() == 30
    assert places.histogram(["a"]).sum() == 20
    assert places.quantiles_hu((0.1, 0.5, 0.9)).tolist() == [-800, -700, -600]


def test_the_mean_leaves_out_what_is_not_known():
    values = np.array([[1.0, np.nan], [3.0, np.nan]])
    assert mean_of_known(values)[0] == 2
    assert np.isnan(mean_of_known(values)[1])
