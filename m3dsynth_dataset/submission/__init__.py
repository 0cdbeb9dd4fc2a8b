"""Submissions: what a detector says of the samples of a release, as files that anybody can score."""

from m3dsynth_dataset.submission.heatmap import Heatmap
from m3dsynth_dataset.submission.prediction import PREDICTIONS, Prediction, as_table, from_table, write_submission

__all__ = ["PREDICTIONS", "Heatmap", "Prediction", "as_table", "from_table", "write_submission"]
