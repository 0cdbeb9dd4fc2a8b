import sys

import numpy as np
import oracles
import pytest
from matplotlib.figure import Figure

from m3dsynth_dataset.errors import MissingExtraError
from m3dsynth_dataset.scoring import plots, score
from m3dsynth_dataset.scoring.plots import write_plots


@pytest.fixture(scope="module")
def scored(judged_release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("submission") / "s"
    # matplotlib would take what stands between dollars for a formula, and fail on this one.
    submission = oracles.hand_in(folder, judged_release, oracles.random(5), detector=r"$\frac{\x00$" + "w" * 99)
    return score(submission, judged_release, draws=20)


def test_four_pictures_are_written(scored, tmp_path):
    paths = write_plots(scored, tmp_path / "plots")

    assert [path.name for path in paths] == ["roc.png", "scores.png", "groups.png", "calibration.png"]
    for path in paths:
        assert path.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == sorted(path.name for path in paths)


def test_the_curve_passes_through_what_the_scorecard_says(scored):
    sheet = Figure()
    plots._roc(sheet, scored)
    (axes,) = sheet.axes
    lines = {line.get_label(): line for line in axes.lines}

    assert axes.get_xscale() == "log"
    assert axes.get_xlim()[0] < 0.01 < axes.get_xlim()[1]
    for figures in scored.card.groups:
        alarms, detections = lines[figures.group].get_data()
        at = np.flatnonzero(alarms <= 0.01)[-1]
        assert detections[at] == pytest.approx(scored.card.parity.pd[figures.group].value)
        assert (alarms[-1], detections[-1]) == (1, 1)
    (point,) = (line for name, line in lines.items() if name.startswith("threshold"))
    assert point.get_ydata()[0] == scored.card.overall.pd.value


def test_histograms_hold_every_score_of_each_kind(scored):
    sheet = Figure()
    plots._scores(sheet, scored)

    assert [axes.get_ylabel() for axes in sheet.axes] == ["% of 11\npristine", "% of 40\ntampered", "% of 20\ncontrol"]
    for axes in sheet.axes:
        assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(100)


def test_bars_are_the_groups_figures(scored):
    sheet = Figure()
    plots._groups(sheet, scored)

    for axes, name in zip(sheet.axes, ("f1", "iou", "pd", "accuracy", "auc"), strict=True):
        lengths = [bar.get_width() for bar in axes.patches]
        assert lengths == [getattr(figures, name).value for figures in scored.card.groups]


def test_the_calibration_curve_is_the_scorecards(scored):
    sheet = Figure()
    plots._calibration(sheet, scored)
    above, below = sheet.axes
    means, shares = above.lines[1].get_data()
    filled = [each for each in scored.card.calibration if each.count]

    assert list(means) == [each.mean_score for each in filled]
    assert list(shares) == [each.share_tampered for each in filled]
    assert sum(bar.get_height() for bar in below.patches) == 51


def test_a_group_without_a_figure_has_no_bar(judged_release):
    from m3dsynth_dataset.metrics import Interval

    nothing, some = Interval(*[float("nan")] * 3), Interval(0.5, 0.25, 1.0)
    assert plots._lengths([nothing, some]) == ([0, 0.5], [[0, 0.25], [0, 0.5]])


def test_without_matplotlib_the_extra_is_named(scored, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"matplotlib, which is not installed: .*m3dsynth\[scoring\]"):
        write_plots(scored, tmp_path / "plots")
    assert not (tmp_path / "plots").exists()
