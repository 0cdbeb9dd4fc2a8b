"""Sealed labels: what is true of the samples of a test whose release does not tell.

``python -m benchmarks seal`` writes the file and the release that belongs to it. The release's manifest has the file's
sha256 under ``built.sealed.labels_sha256``; the file holds 32 secret random bytes, so that nobody can guess labels
until the checksum fits. Whoever scores keeps the file; when it is published one day, everybody can see that it is the
one that was promised.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import LabelsError
from m3dsynth_dataset.schema import LABELS, MANIPULATIONS, SEALED
from m3dsynth_dataset.scoring.truth import Truth

if TYPE_CHECKING:
    from m3dsynth_dataset.release import Release

LABELS_FORMAT = "1.0"
SECRET_BYTES = 32

_KEY = b"m3dsynth_labels"
_TRIPLE = pa.list_(pa.int32(), 3)
_SCHEMA = pa.schema(
    {
        "sample_id": pa.string(),  # as the public release has it, as are the next two
        "patient_id": pa.string(),
        "scan_id": pa.string(),
        "label": pa.string(),
        "generator": pa.string(),
        "manipulation": pa.string(),
        "shape_zyx": _TRIPLE,
        "box_start_zyx": _TRIPLE,
        "box_shape_zyx": _TRIPLE,
        "mask": pa.binary(),
        "source_sample_id": pa.string(),  # in the release that was sealed
    }
)
_HEX = re.compile(f"[0-9a-f]{{{2 * SECRET_BYTES}}}")


@dataclass(frozen=True)
class SealedLabels:
    """The truth of a sealed split. It is not shown where it is printed, such as in a log."""

    truths: tuple[Truth, ...] = field(repr=False)
    """By the sample ids, scans and patients of the public release."""
    split: str
    secret: bytes = field(repr=False)
    """What every choice was drawn with."""
    source_digest: str
    """Of the release that was sealed."""
    sources: Mapping[str, str] = field(repr=False)
    """The sample of that release that each public one is, by id."""
    digest: str
    """The sha256 of the file: what the public release promised."""

    def check(self, release: "Release") -> None:
        """See that these are the labels that a public release promised.

        Args:
            release: The public one.

        Raises:
            LabelsError: If the release is not sealed, or other labels were promised.
        """
        promised = promised_labels(release)
        if promised is None:
            raise LabelsError(f"{release.name}: its test is not sealed, so it is scored without --labels")
        if promised != self.digest:
            raise LabelsError(
                f"the labels have sha256 {self.digest}, but {release.name} promised {promised}: they are of another "
                "release, or not as they were written; take the file that was written with this release"
            )
        is_there = self.split in release.splits.get(SEALED, ())
        samples = release.rows(SEALED, self.split, ["sample_id"])["sample_id"].to_pylist() if is_there else []
        if sorted(samples) != sorted(truth.sample_id for truth in self.truths):
            raise LabelsError(f"{release.name}: its sealed samples are not those of the labels; `m3dsynth verify` it")


def promised_labels(release: "Release") -> str | None:
    """The sha256 of the labels that belong to a release; None if it is not sealed."""
    sealed = release.manifest.built.get("sealed")
    return str(sealed.get("labels_sha256")) if isinstance(sealed, dict) else None


def write_labels(
    path: Path, truths: Iterable[Truth], *, split: str, secret: bytes, source_digest: str, sources: Mapping[str, str]
) -> None:
    """Write sealed labels.

    Args:
        path: File to write.
        truths: By the ids of the public release.
        split: Which is sealed.
        secret: 32 random bytes.
        source_digest: Of the release that is sealed.
        sources: The sample of that release that each public one is.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret has {SECRET_BYTES} bytes, got {len(secret)}")
    about = {"format": LABELS_FORMAT, "split": split, "secret": secret.hex(), "source_digest": source_digest}
    rows = [_row(truth) | {"source_sample_id": sources[truth.sample_id]} for truth in truths]
    schema = _SCHEMA.with_metadata({_KEY: json.dumps(about, sort_keys=True).encode()})
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd", write_page_checksum=True)


def read_labels(path: Path) -> SealedLabels:
    """Read sealed labels; :meth:`SealedLabels.check` then holds them against the release.

    Args:
        path: File that ``python -m benchmarks seal`` wrote.

    Raises:
        LabelsError: If it is missing, damaged, or something else.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LabelsError(f"{path}: the labels cannot be read ({error.strerror})") from error
    try:
        about, rows = _parse(data)
        truths = tuple(_truth(row) for row in rows)
    except (ValueError, LookupError, TypeError, OSError, pa.ArrowException) as error:
        raise LabelsError(f"{path}: not labels that `python -m benchmarks seal` wrote, or damaged ({error})") from error
    return SealedLabels(
        truths,
        about["split"],
        bytes.fromhex(about["secret"]),
        about["source_digest"],
        {row["sample_id"]: row["source_sample_id"] for row in rows},
        hashlib.sha256(data).hexdigest(),
    )


def _parse(data: bytes) -> tuple[dict[str, str], list[dict[str, Any]]]:
    with pq.ParquetFile(io.BytesIO(data), page_checksum_verification=True) as file:
        found = file.schema_arrow
        if not found.equals(_SCHEMA) or _KEY not in (found.metadata or {}):
            raise ValueError("its columns are others")
        about = json.loads(found.metadata[_KEY])
        if about["format"] != LABELS_FORMAT:
            raise ValueError(f"format {about['format']!r}, this version reads {LABELS_FORMAT}")
        if not _HEX.fullmatch(about["secret"]):
            raise ValueError("it has no secret")
        rows: list[dict[str, Any]] = file.read().to_pylist()
    if len({row["sample_id"] for row in rows}) != len(rows):
        raise ValueError("a sample is in it twice")
    return about, rows


def _row(truth: Truth) -> dict[str, Any]:
    return {
        "sample_id": truth.sample_id,
        "patient_id": truth.patient_id,
        "scan_id": truth.scan_id,
        "label": truth.label,
        "generator": truth.generator,
        "manipulation": truth.manipulation,
        "shape_zyx": list(truth.shape),
        "box_start_zyx": None if truth.box is None else list(truth.box.start),
        "box_shape_zyx": None if truth.box is None else list(truth.box.shape),
        "mask": truth.encoded_mask,
    }


def _truth(row: Mapping[str, Any]) -> Truth:
    if row["label"] not in LABELS or row["manipulation"] not in MANIPULATIONS:
        raise ValueError(f"{row['sample_id']}: label {row['label']!r}, manipulation {row['manipulation']!r}")
    z, y, x = row["shape_zyx"]
    box = None
    if row["box_start_zyx"] is not None:
        box = Box(tuple(row["box_start_zyx"]), tuple(row["box_shape_zyx"]))  # three, by the schema
    if (row["label"] == "pristine") != (box is None) or (box is None) != (row["mask"] is None):
        raise ValueError(f"{row['sample_id']}: {row['label']}, but its box or mask say otherwise")
    return Truth(
        row["sample_id"], row["patient_id"], row["scan_id"], row["label"], row["generator"], row["manipulation"],
        (z, y, x), box, row["mask"],
    )  # fmt: skip
