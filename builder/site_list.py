"""Sites that a user lists in a CSV file instead of those that the site rule finds."""

import csv
from collections.abc import Sequence
from pathlib import Path

from builder.annotations import AnnotatedScan
from builder.errors import BuilderError
from builder.sites import Site

PREFIX = {"injection": "inj", "removal": "rem"}
COORDINATES = ("z", "y", "x")


def read_sites(path: Path, scans: Sequence[AnnotatedScan], at_hand: dict[str, str]) -> tuple[Site, ...]:
    """Read a CSV file with the header ``patient_id,z,y,x,manipulation`` (or ``scan_id`` for ``patient_id``).

    Args:
        path: The file. Coordinates are voxels of the descending stack.
        scans: The annotation database: knows which scans a patient has.
        at_hand: Patients of the series at hand, by series; adds scans that the database does not know.

    Raises:
        BuilderError: If the file is missing or a line cannot be used; names the line.
    """
    patients = {scan.scan_id: scan.patient_id for scan in scans} | at_hand
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            _check_header(path, reader.fieldnames or [])
            return tuple(_site(path, number, line, patients) for number, line in enumerate(reader, 1))
    except OSError as error:
        raise BuilderError(f"{path}: cannot be read ({error.strerror}); --sites names a CSV file") from error
    except UnicodeDecodeError as error:
        raise BuilderError(f"{path}: not a text file; --sites names a CSV file in UTF-8") from error


def _check_header(path: Path, names: Sequence[str]) -> None:
    needed = {*COORDINATES, "manipulation"}
    if not needed <= set(names) or not {"patient_id", "scan_id"} & set(names):
        raise BuilderError(
            f"{path}: the header must be patient_id,z,y,x,manipulation (or scan_id for patient_id), "
            f"got {','.join(names) or 'nothing'}"
        )


def _site(path: Path, number: int, line: dict[str, str], patients: dict[str, str]) -> Site:
    where = f"{path}, site {number}"
    manipulation = line["manipulation"]
    if manipulation not in PREFIX:
        raise BuilderError(f"{where}: manipulation must be injection or removal, got {manipulation!r}")
    try:
        z, y, x = (int(line[name]) for name in COORDINATES)
    except (TypeError, ValueError):
        given = ",".join(str(line[name]) for name in COORDINATES)
        raise BuilderError(f"{where}: z, y, x must be whole numbers of voxels, got {given}") from None
    scan_id = _scan_id(where, line, patients)
    return Site(
        f"{PREFIX[manipulation]}_{number}", scan_id, patients[scan_id], manipulation, (z, y, x), None, None, None
    )


def _scan_id(where: str, line: dict[str, str], patients: dict[str, str]) -> str:
    if scan_id := line.get("scan_id"):
        if scan_id not in patients:
            raise BuilderError(f"{where}: no scan {scan_id!r} at hand or in the annotation database")
        return scan_id
    patient = line.get("patient_id")
    mine = sorted(scan for scan, whose in patients.items() if whose == patient)
    if len(mine) != 1:
        what = f"has {len(mine)} scans; say which with a column scan_id" if mine else "has no scan at hand"
        raise BuilderError(f"{where}: patient {patient!r} {what}")
    return mine[0]
