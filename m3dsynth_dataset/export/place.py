"""Where an exported sample lies, and the record that says what it is."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from m3dsynth_dataset.errors import ExportError
from m3dsynth_dataset.staging import staged

RECORD = "export.json"
"""In the folder of an export; a zarr group has it among its attributes, where zarr expects no other file."""
NAMES = {"dicom": "dicom", "nifti": "nifti", "zarr": "sample.zarr"}
"""Of a sample's folder in each form."""

Record = dict[str, Any]


def place_of(sample_id: str, to: str) -> PurePosixPath:
    """Where a sample lies in the folder that is exported to: its id, then its form.

    Raises:
        ExportError: If the id would lead out of the folder.
    """
    parts = sample_id.split("/")
    if any(part.strip(". ") == "" or set(part) & set('\\:*?"<>|\0') for part in parts):
        raise ExportError(f"sample {sample_id!r} cannot be exported: its id is no path that every system can hold")
    return PurePosixPath(*parts, NAMES[to])


def record_of(sample_id: str, to: str, digest: str, header: str | None = None) -> Record:
    """What tells an export from another of the same name: written once all else is.

    Args:
        sample_id: What is exported.
        to: dicom, nifti or zarr.
        digest: Of the release.
        header: Of DICOM files: ``original`` or ``built``.
    """
    record = {"sample_id": sample_id, "form": to, "release": digest, "header": header}
    return record | {"m3dsynth": version("m3dsynth")}


def is_ready(out: Path, record: Record) -> bool:
    """Whether an export lies there whole: of this sample and release, with such headers, by whatever version."""
    found = read_record(out / place_of(record["sample_id"], record["form"])) or {}
    return all(found.get(key) == value for key, value in record.items() if key != "m3dsynth")


def read_record(folder: Path) -> Record | None:
    """The record of an export, if the folder is one."""
    for name, keys in ((RECORD, ()), ("zarr.json", ("attributes", "export"))):
        try:
            found: Any = json.loads((folder / name).read_text(encoding="utf-8"))
            for key in keys:
                found = found[key]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if isinstance(found, dict):
            return found
    return None


@contextmanager
def placed(out: Path, record: Record) -> Iterator[tuple[Path, Path]]:
    """A folder to write an export in, and the name it takes when it is whole.

    Raises:
        ExportError: If something that is no export has that name.
    """
    folder = out / place_of(record["sample_id"], record["form"])
    if os.path.lexists(folder) and read_record(folder) is None:
        raise ExportError(
            f"{folder}: is in the way, and is no export that could be replaced; remove it or export elsewhere"
        )
    with staged(folder) as place:
        place.mkdir()
        yield place, folder


def write_record(place: Path, record: Record) -> None:
    """Leave the record in a folder."""
    (place / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
