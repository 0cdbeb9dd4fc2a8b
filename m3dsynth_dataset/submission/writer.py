"""Writing a submission sample by sample, from the arrays of any framework."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, SupportsFloat, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.staging import staged
from m3dsynth_dataset.submission.heatmap import Heatmap
from m3dsynth_dataset.submission.limits import MAX_ID_BYTES, MAX_PAGE_BYTES, MAX_ROWS, MAX_VOXELS
from m3dsynth_dataset.submission.metadata import metadata_problems, parse_metadata
from m3dsynth_dataset.submission.prediction import (
    METADATA,
    PARQUET_OPTIONS,
    PREDICTIONS,
    ROWS_PER_GROUP,
    SCHEMA,
    Prediction,
    metadata_bytes,
)
from m3dsynth_dataset.submission.validation import Expected, expected_of
from m3dsynth_dataset.types import Triple

if TYPE_CHECKING:
    from m3dsynth_dataset.release import Release

_BYTES_PER_GROUP = 16 << 20
_MAX_PACKED_BYTES = MAX_PAGE_BYTES - (1 << 10)
"""Of a map; a page holds more than its values."""

_AXES = 3


@runtime_checkable
class AsArray(Protocol):
    """An array of numpy, or of whatever numpy can read: torch on the CPU, jax, zarr."""

    def __array__(self, *args: Any, **options: Any) -> np.ndarray:  # noqa: ANN401 (numpy's business)
        """It, as numpy has it."""
        ...


Map = Heatmap | AsArray | Iterable[tuple[int, AsArray]]


class SubmissionWriter:
    """Writes a submission, one sample after the other; what `m3dsynth validate` would refuse is refused at once.

    It appears under its name once the block has ended well, in place of one that was there; when the block raises,
    nothing does. Memory is that of one map and of a few packed ones.

    >>> from m3dsynth_dataset.submission import SubmissionWriter
    >>> metadata = {"detector": "bright voxels", "split": "test", "trained_on": "nothing"}
    >>> with SubmissionWriter(out, metadata, release=release) as writer:
    ...     for sample_id in writer.missing:
    ...         ct = release.sample(sample_id).ct
    ...         planes = ((z, ct[z] > 380) for z in range(ct.shape[0]))    # one slice at a time, bool or 0 to 1
    ...         writer.add(sample_id, float(np.mean(ct[0] > 380)), planes)

    Args:
        out: Folder for ``predictions.parquet`` and ``metadata.json``.
        metadata: ``detector`` and ``split``, without a release also ``release_digest``, and whatever else a reader
            should know; the JSON Schema that ``m3dsynth validate --schema`` prints says what has a meaning.
        release: The release that is judged: samples that it does not have are refused, and so is a submission that
            lacks some. Without it, only what stands in a row itself is looked at.

    Raises:
        SubmissionError: If the metadata is not as the schema says.
    """

    def __init__(self, out: str | Path, metadata: Mapping[str, Any], *, release: "Release | None" = None) -> None:
        self.out = Path(out)
        self.metadata = dict(metadata) if release is None else {"release_digest": release.manifest.digest, **metadata}
        self._metadata_bytes = _checked(self.metadata)
        self._expected: Expected | None = None if release is None else expected_of(release, self.metadata["split"])
        if self._expected is not None and self.metadata["release_digest"] != self._expected.digest:
            raise SubmissionError(f"{METADATA}: release_digest must be that of the release, {self._expected.digest}")
        self._added: set[str] = set()
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0
        self._stack: ExitStack | None = None
        self._table: pq.ParquetWriter | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of the samples of the split that were not added yet; none if the release is not known."""
        required = () if self._expected is None else self._expected.required
        return tuple(sample_id for sample_id in required if sample_id not in self._added)

    def __enter__(self) -> "SubmissionWriter":
        with ExitStack() as stack:
            place = stack.enter_context(staged(self.out))
            place.mkdir()
            (place / METADATA).write_bytes(self._metadata_bytes)
            self._table = stack.enter_context(pq.ParquetWriter(place / PREDICTIONS, SCHEMA, **PARQUET_OPTIONS))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._stack is not None
        stack, self._stack = self._stack, None
        if kind is not None:
            stack.__exit__(kind, error, traceback)
            return
        with stack:  # it raises, and so removes what was written
            self._check_complete()
            self._flush()

    def add(
        self, sample_id: str, score: SupportsFloat, heatmap: Map | None = None, *, shape: Triple | None = None
    ) -> None:
        """Add a sample.

        Args:
            sample_id: As in the release.
            score: Probability, or anything in 0 to 1 that rises with it, that there is tampering anywhere in the scan.
            heatmap: Where it is, as probabilities in 0 to 1 (or bool): an array (z, y, x) of the whole scan; or
                slices, as pairs of a slice's number and an array (y, x), in any order, those that do not come being
                zero; None for nowhere. What lies under 0.25 becomes zero.
            shape: Of the scan, for slices, where the release is not known.

        Raises:
            SubmissionError: If it would not be a sound row; nothing is added then.
        """
        if self._stack is None:
            raise SubmissionError("samples are added within the writer's `with` block")
        scan = self._scan(sample_id)
        try:
            if scan is not None and shape not in (None, scan):
                raise ValueError(f"shape is that of its scan, {scan}, got {shape}")
            found = _heatmap(heatmap, scan or shape)
            row = Prediction(sample_id, float(score), found).row()
        except (ValueError, TypeError) as error:
            raise SubmissionError(f"{sample_id}: {str(error).removeprefix(f'{sample_id}: ')}") from error
        size = len(row["heatmap"] or b"")
        if size > _MAX_PACKED_BYTES:
            raise SubmissionError(
                f"{sample_id}: a map takes at most {_MAX_PACKED_BYTES} bytes, got {size}; is it noise?"
            )
        if len(self._rows) == ROWS_PER_GROUP or self._bytes + size > _BYTES_PER_GROUP:
            self._flush()
        self._rows.append(row)
        self._bytes += size
        self._added.add(sample_id)

    def _scan(self, sample_id: str) -> Triple | None:
        """The shape of a sample's scan, if the release is known."""
        if not 0 < len(sample_id.encode(errors="surrogatepass")) <= MAX_ID_BYTES or not sample_id.isprintable():
            raise SubmissionError(f"sample_id must be printable text of 1 to {MAX_ID_BYTES} bytes, got {sample_id!r}")
        if sample_id in self._added:
            raise SubmissionError(f"{sample_id}: is there already; add a sample once")
        if len(self._added) == MAX_ROWS:
            raise SubmissionError(f"{sample_id}: a submission has at most {MAX_ROWS} rows")
        if self._expected is None:
            return None
        if sample_id not in self._expected.scans:
            raise SubmissionError(
                f"{sample_id}: is no sample of the split {self._expected.split}, nor of validation; "
                "`missing` lists those that are"
            )
        return self._expected.scans[sample_id]

    def _check_complete(self) -> None:
        if self.missing:
            first = ", ".join(self.missing[:5])
            raise SubmissionError(f"{self.out}: {len(self.missing)} samples of the split were not added: {first}, ...")
        lacking = self._lacking_pristine()
        if lacking:
            raise SubmissionError(
                f"{self.out}: of validation's pristine scans, which set the threshold, add all or none; "
                f"{len(lacking)} are missing: {', '.join(sorted(lacking)[:5])}, ..."
            )

    def _lacking_pristine(self) -> frozenset[str]:
        pristine = frozenset() if self._expected is None else self._expected.pristine
        return pristine - self._added if pristine & self._added else frozenset()

    def _flush(self) -> None:
        if self._rows and self._table is not None:
            self._table.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
        self._rows, self._bytes = [], 0


