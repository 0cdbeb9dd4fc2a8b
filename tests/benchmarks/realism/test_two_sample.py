import numpy as np
import pytest

from benchmarks.realism.two_sample import two_sample

PATIENTS = [f"p{number}" for number in range(20)]


def drawn(seed, shift=0.0, count=3):
    """Cubes of 20 patients, each with an offset of its own, by which patients could be learned by heart."""
    rng = np.random.default_rng(seed)
    offsets = np.random.default_rng(99).normal(0, 3, (len(PATIENTS), 8))
    return np.repeat(offsets, count, axis=0) + rng.normal(shift, 1, (count * len(PATIENTS), 8))


def owners(count=3):
    return list(np.repeat(PATIENTS, count)) * 2


def test_equal_distributions_cannot_be_told_apart():
    found = [two_sample(drawn(seed), drawn(seed + 100), owners()) for seed in range(3)]
    assert np.mean([each.value for each in found]) == pytest.approx(0.5, abs=0.07)
    assert all(each.low < 0.56 and each.high > 0.44 for each in found)


def test_a_shift_is_found_in_patients_that_were_not_learned_from():
    found = two_sample(drawn(0, shift=3.0), drawn(1), owners())
    assert found.low > 0.6
    assert found.value > 0.75


def test_what_only_marks_patients_is_not_learned():
    """Patients of one kind alone, told by an offset that is theirs: nothing of it holds for others."""
    rng = np.random.default_rng(5)
    names = list(np.repeat([f"p{number}" for number in range(40)], 4))
    cubes = np.repeat(rng.normal(0, 3, (40, 30)), 4, axis=0) + rng.normal(0, 0.01, (160, 30))
    assert two_sample(cubes[:80], cubes[80:], names).value == pytest.approx(0.5, abs=0.2)


def test_units_and_unknown_traits_do_not_matter():
    ours, theirs = drawn(0, shift=3.0), drawn(1)
    plain = two_sample(ours, theirs, owners())
    for each in (ours, theirs):
        each[:, 0] *= 1e6
        each[:, 1] = np.nan
    assert two_sample(ours, theirs, owners()).value == pytest.approx(plain.value, abs=0.1)


def test_one_outlier_does_not_hide_what_a_trait_tells():
    ours, theirs = drawn(0), drawn(1)
    ours[:, 2] += 12
    theirs[0, 2] = 1e12
    assert two_sample(ours, theirs, owners()).value > 0.8


def test_too_few_patients_or_cubes_give_no_figure():
    ours, theirs = drawn(0)[:9], drawn(1)[:9]
    assert np.isnan(two_sample(ours, theirs, (list(np.repeat(PATIENTS[:3], 3)) * 2)).value)
    assert np.isnan(two_sample(ours[:3], theirs, [*PATIENTS[:3], *PATIENTS[:9]]).value)
