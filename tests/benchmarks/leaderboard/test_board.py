import copy
import itertools

import pytest
from leaderboard_site import document, scored, write_results

from benchmarks.errors import BenchmarkError
from benchmarks.leaderboard import boards, read_entries

OTHER_TERMS = {
    "protocol": {"protocol": "slab"},
    "split": {"split": "validation"},
    "release": {"digest": "ab" * 32},
    "labels": {"labels": "cd" * 32},
    "scorer": {"scorer": "0.0.9"},
    "calibration": {"calibrated_on": "this split"},
}


def found(tmp_path, *documents):
    return boards(read_entries([write_results(tmp_path, *documents)]))


@pytest.mark.parametrize("what", OTHER_TERMS)
def test_results_of_other_terms_are_never_ranked_together(what, tmp_path):
    card = scored()
    two = found(tmp_path, document("one", card), document("two", card, **OTHER_TERMS[what]))
    assert [len(board.entries) for board in two] == [1, 1]
    assert two[0].key != two[1].key
    assert two[0].title != two[1].title
    assert all(list(board.ranks().values()) == [1] for board in two)


def test_every_difference_gives_its_own_board(tmp_path):
    card = scored()
    changes = [dict(itertools.chain(a.items(), b.items())) for a, b in itertools.combinations(OTHER_TERMS.values(), 2)]
    documents = [document(str(number), card, **change) for number, change in enumerate(changes)]
    assert len(found(tmp_path, *documents)) == len({board.key for board in found(tmp_path, *documents)}) == 15


def test_equal_figures_share_a_place_and_the_next_is_further_down(tmp_path):
    best, tied, last = scored(3, 1), scored(2, 2), scored(1, 3)
    board = found(
        tmp_path, document("last", last), document("b", tied), document("a", tied), document("best", best)
    )[0]  # fmt: skip
    for measure in ("f1", "pd", "auc"):
        ranks = board.ranks(measure, "dm-removal")
        values = {entry.submission: entry.figure(measure, "dm-removal").value for entry in board.entries}
        assert ranks == {name: 1 + sum(other > value for other in values.values()) for name, value in values.items()}
        names = {entry.account.name: ranks[entry.submission] for entry in board.entries}
        assert names["a"] == names["b"]
    assert sorted(board.ranks("auc").values()) == [1, 2, 2, 4]


def test_on_the_control_fewer_alarms_are_better(tmp_path):
    board = found(tmp_path, document("fires", scored(fires=5)), document("keeps quiet", scored(fires=-2)))[0]
    ranks = {entry.account.name: board.ranks("control", "control")[entry.submission] for entry in board.entries}
    assert ranks == {"keeps quiet": 1, "fires": 2}


def test_an_entry_without_a_figure_has_no_rank_and_comes_last(tmp_path):
    without = document("a", scored(3))
    for group in without["groups"]:
        group["f1"] = None
    board = found(tmp_path, without, document("b", scored(1)))[0]
    assert [entry.account.name for entry in board.entries] == ["b", "a"]
    assert board.ranks() == {board.entries[0].submission: 1}


def test_the_first_board_is_of_whole_scans_real_ones_and_the_newest_scorer(tmp_path):
    card = scored()
    real = {"release": {"name": "m3dsynth", "digest": "00" * 32, "phantom": False}}
    order = found(
        tmp_path, document("a", card, protocol="slab"), document("b", card),
        document("c", card, scorer="0.10.0", **real), document("d", card, scorer="0.9.0", **real),
        document("e", card, scorer="0.9.0"),
    )  # fmt: skip
    assert [board.entries[0].account.name for board in order] == ["c", "d", "e", "b", "a"]


def test_predictions_that_are_there_twice_are_an_error_that_names_both_files(tmp_path):
    one = document("one", submission="ab" * 32)
    with pytest.raises(BenchmarkError, match=r"1\.json and .*0\.json hold the same predictions .*remove one"):
        found(tmp_path, one, document("two", submission="ab" * 32))


def test_results_that_claim_the_same_terms_but_count_other_samples_are_an_error(tmp_path):
    one, two = document("one"), copy.deepcopy(document("two"))
    two["groups"][2]["tampered"] += 1
    with pytest.raises(
        BenchmarkError, match=r"1\.json and .*0\.json .* other samples: cyclegan-removal with 13 tampered and 12"
    ):
        found(tmp_path, one, two)
