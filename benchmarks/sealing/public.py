"""The public release: train and validation as they were, and the sealed test."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.sealing.card import sealed_card
from benchmarks.sealing.croissant import sealed_croissant
from benchmarks.sealing.evaluation import sealed_evaluation
from benchmarks.sealing.sealed_rows import SealedSample, sealed_rows
from m3dsynth_dataset import DamagedReleaseError, Release
from m3dsynth_dataset.linking import link_file, link_tree
from m3dsynth_dataset.manifest import BENCHMARK, CARD, CROISSANT, FileRecord, Manifest, digest_of, record_file
from m3dsynth_dataset.row_file import write_rows
from m3dsynth_dataset.schema import FORMAT_VERSION, SEALED, Split, data_file, volume_path
from m3dsynth_dataset.staging import staged

TEXTS = ("LICENSE", "ATTRIBUTION.md")
"""Files that stay as they are."""


def write_public(
    release: Release, samples: Sequence[SealedSample], volumes: Path, labels_sha256: str, out: Path
) -> str:
    """Write the public release beside its place, and put it there.

    Args:
        release: That is sealed.
        samples: What goes out of its test, in the order of the rows.
        volumes: Folder with their volumes.
        labels_sha256: What the release commits itself to.
        out: Its folder; must not exist.

    Returns:
        Its digest.
    """
    with staged(out) as place:
        files = _link_open(release, place)
        files |= _add_sealed(release, samples, volumes, place)
        built = _account(release, samples, labels_sha256)
        manifest = _describe(release, place, files, built)
        manifest.write(place)
    return manifest.digest


def _link_open(release: Release, place: Path) -> dict[str, FileRecord]:
    """Whatever is not of the test; the records stay, so that a file that was damaged before is found to be."""
    known, wanted = release.manifest.files, [name for name in TEXTS if name in release.manifest.files]
    for config, split in _open_rows(release):
        volumes = set(release.rows(config, split, ["volume"])["volume"].to_pylist())
        wanted += [data_file(config, split)]
        wanted += [name for name in known if name.startswith("volumes/") and "/".join(name.split("/")[:2]) in volumes]
    for name in dict.fromkeys(wanted):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            link_file(release.path / name, place / name)
        except FileNotFoundError as error:
            raise DamagedReleaseError(f"{release.path}: {name} is missing, though the manifest lists it") from error
    return {name: known[name] for name in wanted}


def _open_rows(release: Release) -> list[tuple[str, str]]:
    return [(config, split) for config, splits in release.splits.items() for split in splits if split != Split.TEST]


def _add_sealed(release: Release, samples: Sequence[SealedSample], volumes: Path, place: Path) -> dict[str, FileRecord]:
    for sample in samples:
        link_tree(volumes / volume_path(sample.name), place / volume_path(sample.name))
    write_rows(place / data_file(SEALED, Split.TEST), sealed_rows(release, samples))
    folders = [volume_path(sample.name) for sample in samples] + [f"data/{SEALED}"]
    paths = [path for folder in folders for path in (place / folder).rglob("*") if path.is_file()]
    return {path.relative_to(place).as_posix(): record_file(path) for path in paths}


def _account(release: Release, samples: Sequence[SealedSample], labels_sha256: str) -> dict[str, Any]:
    """How the release came about, without what only the test has seen."""
    built = release.manifest.built
    configs = {config for config, _ in _open_rows(release)}
    counts = {
        name: len(samples) + len({one for rows in _open_rows(release) for one in _column(release, rows, column)})
        for name, column in (("scans", "scan_id"), ("patients", "patient_id"))
    }
    by_config = {
        name: {config: account for config, account in built[name].items() if config in configs}
        for name in ("inpainters", "weights_sha256")
        if isinstance(built.get(name), dict)
    }
    sealed = {"config": SEALED, "split": str(Split.TEST), "samples": len(samples), "labels_sha256": labels_sha256}
    return {**built, **counts, **by_config, "sealed": sealed}


def _column(release: Release, rows: tuple[str, str], column: str) -> list[str]:
    values: list[str] = release.rows(*rows, [column])[column].to_pylist()
    return values


def _describe(release: Release, place: Path, files: Mapping[str, FileRecord], built: dict[str, Any]) -> Manifest:
    """Write what tells of the release: what the source's files say, but of the public rows."""
    counts = Counter({rows: len(_column(release, rows, "sample_id")) for rows in _open_rows(release)})
    counts[SEALED, Split.TEST] = built["sealed"]["samples"]
    texts = {name: _text(release, name) for name in (CARD, CROISSANT, BENCHMARK)}
    found = dict(files)
    if (evaluation := texts[BENCHMARK]) is not None:
        found[BENCHMARK] = _write(place, BENCHMARK, sealed_evaluation(evaluation))
    digest, before = digest_of(found), release.manifest.digest
    if (card := texts[CARD]) is not None:
        hidden = _inpainters(release.manifest.built) - _inpainters(built)
        found[CARD] = _write(place, CARD, sealed_card(card, counts, built, hidden, (before, digest)))
    if (croissant := texts[CROISSANT]) is not None:
        text = sealed_croissant(croissant, counts, found, _inpainters(built), (before, digest))
        found[CROISSANT] = _write(place, CROISSANT, text)
    return Manifest(FORMAT_VERSION, digest, dict(sorted(found.items())), built)


def _inpainters(built: Mapping[str, Any]) -> set[str]:
    return set(built.get("inpainters", ()))


def _text(release: Release, name: str) -> str | None:
    path = release.path / name
    return path.read_text(encoding="utf-8") if name in release.manifest.files and path.is_file() else None


def _write(place: Path, name: str, text: str) -> FileRecord:
    (place / name).write_text(text, encoding="utf-8")
    return record_file(place / name)
