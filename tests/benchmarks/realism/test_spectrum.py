import numpy as np
import pytest
from scipy import ndimage

from benchmarks.realism.spectrum import FREQUENCIES, SHELL_PER_MM, decibels, noise_power

SPACING = (2.5, 0.7, 0.7)


def white(sigma, shape=(60, 48, 48)):
    return np.rint(np.random.default_rng(1).normal(-800, sigma, shape)).astype(np.int16)


def test_white_noise_is_flat_at_its_variance_times_the_area_of_a_pixel():
    power = noise_power(white(30), SPACING)[1:12]
    assert np.allclose(power, 30**2 * 0.7**2, rtol=0.07)


def test_the_integral_over_fourier_space_is_the_variance():
    power = noise_power(white(30), (2.5, 1.0, 1.0))
    # To the Nyquist frequency 0.5 per mm, and the corners, where white noise is as strong.
    assert np.nanmean(power[1:]) * 1.0 == pytest.approx(30**2, rel=0.03)


def test_smoothed_noise_has_less_power_by_what_the_filter_takes_away():
    sigma_mm = 1.0
    rough = white(40).astype(np.float64)
    smooth = np.rint(ndimage.gaussian_filter(rough, (0, sigma_mm / 0.7, sigma_mm / 0.7), mode="wrap")).astype(np.int16)
    found = 10 * np.log10(noise_power(smooth, SPACING) / noise_power(white(40), SPACING))
    expected = -10 * np.log10(np.e) * (2 * np.pi * np.array(FREQUENCIES) * sigma_mm) ** 2
    assert np.allclose(found[1:5], expected[1:5], atol=0.6)


def test_a_wave_along_one_axis_is_in_the_shell_of_its_frequency():
    x = np.arange(48) * 0.7
    wave = 100 * np.sin(2 * np.pi * 6 * SHELL_PER_MM * x)
    power = noise_power(np.rint(np.broadcast_to(wave, (3, 48, 48))).astype(np.int16), SPACING)
    assert np.nanargmax(power) == 6


def test_beyond_the_nyquist_frequency_of_the_coarser_axis_nothing_is_known():
    power = noise_power(white(30, (3, 24, 24)), (2.5, 0.7, 1.0))
    assert np.isnan(power[9:]).all()
    assert not np.isnan(power[:9]).any()


def test_twice_the_amplitude_is_six_decibels():
    one, two = np.full(13, 10.0), np.full(13, 40.0)
    assert np.allclose(decibels(two, one, SPACING), 6.02, atol=0.01)


def test_a_flat_place_is_compared_as_one_that_holds_rounding_alone():
    flat = decibels(np.zeros(13), np.full(13, 0.49 / 12 * 100), SPACING)
    assert np.allclose(flat, -20)
