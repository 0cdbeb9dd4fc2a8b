"""Scoring: predictions against the truth of a release."""

from m3dsynth_dataset.scoring.judgement import Judgement, judge
from m3dsynth_dataset.scoring.result import read_result, result, write_result
from m3dsynth_dataset.scoring.score import Score, score
from m3dsynth_dataset.scoring.scorecard import Figures, Scorecard, scorecard
from m3dsynth_dataset.scoring.slab import slabs
from m3dsynth_dataset.scoring.truth import Truth, truths

__all__ = [
    "Figures",
    "Judgement",
    "Score",
    "Scorecard",
    "Truth",
    "judge",
    "read_result",
    "result",
    "score",
    "scorecard",
    "slabs",
    "truths",
    "write_result",
]
