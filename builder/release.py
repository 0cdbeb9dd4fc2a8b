"""The release folder: rows into Parquet, volumes beside them, card, licences and manifest around them."""

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from builder.card import ATTRIBUTION, LICENCES, Counts, render_card
from builder.errors import BuilderError
from builder.prepare import PreparedScan
from builder.rows import Row
from m3dsynth_dataset.manifest import CARD, MANIFEST, Manifest, digest_of, record_file, record_files
from m3dsynth_dataset.schema import BINARY_COLUMNS, FORMAT_VERSION, ROWS_PER_GROUP, arrow_schema, data_file, volume_path
from m3dsynth_dataset.staging import staged


def write_release(out: Path, rows: Iterable[Row], scans: Sequence[PreparedScan], built: dict[str, Any]) -> Manifest:
    """Write a release beside its place and put it there, instead of an older one.

    Args:
        out: The release's folder.
        rows: All rows.
        scans: Those whose volumes the rows name.
        built: How the release came about, for its manifest and card.

    Raises:
        BuilderError: If something else than a release is in its place.
    """
    check_replaceable(out)
    with staged(out) as place:
        counts = _write_rows(place, rows)
        for scan in scans:
            _link_tree(scan.volume, place / volume_path(scan.scan_id))
        source = built["source"]
        (place / "LICENSE").write_text(LICENCES[source].text + "\n", encoding="utf-8")
        (place / "ATTRIBUTION.md").write_text(ATTRIBUTION[source] + "\n", encoding="utf-8")
        files = record_files(place)
        digest = digest_of(files)
        (place / CARD).write_text(render_card(counts, built, digest), encoding="utf-8")
        manifest = Manifest(FORMAT_VERSION, digest, files | {CARD: record_file(place / CARD)}, built)
        manifest.write(place)
    return manifest


def check_replaceable(out: Path) -> None:
    """See that a release may be written to a folder.

    Raises:
        BuilderError: If something else than a release is there.
    """
    if out.exists() and not (out / MANIFEST).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise BuilderError(
            f"{out}: there is something that is not a release and will not be replaced; name another --out"
        )


def _write_rows(release: Path, rows: Iterable[Row]) -> Counts:
    tables: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        tables[row["config"], row["split"]].append(row)
    for (config, split), members in tables.items():
        # By scan and from the head down: a reader that streams meets each volume once.
        members.sort(key=lambda row: (row["scan_id"], row["centre_zyx"] or [], row["sample_id"]))
        _write_parquet(release / data_file(config, split), members)
    return {key: len(members) for key, members in tables.items()}


def _write_parquet(path: Path, rows: list[Row]) -> None:
    schema = arrow_schema()
    table = pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table,
        path,
        row_group_size=ROWS_PER_GROUP,
        # Patches are compressed already, and statistics of binary columns would fill the footer.
        compression={name: "none" if name in BINARY_COLUMNS else "zstd" for name in schema.names},
        write_statistics=[name for name in schema.names if name not in BINARY_COLUMNS],
    )


def _link_tree(source: Path, target: Path) -> None:
    """A copy of a folder that takes no room where the file system can link."""
    shutil.copytree(source, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
