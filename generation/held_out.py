"""Cubes that a model does not learn from, to judge it by."""

import hashlib

import numpy as np
import pyarrow as pa
from jaxtyping import Bool


def held_out(table: pa.Table, share: float) -> Bool[np.ndarray, " cubes"]:
    """Which training cubes are of patients that are held out; never all of them.

    Patients are taken in the order of a hash of their names: the same ones from every store that has them, whatever
    the manipulation, and none when there is only one.

    Args:
        table: Rows of training cubes.
        share: Of the patients, 0 to 1; at least one when it is not 0.
    """
    patients = table["patient_id"].to_pylist()
    order = sorted(set(patients), key=lambda patient: hashlib.sha256(patient.encode()).digest())
    count = min(max(round(share * len(order)), 1 if share else 0), len(order) - 1)
    chosen = set(order[: max(count, 0)])
    return np.array([patient in chosen for patient in patients], dtype=np.bool_)
