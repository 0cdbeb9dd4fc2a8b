"""A few small CT series with nodules in an annotation database: the least that a whole build can be made of."""

from pathlib import Path

import numpy as np
from annotation_database import AnnotatedSeries, Ball, write
from ct_series import UID_ROOT, CTSeries

SHAPE, STEP_MM = (24, 56, 56), 1.5
LARGE, SMALL = Ball((8, 18, 18), 11.0), Ball((15, 38, 38), 6.0)
"""One to remove, one to inject beside."""


class NoisySeries(CTSeries):
    """Soft tissue."""

    @property
    def stored(self):
        return np.random.default_rng(len(self.scan_id)).normal(1000, 40, self.shape).astype(np.int16)


def write_scans(lidc: Path, patients: int) -> Path:
    """Write the DICOM files and ``annotations.sqlite`` into a folder."""
    annotated = []
    for number in range(1, patients + 1):
        scan_id, patient_id = UID_ROOT + "7" * number, f"PHANTOM-{number:04d}"
        NoisySeries(scan_id, patient_id, SHAPE, (STEP_MM, STEP_MM, STEP_MM), -20.0).write(lidc / patient_id)
        annotated.append(
            AnnotatedSeries(scan_id, patient_id, [LARGE, SMALL], SHAPE[0], STEP_MM, STEP_MM, STEP_MM, -20.0)
        )
    write(lidc / "annotations.sqlite", annotated)
    return lidc
