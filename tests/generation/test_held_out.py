import numpy as np
import pyarrow as pa
import pytest

from generation.held_out import held_out


def table(*patients):
    return pa.table({"patient_id": list(patients)})


def patients(count):
    return [f"P{index}" for index in range(count)]


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.01, 1), (0.05, 1), (0.2, 4), (0.99, 19)])
def test_a_share_of_the_patients_is_held_out(share, expected):
    assert held_out(table(*patients(20)), share).sum() == expected


def test_all_cubes_of_a_patient_are_on_one_side():
    rows = table(*patients(10), *patients(10))
    aside = held_out(rows, 0.3)
    assert np.array_equal(aside[:10], aside[10:])
    assert aside.sum() == 6


def test_one_patient_is_learned_from():
    assert not held_out(table("P1", "P1"), 0.5).any()


def test_who_is_held_out_does_not_depend_on_the_order():
    names = patients(20)
    first, second = held_out(table(*names), 0.2), held_out(table(*reversed(names)), 0.2)
    assert np.array_equal(first, second[::-1])
