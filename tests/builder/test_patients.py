from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from builder.patients import draw_patients

LIDC = [f"LIDC-IDRI-{number:04d}" for number in range(1, 841)]


def test_the_published_numbers_are_drawn_of_lidc():
    assert Counter(draw_patients(LIDC, seed=0).drawn.values()) == {"train": 488, "validation": 100, "test": 150}


@given(st.sets(st.text(min_size=1), min_size=3, max_size=60), st.integers(0, 9))
def test_everybody_of_a_smaller_database_is_drawn_and_no_split_is_empty(patients, seed):
    draw = draw_patients(patients, seed)
    assert draw.drawn.keys() == patients
    assert set(draw.drawn.values()) == {"train", "validation", "test"}


def test_the_order_of_patients_does_not_matter():
    assert draw_patients(LIDC, 0) == draw_patients(LIDC[::-1] + LIDC[:5], 0)


def test_another_seed_is_another_draw():
    assert draw_patients(LIDC, 0).drawn != draw_patients(LIDC, 1).drawn


def test_who_is_not_drawn_has_a_split_in_the_same_proportion():
    draw = draw_patients(LIDC[:10], 0)
    counts = Counter(draw.split_of(patient) for patient in LIDC[10:])
    assert 0.61 < counts["train"] / 830 < 0.71
    assert 0.10 < counts["validation"] / 830 < 0.17
    assert 0.16 < counts["test"] / 830 < 0.25
