import numpy as np

from benchmarks.deception.histograms import histograms
from benchmarks.deception.scores import Change


def change(site, manipulation, generator, before, after):
    return Change(site, "scan", "P1", manipulation, generator, None, None, None, before, after)


CHANGES = [
    change("rem_1", "removal", "identity", 0.95, 0.92),
    change("rem_1", "removal", "dm", 0.95, 0.15),
    change("inj_1", "injection", "identity", 0.05, 0.05),
    change("inj_1", "injection", "dm", 0.05, 0.85),
    change("inj_2", "injection", "dm", 0.25, 0.85),
]


def heights(axes):
    """Of a panel's bars, ten bins for each manipulation that is there."""
    return np.array([bar.get_height() for bar in axes.patches]).reshape(-1, 10)


def test_there_is_a_panel_for_what_was_there_one_for_each_generator_and_the_control_last():
    titles = [axes.get_title() for axes in histograms(CHANGES).axes]

    assert titles == ["pristine", "dm", "identity (control)"]


def test_bars_are_shares_of_sites_and_a_site_counts_once_as_it_was():
    pristine, dm, _ = histograms(CHANGES).axes

    np.testing.assert_allclose(heights(pristine).sum(axis=1), 1)
    assert heights(pristine)[0, [0, 2]].tolist() == [0.5, 0.5], "injections"
    assert heights(pristine)[1, 9] == 1, "removals"
    assert heights(dm)[0, 8] == 1
    assert heights(dm)[1, 1] == 1


def test_one_manipulation_alone_is_drawn():
    figure = histograms([each for each in CHANGES if each.manipulation == "removal"])

    assert len(heights(figure.axes[0])) == 1
