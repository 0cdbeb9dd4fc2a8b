"""What a detector says of the samples that are shown."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.viewer.block import part
from benchmarks.viewer.place import Place
from m3dsynth_dataset import Release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.metrics import overlap
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.submission import Heatmap, Prediction, Submission, read_submission
from m3dsynth_dataset.submission.heatmap import LEVELS
from m3dsynth_dataset.types import Triple

THRESHOLD = 0.5


@dataclass(frozen=True)
class Verdicts:
    """Of one detector."""

    detector: str
    rows: dict[str, dict[str, Any]]
    """Rows of a submission by sample id; their maps stay packed, since unpacked they would fill the memory."""

    @classmethod
    def read(cls, path: Path, release: Release, sample_ids: Collection[str]) -> "Verdicts":
        """Read what a submission says of some samples.

        Args:
            path: Of the submission.
            release: That it must be of.
            sample_ids: Of the samples.

        Raises:
            BenchmarkError: If it is no submission, is of another release, or says nothing of these samples.
        """
        try:
            submission = read_submission(path)
            _check_release(submission, release, path)
            rows = {each.sample_id: each.row() for each in submission.predictions() if each.sample_id in sample_ids}
        except SubmissionError as error:
            raise BenchmarkError(str(error)) from error
        if not rows:
            raise BenchmarkError(
                f"{path}: says nothing of the {len(sample_ids)} samples that were chosen; "
                f"it is of split {submission.metadata.get('split', 'unknown')}: choose with --split and --config"
            )
        return cls(str(submission.metadata.get("detector") or "detector"), rows)

    def of(self, sample_id: str) -> Prediction | None:
        """What is said of a sample; None if nothing is."""
        row = self.rows.get(sample_id)
        return None if row is None else Prediction(sample_id, row["score"], Heatmap.from_row(row))


def _check_release(submission: Submission, release: Release, path: Path) -> None:
    said, ours = submission.metadata.get("release_digest"), release.manifest.digest
    if said != ours:
        raise BenchmarkError(
            f"{path}: is of the release with digest {str(said)[:12]}, {release.name} has {ours[:12]}; "
            "name the release that was judged, or judge this one with `python -m benchmarks predict`"
        )


def peak(heatmap: Heatmap) -> tuple[Triple, float]:
    """Where a map is highest (z, y, x), and how high."""
    z, y, x = np.unravel_index(int(heatmap.values.argmax()), heatmap.values.shape)
    start = heatmap.box.start
    return (start[0] + int(z), start[1] + int(y), start[2] + int(x)), float(heatmap.values.max()) / LEVELS


def place_of_alarm(sample: Sample, prediction: Prediction | None) -> Place | None:
    """Where a detector is most alarmed, if it is anywhere.

    Raises:
        BenchmarkError: If the map reaches beyond the scan.
    """
    if prediction is None or prediction.heatmap is None:
        return None
    if prediction.heatmap.box not in Box((0, 0, 0), sample.pristine.shape):
        raise BenchmarkError(f"{sample.id}: the map of the submission reaches beyond the scan; `m3dsynth validate` it")
    return Place(sample, peak(prediction.heatmap)[0])


def page(prediction: Prediction, sample: Sample, place: Place) -> dict[str, Any]:
    """What the page gets: the score, the map as far as voxels are shown, and where it is highest.

    Args:
        prediction: Of the sample.
        sample: That was judged.
        place: That is shown.
    """
    heatmap = prediction.heatmap
    if heatmap is None:
        return {"score": prediction.score, "region": None, "planes": [None] * 3, "peak": None, "f1": None}
    place_of_alarm(sample, prediction)  # which refuses a map beyond the scan
    where, height = peak(heatmap)
    return {
        "score": prediction.score,
        "region": part(heatmap.box, heatmap.values, place.region),
        "planes": [part(heatmap.box, heatmap.values, plane) for plane in place.planes],
        "peak": {"zyx": list(where), "probability": round(height, 3)},
        "f1": _f1(heatmap, sample),
    }


def _f1(heatmap: Heatmap, sample: Sample) -> float | None:
    """F1 of the map at 0.5; None where nothing was tampered with."""
    box = sample.mask.edited
    if box is None or sample.label != "tampered":
        return None
    mask = sample.mask[box.slices()]
    return round(overlap(heatmap.values, heatmap.box, mask, box, THRESHOLD * LEVELS).f1, 3)
