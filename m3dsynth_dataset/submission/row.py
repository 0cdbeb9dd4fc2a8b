"""Rows of a submission as they were handed in, and every rule that they are held against."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.submission.heatmap import Heatmap
from m3dsynth_dataset.submission.limits import MAX_VOXELS
from m3dsynth_dataset.submission.prediction import Prediction
from m3dsynth_dataset.types import Triple
from m3dsynth_dataset.verification.finding import Finding, brief, message

_AXES = 3
_ZSTD = b"\x28\xb5\x2f\xfd"
_MAP_AGAIN = "write it with SubmissionWriter, or as `m3dsynth validate --schema` says"
_SCALE = "hand in a probability, or what rises with it"
_CROP = "cut the map to the scan, and its box with it"


@dataclass(frozen=True)
class Row:
    """What a row holds; anything may be missing or nonsense."""

    number: int
    """From 0."""
    sample_id: str | None
    score: float | None
    start: list[int | None] | None
    shape: list[int | None] | None
    heatmap: bytes | None

    @property
    def place(self) -> str:
        """What findings call it."""
        return f"row {self.number}" if not self.sample_id else self.sample_id

    @property
    def box(self) -> Box | None:
        """Where its map lies; None if there is no sound box."""
        start, shape = _triple(self.start), _triple(self.shape)
        return None if start is None or shape is None or min(shape) < 1 else Box(start, shape)

    def problems(self, scan: Triple | None = None) -> Iterator[Finding]:
        """All that is wrong with it, but for whether its map can be unpacked.

        Args:
            scan: Shape of the sample's scan, if that is known.
        """
        if not self.sample_id:
            yield Finding(self.place, "it names a sample", brief(self.sample_id), "give sample_id, as in the release")
        if self.score is None or not 0 <= self.score <= 1:  # NaN, too
            yield Finding(self.place, "score lies in 0 to 1", brief(self.score), _SCALE)
        yield from self.map_problems(scan)

    def map_problems(self, scan: Triple | None = None) -> Iterator[Finding]:
        """What is wrong with its map, as far as that can be said before it is unpacked.

        Args:
            scan: Shape of the sample's scan, if that is known.
        """
        if (self.start, self.shape, self.heatmap) == (None, None, None):
            return
        if self.heatmap is None or self.start is None or self.shape is None:
            columns = {"box_start_zyx": self.start, "box_shape_zyx": self.shape, "heatmap": self.heatmap}
            given = ", ".join(name for name, value in columns.items() if value is not None)
            yield Finding(self.place, "a map has all of its columns, or none", f"only {given}", _MAP_AGAIN)
            return
        box = self.box
        if box is None:
            rule = "box_start_zyx and box_shape_zyx are three voxels each, the shape >= 1"
            yield Finding(self.place, rule, f"{brief(self.start)} and {brief(self.shape)}", _MAP_AGAIN)
            return
        if scan is not None and box not in Box((0, 0, 0), scan):
            yield Finding(self.place, f"its map lies in the scan of {scan} voxels", f"{box.start} to {box.stop}", _CROP)
        elif min(box.start) < 0 or box.size > MAX_VOXELS:
            rule = f"its map starts at voxel 0 or later and has at most {MAX_VOXELS} voxels"
            yield Finding(self.place, rule, f"{box.start} to {box.stop}", _CROP)
        yield from self._frame_problems(box)

    def _frame_problems(self, box: Box) -> Iterator[Finding]:
        data = self.heatmap or b""
        if not data.startswith(_ZSTD):
            yield Finding(self.place, "heatmap is compressed with zstd", f"bytes that begin {data[:4]!r}", _MAP_AGAIN)
        elif (size := content_size(data)) is not None and size != box.size:
            rule = f"heatmap unpacks to the box's {box.size} bytes, one a voxel"
            yield Finding(self.place, rule, f"{size} bytes", _MAP_AGAIN)

    def prediction(self) -> Prediction:
        """It, its map unpacked: into as many bytes as the box has voxels, and no more.

        Raises:
            ValueError: If the map cannot be unpacked. Its problems are to be looked at before.
        """
        columns = {"box_start_zyx": self.start, "box_shape_zyx": self.shape, "heatmap": self.heatmap}
        return Prediction(self.sample_id or "", self.score or 0.0, Heatmap.from_row(columns))


def content_size(data: bytes) -> int | None:
    """The bytes that a zstd frame says it unpacks to; None if it does not say.

    Args:
        data: Begins with a frame (RFC 8878, section 3.1.1).
    """
    descriptor = data[4] if len(data) > len(_ZSTD) else 0
    is_single_segment = bool(descriptor & 32)
    length = (int(is_single_segment), 2, 4, 8)[descriptor >> 6]
    start = 5 + (not is_single_segment) + (0, 1, 2, 4)[descriptor & 3]
    field = data[start : start + length]
    if not length or len(field) < length:
        return None
    return int.from_bytes(field, "little") + (256 if length == 2 else 0)


def undecodable(row: Row, error: Exception) -> Finding:
    """What to say of a map that could not be unpacked."""
    return Finding(row.place, "heatmap can be unpacked", message(error), _MAP_AGAIN)


def _triple(values: list[Any] | None) -> Triple | None:
    if values is None or len(values) != _AXES or any(type(value) is not int for value in values):
        return None
    z, y, x = values
    return z, y, x
