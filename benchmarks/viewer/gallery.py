"""The gallery: an index, one page that shows any sample, and the samples' voxels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.errors import BenchmarkError
from benchmarks.viewer.exhibit import Exhibit
from benchmarks.viewer.orientation import Orientation
from benchmarks.viewer.page import render
from benchmarks.viewer.selection import EVERY_SPLIT, choose, slugs
from benchmarks.viewer.thumbnail import write_thumbnail
from benchmarks.viewer.verdict import Verdicts
from m3dsynth_dataset import Release
from m3dsynth_dataset.errors import SealedError
from m3dsynth_dataset.export.notice import PHANTOM
from m3dsynth_dataset.export.selection import Entry
from m3dsynth_dataset.staging import staged

INDEX, SAMPLE, LIST = "index.html", "sample.html", "samples.js"
SAMPLES, PLACES, THUMBNAILS = "samples", "places", "thumbnails"


@dataclass(frozen=True)
class Gallery:
    """What was written."""

    index: Path
    samples: int
    places: int
    bytes: int


def view(
    release: Release,
    out: Path,
    *,
    configs: Sequence[str] = (),
    split: str = EVERY_SPLIT,
    limit: int | None = None,
    submission: Path | None = None,
) -> Gallery:
    """Write a gallery beside ``out``, then rename; a gallery that is there already is replaced.

    The same release, choice and submission give the same bytes.

    Args:
        release: Whose samples are shown.
        out: Folder to write.
        configs: See :func:`benchmarks.viewer.selection.choose`, as for the next two.
        split: Of the samples.
        limit: Most samples.
        submission: Of a detector, whose maps are laid over the scans.

    Raises:
        BenchmarkError: If nothing is to be shown, the submission does not fit, or ``out`` holds something else.
    """
    _check(out)
    entries = choose(release, configs, split, limit)
    ids = {entry.sample_id for entry in entries}
    verdicts = None if submission is None else Verdicts.read(submission, release, ids)
    with staged(out) as folder:
        try:
            places = _write(folder, release, entries, verdicts)
        except SealedError as error:
            raise BenchmarkError(f"{error}; choose another --split") from error
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Gallery(out / INDEX, len(entries), places, size)


def _check(out: Path) -> None:
    names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if (out.exists() and not out.is_dir()) or (names and names != {INDEX, SAMPLE, LIST, SAMPLES, PLACES, THUMBNAILS}):
        raise BenchmarkError(f"{out}: is no gallery and will not be replaced; name another folder with --out")


def _write(folder: Path, release: Release, entries: Sequence[Entry], verdicts: Verdicts | None) -> int:
    """Everything; tells the number of places."""
    for name in (SAMPLES, PLACES, THUMBNAILS):
        (folder / name).mkdir(parents=True)
    named = list(zip(slugs([entry.sample_id for entry in entries]), entries, strict=True))
    lines = [
        _write_exhibit(folder, Exhibit(slug, entry, release, verdicts.of(entry.sample_id) if verdicts else None))
        for slug, entry in tqdm(named, desc="samples", unit="sample", disable=None)
    ]
    about = {
        "name": release.path.name,
        "digest": release.manifest.digest,
        "detector": verdicts.detector if verdicts else None,
        "phantom": any(entry.source == PHANTOM for entry in entries),
    }
    _script(folder / LIST, "list", {**about, "samples": lines})
    for name, text in ((INDEX, render(INDEX, about, lines)), (SAMPLE, render(SAMPLE, about, lines))):
        (folder / name).write_text(text, encoding="utf-8")
    return len({line["place"] for line in lines})


def _write_exhibit(folder: Path, exhibit: Exhibit) -> dict[str, Any]:
    place = exhibit.place
    file = folder / PLACES / f"{place.key}.js"
    if not file.exists():
        _script(file, "place", place.page())
    _script(folder / SAMPLES / f"{exhibit.slug}.js", "sample", exhibit.page())
    flipped = Orientation.of(exhibit.sample.geometry).flipped
    write_thumbnail(folder / THUMBNAILS / f"{exhibit.slug}.png", exhibit.sample, place, flipped)
    return exhibit.line()


def _script(path: Path, kind: str, content: Any) -> None:  # noqa: ANN401 - JSON
    """Data as a script that hands them to the page, since a page from a file may load no others."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    path.write_text(f"m3d.{kind}({text});\n", encoding="ascii")
