"""Submissions: what a detector says of the samples of a release, as files that anybody can score."""

from m3dsynth_dataset.submission.heatmap import Heatmap
from m3dsynth_dataset.submission.prediction import PREDICTIONS, Prediction, as_table, from_table, write_submission
from m3dsynth_dataset.submission.reading import Submission, read_submission
from m3dsynth_dataset.submission.validation import Expected, expected_of, validate
from m3dsynth_dataset.submission.writer import SubmissionWriter

__all__ = [
    "PREDICTIONS",
    "Expected",
    "Heatmap",
    "Prediction",
    "Submission",
    "SubmissionWriter",
    "as_table",
    "expected_of",
    "from_table",
    "read_submission",
    "validate",
    "write_submission",
]