def _checked(metadata: Mapping[str, Any]) -> bytes:
    """The bytes of ``metadata.json``, if they would be read again as the same."""
    try:
        data = metadata_bytes(metadata)
    except (TypeError, ValueError, RecursionError) as error:
        raise SubmissionError(f"{METADATA}: holds what JSON has no word for ({error})") from error
    problems = [str(problem) for problem in metadata_problems(parse_metadata(data))]
    if problems:
        raise SubmissionError("\n".join(problems))
    return data


def _heatmap(given: Map | None, shape: Triple | None) -> Heatmap | None:
    """A map in the form of a submission, if it fits the scan.

    Args:
        given: What a user calls a map.
        shape: Of the scan, if that is known.
    """
    if given is None or isinstance(given, Heatmap):
        return _fitting(given, shape)
    if not isinstance(given, AsArray):
        if shape is None:
            raise ValueError("slices need `shape`, that of the scan, where the release is not known")
        return _fitting(Heatmap.of(shape, _planes(given)), shape)
    volume = np.asarray(given)
    if volume.ndim != _AXES or (shape or volume.shape) != volume.shape:
        raise ValueError(f"a map has the shape (z, y, x) of its scan, {shape or 'three axes'}, got {volume.shape}")
    depth, height, width = volume.shape
    return _fitting(Heatmap.of((depth, height, width), _planes(enumerate(volume))), shape)


def _planes(slices: Iterable[tuple[int, AsArray]]) -> Iterator[tuple[int, np.ndarray]]:
    seen: set[int] = set()
    for number, plane in slices:
        values = np.asarray(plane)
        if values.dtype != bool and not np.issubdtype(values.dtype, np.floating):
            raise ValueError(f"slice {number} holds probabilities, float or bool, got {values.dtype}; 255 is 1.0, say")
        if values.ndim != 2 or 0 in values.shape:
            raise ValueError(f"slice {number} has the axes y, x, got an array of {values.shape}")
        if number in seen:
            raise ValueError(f"slice {number} comes twice")
        seen.add(int(number))
        yield int(number), values.astype(np.float32, copy=False) if values.dtype == bool else values


def _fitting(heatmap: Heatmap | None, scan: Triple | None) -> Heatmap | None:
    if heatmap is None or not heatmap.box.size:
        return None
    box = heatmap.box
    if scan is not None and box not in Box((0, 0, 0), scan):
        raise ValueError(f"its map, {box.start} to {box.stop}, does not lie in the scan of {scan} voxels")
    if min(box.start) < 0 or box.size > MAX_VOXELS:
        raise ValueError(f"a map starts at voxel 0 or later and has at most {MAX_VOXELS} voxels, got {box.size}")
    return heatmap
