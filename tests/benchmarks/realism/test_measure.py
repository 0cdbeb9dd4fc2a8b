from dataclasses import replace

import pytest

from benchmarks.realism.halves import Floor
from benchmarks.realism.measure import MEASURES
from m3dsynth_dataset.metrics import Interval

READ = {measure.title: measure.read for measure in MEASURES}


@pytest.mark.parametrize(
    ("title", "changed", "is_bad"),
    [
        ("seam", {"seam_ratio": Interval(1.03, 1.02, 1.04)}, False),
        ("seam", {"seam_ratio": Interval(1.2, 1.1, 1.3)}, True),
        ("told apart", {"auc": Interval(0.6, 0.55, 0.65), "auc_floor": Floor(0.5, 0.7)}, False),
        ("told apart", {"auc": Interval(0.8, 0.75, 0.85), "auc_floor": Floor(0.5, 0.7)}, True),
        ("told apart", {"auc": Interval(0.8, 0.45, 0.95), "auc_floor": Floor(0.5, 0.7)}, False),
        ("fine noise", {"fine_noise_db": Interval(-3, -4, -2), "fine_noise_tissue_db": Interval(0, -1, 1)}, True),
        ("fine noise", {"fine_noise_db": Interval(3, 2, 4), "fine_noise_tissue_db": Interval(0, -1, 1)}, True),
        ("fine noise", {"fine_noise_db": Interval(1, 0, 2), "fine_noise_tissue_db": Interval(0, -1, 1)}, False),
    ],
)
def test_only_what_chance_does_not_reach_is_marked(assessments, title, changed, is_bad):
    assert READ[title](replace(assessments["like-removal"], **changed)).is_bad is is_bad
