from leaderboard_site import document, scored, write_results

from benchmarks.leaderboard import read_entries


def entry(tmp_path, **changes):
    return read_entries([write_results(tmp_path, document(**changes))])[0]


def test_an_entry_has_the_figures_of_the_scorecard(tmp_path):
    card = scored(1.5, 7)
    found = entry(tmp_path, card=card)
    for figures in card.groups:
        for measure in ("f1", "iou", "accuracy", "pd", "auc"):
            interval, expected = found.figure(measure, figures.group), getattr(figures, measure)
            assert [interval.value, interval.low, interval.high] == [
                round(each, 6) for each in (expected.value, expected.low, expected.high)
            ]
    assert round(found.control.value, 6) == round(card.control.value, 6)
    assert found.figure("control", "overall") == found.control
    assert found.figure("f1", "no-such") is None
    assert round(found.parity.value, 6) == round(card.parity.pd["overall"].value, 6)


def test_the_worst_group_is_the_one_with_the_lowest_figure(tmp_path):
    card = scored(1.5, 7)
    found = entry(tmp_path, card=card)
    for measure in ("f1", "iou", "accuracy", "pd", "auc"):
        name, interval = found.worst(measure)
        assert name != "overall"
        assert interval.value == min(figure.figures[measure].value for figure in found.groups[1:])
        assert name == document(card=card)["worst"][measure]


def test_of_groups_that_are_alike_the_first_is_the_worst_and_never_all_of_them(tmp_path):
    alike = document()
    for group in alike["groups"]:
        group["f1"] = {"value": 1.0, "low": 1.0, "high": 1.0}
    assert read_entries([write_results(tmp_path, alike)])[0].worst("f1")[0] == "cyclegan-injection"


def test_what_is_not_defined_stays_undefined(tmp_path):
    changed = document(card=scored(control=False))
    for group in changed["groups"]:
        group["f1"] = group["pooled_f1"] = None
    found = read_entries([write_results(tmp_path, changed)])[0]
    assert found.control is None
    assert found.worst("f1") is None
    assert found.figure("f1", "overall") is None
    assert found.groups[0].pooled_f1 is None
