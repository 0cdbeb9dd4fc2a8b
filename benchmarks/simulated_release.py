"""Releases of any size, made of a small one: its volumes under many names, each taking no room, and its edits over."""

from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from m3dsynth_dataset import Release
from m3dsynth_dataset.linking import link_tree
from m3dsynth_dataset.manifest import FileRecord, Manifest, digest_of, record_file
from m3dsynth_dataset.row_file import write_rows
from m3dsynth_dataset.schema import FORMAT_VERSION, PRISTINE, arrow_schema, data_file, volume_path

FULL_SCANS = 744
FULL_EDITS = 8_577
"""As published."""

Row = dict[str, Any]


def simulate(out: Path, base: Release, scans: int = FULL_SCANS, edits: int = FULL_EDITS) -> Release:
    """Write a release in which every edit fits its volume, as in a real one.

    Args:
        out: Folder to write; must not exist.
        base: Release with at least one edit, on the same file system if its volumes are to take no room.
        scans: How many.
        edits: How many, over all generators and splits of the base.
    """
    originals = _scans(base)
    names = {
        f"{number:04d}.{scan_id}": scan_id for number, scan_id in zip(range(scans), cycle(originals), strict=False)
    }
    files = _link_volumes(out, base, names)
    for (config, split), rows in _rows(base, names, edits).items():
        path = out / data_file(config, split)
        write_rows(path, pa.Table.from_pylist(rows, schema=arrow_schema()))
        files[data_file(config, split)] = record_file(path)
    Manifest(FORMAT_VERSION, digest_of(files), files, {"simulated": True}).write(out)
    return Release(out)


def _scans(base: Release) -> list[str]:
    """Those with edits, which is where the reader has work to do."""
    rows = [row["scan_id"] for _, _, table in _tables(base) for row in table.select(["scan_id", "patch"]).to_pylist()
            if row["patch"] is not None]  # fmt: skip
    return list(dict.fromkeys(rows))


def _tables(base: Release) -> list[tuple[str, str, pa.Table]]:
    return [(config, split, base.rows(config, split)) for config, splits in base.splits.items() for split in splits]


def _link_volumes(out: Path, base: Release, names: dict[str, str]) -> dict[str, FileRecord]:
    files: dict[str, FileRecord] = {}
    for name, scan_id in names.items():
        source, target = volume_path(scan_id), volume_path(name)
        link_tree(base.path / source, out / target)
        of_base = {path: record for path, record in base.manifest.files.items() if path.startswith(f"{source}/")}
        files |= {path.replace(source, target, 1): record for path, record in of_base.items()}
    return files


def _rows(base: Release, names: dict[str, str], edits: int) -> dict[tuple[str, str], list[Row]]:
    """Every scan once, and the edits dealt out over the scans that they fit, in turn."""
    copies: dict[str, list[str]] = {}
    for name, scan_id in names.items():
        copies.setdefault(scan_id, []).append(name)
    found: dict[tuple[str, str], list[Row]] = {}
    sources = []
    for config, split, table in _tables(base):
        rows = table.to_pylist()
        if config == PRISTINE:
            found[config, split] = [_renamed(row, name) for row in rows for name in copies.get(row["scan_id"], [])]
        else:
            sources += [((config, split), row) for row in rows if row["scan_id"] in copies]
    targets = {scan_id: cycle(members) for scan_id, members in copies.items()}
    for number, (place, row) in enumerate(islice(cycle(sources), edits)):
        site = f"{row['manipulation']}_{number}"
        renamed = _renamed(row, next(targets[row["scan_id"]]))
        found.setdefault(place, []).append(renamed | {"site_id": site, "sample_id": f"{row['generator']}/{site}"})
    return {place: rows for place, rows in found.items() if rows}


def _renamed(row: Row, name: str) -> Row:
    return row | {"scan_id": name, "sample_id": f"{PRISTINE}/{name}", "volume": volume_path(name)}
