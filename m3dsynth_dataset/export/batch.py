"""Many samples as files of another form: side by side, and resumed where an earlier run was stopped."""

import errno
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from m3dsynth_dataset.errors import DamagedReleaseError, ExportError, NotEnoughSpaceError
from m3dsynth_dataset.export import check_form, load_exporter
from m3dsynth_dataset.export.index import Index
from m3dsynth_dataset.export.place import is_ready, record_of
from m3dsynth_dataset.export.selection import Entry, select
from m3dsynth_dataset.export.space import check_space, predicted
from m3dsynth_dataset.release import Release
from m3dsynth_dataset.sample import Sample

Exporter = Callable[[Sample, Path], Path]

FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Exported:
    """What became of the samples."""

    written: tuple[str, ...]
    """Ids, in the order of the release."""
    ready: tuple[str, ...]
    """Those that lay there already, from the same release and with the same headers."""
    failed: dict[str, str]
    """Why a sample was not written, by its id."""


def export_samples(
    release: Release,
    out: str | Path,
    *,
    to: str,
    samples: Sequence[str] = (),
    config: str | None = None,
    split: str | None = None,
    source: str | Path | None = None,
    workers: int = 1,
) -> Exported:
    """Export samples, each to ``out/<sample_id>/<form>``, and list them in ``out/index.csv``.

    A sample takes its name when it is whole, so what a stopped run left is complete, and the next run leaves it
    as it is. Samples of one scan repeat the scan's voxels: that is what an export is for.

    Args:
        release: The release.
        out: Folder to write into; made if it is missing.
        to: ``dicom``, ``nifti`` or ``zarr``; see :meth:`Sample.export`.
        samples: Ids; when empty, ``config`` and ``split`` say which.
        config: Such as ``dm-injection``; ``all`` for pristine and every generator's; every config, the control's
            too, when omitted.
        split: train, validation or test; each when omitted.
        source: For ``dicom``: folder with the original DICOM files, in any layout; their headers are read once.
        workers: Processes; the files do not depend on their number. A script that asks for more than one must keep
            its own work under ``if __name__ == "__main__"``, as always with processes.

    Raises:
        ValueError: If there is no such form, or it takes no source.
        UnknownSampleError: If there is no sample of a name.
        NotEnoughSpaceError: If the disk has less room than what is left to write takes.
        ExportError: If the release has nothing of what is wanted, ``out`` is no folder, there is no such source, or
            a worker was killed.
        MissingExtraError: If a library of the extra ``export`` is missing.
    """
    check_form(to, source)
    exports = _Exports(release, Path(out).expanduser(), to, None if source is None else Path(source))
    if exports.out.exists() and not exports.out.is_dir():
        raise ExportError(f"{exports.out}: is a file; --out names a folder")
    entries = select(release, samples, config, split)
    todo = [entry for entry in entries if not exports.has(entry)]
    check_space(exports.out, predicted(todo, to, release.manifest), len(todo), to)
    exporter = load_exporter(to, exports.source)
    failed: dict[str, str] = {}
    try:
        for entry, reason in _worked(exports, exporter, todo, min(workers, len(todo))):
            if reason is not None:
                failed[entry.sample_id] = reason
    finally:
        Index(exports.out).add(filter(exports.has, entries), to)
    waiting = {entry.sample_id for entry in todo}
    return Exported(
        tuple(entry.sample_id for entry in todo if entry.sample_id not in failed),
        tuple(entry.sample_id for entry in entries if entry.sample_id not in waiting),
        failed,
    )


@dataclass(frozen=True)
class _Exports:
    """What the exports of a run have in common."""

    release: Release
    out: Path
    to: str
    source: Path | None

    def has(self, entry: Entry) -> bool:
        """Whether a sample lies there whole."""
        header = {"dicom": "built" if self.source is None else "original"}.get(self.to)
        return is_ready(self.out, record_of(entry.sample_id, self.to, self.release.manifest.digest, header))

    def write(self, exporter: Exporter, entry: Entry) -> str | None:
        """Write a sample; say why if that cannot be done.

        Raises:
            NotEnoughSpaceError: If the disk is full.
        """
        try:
            exporter(self.release.sample(entry.sample_id), self.out)
        except (DamagedReleaseError, ExportError) as error:
            return str(error)
        except OSError as error:
            if error.errno in FULL:
                raise NotEnoughSpaceError(f"{self.out}: the disk is full; the samples written so far stay") from error
            raise
        return None


def _worked(
    exports: _Exports, exporter: Exporter, entries: Sequence[Entry], workers: int
) -> Iterator[tuple[Entry, str | None]]:
    """Every sample with what was wrong with it, with a progress bar on a terminal."""
    with tqdm(total=len(entries), desc=f"exporting to {exports.to}", unit="sample", disable=None) as bar:
        results = (
            _side_by_side(exports, exporter, entries, workers) if workers > 1 else _in_turn(exports, exporter, entries)
        )
        for entry, reason in results:
            bar.update()
            yield entry, reason


def _in_turn(exports: _Exports, exporter: Exporter, entries: Sequence[Entry]) -> Iterator[tuple[Entry, str | None]]:
    for entry in entries:
        yield entry, exports.write(exporter, entry)


def _side_by_side(
    exports: _Exports, exporter: Exporter, entries: Sequence[Entry], workers: int
) -> Iterator[tuple[Entry, str | None]]:
    if isinstance(exporter, partial) and (folder := exporter.keywords["source"]) is not None:
        folder.read()  # once, not in every process
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (exports, exporter))
    try:
        yield from zip(entries, pool.map(_write, entries), strict=True)
    except BrokenProcessPool as error:
        raise ExportError(
            "a worker was ended from outside, for want of memory perhaps; run it again with fewer workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_job: tuple[_Exports, Exporter]
"""Of this process, if it is a worker."""


def _start(exports: _Exports, exporter: Exporter) -> None:
    global _job
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the run
    _job = exports, exporter


def _write(entry: Entry) -> str | None:
    exports, exporter = _job
    return exports.write(exporter, entry)
