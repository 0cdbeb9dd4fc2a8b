import numpy as np
import pytest

from generation.errors import GenerationError
from generation.spectrum import FREQUENCIES, ROUNDING, Spectrum, radial_spectrum


def white(deviation, count, seed=0):
    noise = np.random.default_rng(seed).normal(-500, deviation, (count, 32, 32, 32))
    return noise.round().astype(np.int16)


def wave(cycles_per_mm, axis, amplitude=1000):
    phase = 2 * np.pi * cycles_per_mm * np.arange(32)
    along = np.moveaxis(np.broadcast_to(amplitude * np.sin(phase), (32, 32, 32)), -1, axis)
    return along.round().astype(np.int16)[None]


def test_frequencies_go_from_nothing_to_one_cycle_per_two_voxels():
    assert np.array_equal(FREQUENCIES, np.arange(9) / 16)
    assert len(radial_spectrum(white(40, 1)).power) == 9


def test_white_noise_is_flat_at_its_variance():
    power = radial_spectrum(white(40, 64)).power
    assert power[2:] == pytest.approx(40**2, rel=0.05)
    assert power[1] == pytest.approx(40**2, rel=0.12)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("cycles", [3, 4, 6])
def test_a_wave_stands_at_its_frequency_whatever_its_direction(cycles, axis):
    power = radial_spectrum(wave(cycles / 16, axis)).power
    assert power.argmax() == cycles
    assert np.delete(power, range(cycles - 2, cycles + 3)).max(initial=0) < 1e-3 * power[cycles]


def test_the_power_of_a_wave_adds_up_to_its_variance():
    """Parseval: a wave is half of its squared amplitude, here spread over the places of shells 2 to 6 of 16^3."""
    along = np.minimum(np.arange(16), 16 - np.arange(16)) ** 2
    radius = np.sqrt(along[:, None, None] + along[:, None] + along).round()
    places = np.array([(radius == shell).sum() for shell in range(9)])
    assert (radial_spectrum(wave(4 / 16, 2)).power * places).sum() / 16**3 == pytest.approx(1000**2 / 2, rel=0.01)


def test_only_the_core_counts():
    cubes = white(40, 2)
    elsewhere = white(400, 2)
    elsewhere[:, 8:24, 8:24, 8:24] = cubes[:, 8:24, 8:24, 8:24]
    assert np.array_equal(radial_spectrum(cubes).power, radial_spectrum(elsewhere).power)


def test_the_mean_does_not_count():
    assert radial_spectrum(white(40, 3)).power == pytest.approx(radial_spectrum(white(40, 3) + np.int16(700)).power)


def test_many_cubes_give_the_mean_of_their_spectra():
    halves = [radial_spectrum(white(40, 150, seed)).power for seed in (1, 2)]
    together = radial_spectrum(np.concatenate([white(40, 150, seed) for seed in (1, 2)])).power
    assert together == pytest.approx(np.mean(halves, axis=0))


def test_ten_times_the_power_is_ten_decibels_away_and_the_first_shell_is_left_out():
    power = np.array([1.0, 10.0, 20.0, 30.0])
    tenfold = Spectrum(np.array([7777.0, 100.0, 200.0, 300.0]))
    assert tenfold.distance_db(Spectrum(power)) == pytest.approx(10)
    assert Spectrum(power).distance_db(tenfold) == pytest.approx(10)


def test_a_spectrum_is_at_no_distance_from_itself():
    spectrum = radial_spectrum(white(40, 1))
    assert spectrum.distance_db(spectrum) == 0


def test_a_flat_core_has_a_finite_distance():
    flat = radial_spectrum(np.full((1, 32, 32, 32), -500, dtype=np.int16))
    noise = Spectrum(np.full(9, 1000 * ROUNDING))
    assert flat.distance_db(noise) == pytest.approx(30)


def test_without_a_cube_there_is_no_spectrum():
    with pytest.raises(GenerationError, match="at least one cube"):
        radial_spectrum(np.empty((0, 32, 32, 32), dtype=np.int16))
