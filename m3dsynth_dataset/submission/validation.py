"""Validating a submission: all that is wrong with it, by name, before anything is scored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from m3dsynth_dataset.errors import SubmissionError, SubmissionNotFoundError
from m3dsynth_dataset.schema import PRISTINE, Split
from m3dsynth_dataset.submission.metadata import metadata_problems
from m3dsynth_dataset.submission.prediction import METADATA, PREDICTIONS
from m3dsynth_dataset.submission.reading import Submission, check_table, digest_of, open_source, read_metadata
from m3dsynth_dataset.submission.row import Row, undecodable
from m3dsynth_dataset.submission.source import Source
from m3dsynth_dataset.types import Triple
from m3dsynth_dataset.verification.finding import Finding, brief

if TYPE_CHECKING:
    from m3dsynth_dataset.release import Release

_AGAIN = "judge the split again, of this release"


@dataclass(frozen=True)
class Expected:
    """What a submission to a split of a release may hold, and what it must."""

    digest: str
    """Of the release."""
    split: str
    required: Mapping[str, Triple]
    """Shapes of the scans of the split's samples, by sample id; all of them are judged."""
    welcome: Mapping[str, Triple]
    """Of the validation split's samples, which may stand beside them."""
    pristine: frozenset[str]
    """Those of the validation split that set the threshold of Pd@1%: all are there, or none."""

    @property
    def scans(self) -> dict[str, Triple]:
        """Shapes of the scans of all that may be there, by sample id."""
        return {**self.welcome, **self.required}


def expected_of(release: "Release", split: str) -> Expected:
    """What a submission to a split of a release may and must hold.

    Raises:
        SubmissionError: If the release has no such split.
    """
    required = _scans(release, split)
    if not required:
        raise SubmissionError(f"{release.name} has no rows of the split {split!r}, so nothing can be handed in for it")
    welcome = _scans(release, Split.VALIDATION)
    pristine = _scans(release, Split.VALIDATION, PRISTINE) if split != Split.VALIDATION else {}
    return Expected(release.manifest.digest, split, required, welcome, frozenset(pristine))


def _scans(release: "Release", split: str, only: str | None = None) -> dict[str, Triple]:
    found: dict[str, Triple] = {}
    for config, splits in release.splits.items():
        if split in splits and only in (None, config):
            for row in release.rows(config, split, ["sample_id", "shape_zyx"]).to_pylist():
                z, y, x = row["shape_zyx"]
                found[row["sample_id"]] = (z, y, x)
    return found


def validate(path: str | Path, expected: Expected) -> Iterator[Finding]:
    """Everything that is wrong with a submission.

    Args:
        path: A folder, or a zip of it.
        expected: Of :func:`expected_of`.

    Returns:
        The findings as they are made; none for a sound submission. Whatever the files hold is a finding, and never an
        error.

    Raises:
        SubmissionNotFoundError: If nothing lies there.
    """
    path = Path(path)
    try:
        source = open_source(path)
    except SubmissionNotFoundError as error:
        raise SubmissionNotFoundError(f"{path}: {error}") from error
    except SubmissionError as error:
        return iter([Finding(path.name, "is a submission", str(error), "hand in what SubmissionWriter writes")])
    return _validate(path, source, expected)


def _validate(path: Path, source: Source, expected: Expected) -> Iterator[Finding]:
    try:
        metadata = read_metadata(source)
    except (SubmissionError, OSError) as error:
        yield _unreadable(METADATA, error)
    else:
        yield from metadata_problems(metadata)
        yield from _of_another_release(metadata, expected)
    try:
        with source.opened(PREDICTIONS) as file:
            check_table(file)
            submission = Submission(path, {}, digest_of(file), source)
        yield from _Rows(expected).findings(submission.rows())
    except (SubmissionError, OSError) as error:
        yield _unreadable(PREDICTIONS, error)


def _unreadable(name: str, error: Exception) -> Finding:
    return Finding(name, "is one that can be read", str(error), "write it again with SubmissionWriter")


def _of_another_release(metadata: Mapping[str, object], expected: Expected) -> Iterator[Finding]:
    for key, value in (("release_digest", expected.digest), ("split", expected.split)):
        if key in metadata and metadata[key] != value:
            yield Finding(METADATA, f"{key} is that of what is scored, {value}", brief(metadata[key]), _AGAIN)


@dataclass
class _Rows:
    """The rows against what is expected; which were seen is kept, and nothing else."""

    expected: Expected
    seen: dict[str, int] = field(default_factory=dict)

    def findings(self, rows: Iterator[Row]) -> Iterator[Finding]:
        scans = self.expected.scans
        for row in rows:
            yield from self._of(row, scans)
        yield from self._doubled()
        yield from self._missing()

    def _of(self, row: Row, scans: Mapping[str, Triple]) -> Iterator[Finding]:
        scan = scans.get(row.sample_id or "")
        if row.sample_id and scan is None:
            rule = f"is a sample of the split {self.expected.split}, or of validation"
            yield Finding(brief(row.sample_id), rule, f"none of that id (row {row.number})", _AGAIN)
        elif row.sample_id:
            self.seen[row.sample_id] = self.seen.get(row.sample_id, 0) + 1
        yield from row.problems(scan)
        # What is no sample's, or known to be wrong, is not worth unpacking.
        if scan is not None and row.heatmap is not None and not any(row.map_problems(scan)):
            yield from _unpacked(row)

    def _doubled(self) -> Iterator[Finding]:
        for sample_id, count in self.seen.items():
            if count > 1:
                yield Finding(sample_id, "has one row", f"{count} rows", "hand in one row a sample")

    def _missing(self) -> Iterator[Finding]:
        for sample_id in self.expected.required:
            if sample_id not in self.seen:
                yield Finding(sample_id, f"is judged, as all samples of {self.expected.split} are", "no row", _AGAIN)
        calibrating = self.expected.pristine & self.seen.keys()
        for sample_id in sorted(self.expected.pristine - self.seen.keys()) if calibrating else ():
            rule = "is judged, as other pristine scans of validation are: they set the threshold together"
            yield Finding(sample_id, rule, "no row", "judge all of them, or none")


def _unpacked(row: Row) -> Iterator[Finding]:
    try:
        row.prediction()
    except (ValueError, OSError, MemoryError) as error:
        yield undecodable(row, error)
