"""The release folder: rows into Parquet, volumes beside them, card, picture, licences and manifest around them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from builder.benchmark import render_benchmark
from builder.card import ATTRIBUTION, LICENCES, Counts, render_card, terms_of
from builder.croissant import render_croissant
from builder.errors import BuilderError
from builder.prepare import PreparedScan
from builder.row_spool import RowSpool
from builder.rows import Row
from builder.statistics import draw_statistics
from m3dsynth_dataset.linking import link_tree
from m3dsynth_dataset.manifest import (
    BENCHMARK,
    CARD,
    CROISSANT,
    MANIFEST,
    Manifest,
    digest_of,
    record_file,
    record_files,
)
from m3dsynth_dataset.row_file import write_rows
from m3dsynth_dataset.schema import FORMAT_VERSION, data_file, volume_path
from m3dsynth_dataset.staging import staged


def write_release(
    out: Path,
    rows: Iterable[Row] | RowSpool,
    scans: Sequence[PreparedScan],
    built: dict[str, Any],
    *,
    notice: str | None = None,
) -> Manifest:
    """Write a release beside its place and put it there, instead of an older one.

    Args:
        out: The release's folder.
        rows: All rows.
        scans: Those whose volumes the rows name.
        built: How the release came about, for its manifest and card.
        notice: A licence that must stay with the rows, to stand in LICENSE after this project's words about it.

    Raises:
        BuilderError: If something else than a release is in its place.
    """
    check_replaceable(out)
    with staged(out) as place:
        counts = _write_rows(place, rows)
        for scan in scans:
            link_tree(scan.volume, place / volume_path(scan.scan_id))
        draw_statistics(place, counts)
        return _describe(place, counts, built, notice)


def check_replaceable(out: Path) -> None:
    """See that a release may be written to a folder.

    Raises:
        BuilderError: If something else than a release is there.
    """
    if out.exists() and not (out / MANIFEST).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise BuilderError(
            f"{out}: there is something that is not a release and will not be replaced; name another --out"
        )


def _describe(place: Path, counts: Counts, built: dict[str, Any], notice: str | None) -> Manifest:
    """Write around rows and volumes what says whose they are, what they are, and that they are whole."""
    terms = terms_of(built)
    texts = {
        "LICENSE": "\n\n".join(text for text in (LICENCES[terms].text, notice) if text) + "\n",
        "ATTRIBUTION.md": ATTRIBUTION[terms] + "\n",
        BENCHMARK: render_benchmark(counts, built),
    }
    _write_texts(place, texts)
    files = record_files(place)
    digest = digest_of(files)
    # These quote the digest, so it does not count them in.
    texts = {
        CARD: render_card(counts, built, digest),
        CROISSANT: render_croissant(counts, built, digest, files),
    }
    _write_texts(place, texts)
    manifest = Manifest(FORMAT_VERSION, digest, files | {name: record_file(place / name) for name in texts}, built)
    manifest.write(place)
    return manifest


def _write_texts(place: Path, texts: Mapping[str, str | None]) -> None:
    for name, text in texts.items():
        if text is not None:
            (place / name).write_text(text, encoding="utf-8")


def _write_rows(release: Path, rows: Iterable[Row] | RowSpool) -> Counts:
    if not isinstance(rows, RowSpool):
        with RowSpool(release) as spool:
            spool.extend(rows)
            return _write_rows(release, spool)
    for (config, split), table in rows.tables():
        write_rows(release / data_file(config, split), table)
    return dict(rows.counts)
