import csv
import io

import pytest
from leaderboard_site import board_rows, document, parsed, write_results

from benchmarks.leaderboard import boards, read_entries
from benchmarks.leaderboard.spreadsheet import spreadsheet


def lines(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_spreadsheet_has_every_figure_of_every_result(found, site):
    rows = [row for row in lines((site / "leaderboard.csv").read_text()) if row["source"] == "result"]
    by_place = {(row["board"], row["submission_sha256"], row["measure"], row["group"]): row for row in rows}
    assert len(by_place) == len(rows) == sum(len(board.entries) * (5 * len(board.groups) + 1) for board in found)
    for board in found:
        for entry in board.entries:
            for group in board.groups:
                for measure in ("f1", "iou", "accuracy", "pd", "auc"):
                    row, figure = by_place[board.key, entry.submission, measure, group], entry.figure(measure, group)
                    assert [float(row[name]) for name in ("value", "low", "high")] == [
                        figure.value,
                        figure.low,
                        figure.high,
                    ]
                    assert int(row["rank"]) == board.ranks(measure, group)[entry.submission]


def test_it_says_the_terms_of_every_figure(found, site):
    for row in lines((site / "leaderboard.csv").read_text()):
        if row["source"] == "result":
            (terms,) = [board.terms for board in found if board.key == row["board"]]
            named = [row[name] for name in ("protocol", "split", "release_digest", "scorer", "calibrated_on")]
            assert named == [terms.protocol, terms.split, terms.digest, terms.scorer, terms.calibrated_on]


def test_its_figures_are_those_of_the_page(found, site):
    page = parsed((site / "index.html").read_text())
    rows = lines((site / "leaderboard.csv").read_text())
    for board in found:
        for name, _, cells in board_rows(page.one("section", data_board=board.key)):
            for key, text in cells.items():
                measure, group = key.split("/")
                (row,) = [
                    row
                    for row in rows
                    if (row["board"], row["entry"], row["measure"], row["group"]) == (board.key, name, measure, group)
                ]
                assert f"{100 * float(row['value']):.1f}" == text


@pytest.mark.parametrize("name", ['=HYPERLINK("https://evil.org")', "+1", "-1+1", "@SUM(A1)"])
def test_no_text_of_strangers_is_a_formula(name, tmp_path):
    document_ = document("x", metadata={"name": name, "trained_on": name, "external_data": name})
    for row in lines(spreadsheet(boards(read_entries([write_results(tmp_path, document_)])))):
        for text in (row["entry"], row["trained_on"], row["external_data"]):
            assert text[:1] not in set("=+-@")
