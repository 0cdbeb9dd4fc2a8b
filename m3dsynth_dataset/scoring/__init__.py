"""Scoring: predictions against the truth of a release."""

from m3dsynth_dataset.scoring.judgement import Judgement, judge
from m3dsynth_dataset.scoring.scorecard import Figures, Scorecard, scorecard
from m3dsynth_dataset.scoring.truth import Truth, truths

__all__ = ["Figures", "Judgement", "Scorecard", "Truth", "judge", "scorecard", "truths"]
