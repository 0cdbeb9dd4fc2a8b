import hashlib
import html
import re
from base64 import b64encode

import pytest
from leaderboard_site import DIGEST, board_rows, document, parsed, scored, write_results

from benchmarks.leaderboard import boards, read_entries
from benchmarks.leaderboard.page import page

EVIL = {
    "name": '"><img src=x onerror=alert(1)>',
    "detector": "</title></style><script>alert(2)</script>",
    "url": "javascript:alert(3)",
    "paper": "data:text/html,<script>alert(4)</script>",
    "code": 'https://example.org/" onmouseover="alert(5)',
    "trained_on": "'><svg onload=alert(6)>",
    "external_data": "<iframe srcdoc='<script>alert(7)</script>'>",
    "<b onclick=alert(8)>": {"{{ 7 * 7 }}": "</script><script>alert(9)</script>"},
}


@pytest.fixture(scope="module")
def opened(site):
    return parsed((site / "index.html").read_text())


def test_it_opens_on_all_samples_in_all_measures_with_ranks_by_f1(found, opened):
    for board in found:
        rows = board_rows(opened.one("section", data_board=board.key))
        assert list(rows[0][2]) == [
            "f1/overall", "iou/overall", "accuracy/overall", "pd/overall", "auc/overall", "control/control",
        ]  # fmt: skip
        by_f1 = sorted(board.entries, key=lambda entry: -entry.figure("f1", "overall").value)
        assert [name for name, *_ in rows] == [entry.account.name for entry in by_f1]
        assert [rank for _, rank, _ in rows] == [str(board.ranks()[entry.submission]) for entry in by_f1]


def test_every_cell_has_its_figure_interval_and_bar(found, opened):
    board = found[0]
    for entry, body in zip(board.entries, opened.one("section", data_board=board.key).all("tbody"), strict=True):
        cells = [cell for cell in body.all("td") if "data-key" in cell.attributes]
        assert len(cells) == 5 * (len(board.groups) + 1) + 1
        for cell in cells:
            measure, group = cell.attributes["data-key"].split("/")
            figure = entry.worst(measure)[1] if group == "worst" else entry.figure(measure, group)
            assert float(cell.attributes["data-value"]) == figure.value
            assert cell.one(class_="figure").text == f"{100 * figure.value:.1f}"
            assert cell.one(class_="range").text == f"{100 * figure.low:.1f}\N{EN DASH}{100 * figure.high:.1f}"
            band = cell.one("rect", class_="interval").attributes
            assert float(band["x"]) == pytest.approx(100 * figure.low, abs=0.051)
            assert float(band["x"]) + float(band["width"]) == pytest.approx(100 * figure.high, abs=0.11)
            tick = cell.one("rect", class_="value").attributes
            assert float(tick["x"]) + 0.7 == pytest.approx(100 * figure.value, abs=0.8)


def test_a_board_says_its_terms(found, opened):
    for board in found:
        text = opened.one("section", data_board=board.key).one(class_="terms").text
        assert DIGEST[:12] in text
        assert f"m3dsynth {board.terms.scorer}" in text
        assert "phantoms" in opened.one("section", data_board=board.key).one("h2").text
    assert len(found) == len(opened.one("select", name="board").all("option")) == 3


def test_an_entry_states_release_scorer_external_data_and_links_its_result(found, opened, site):
    for board in found:
        section = opened.one("section", data_board=board.key)
        for entry, about in zip(board.entries, section.all(class_="about"), strict=True):
            assert entry.terms.digest in about.text
            assert entry.terms.scorer in about.text
            lines = [each for each in about.all("div") if len(each.all("dt")) == 1]
            said = {each.one("dt").text: each.one("dd").text for each in lines}
            assert said["external data"] == entry.account.external_data
            files = [each.attributes["href"] for each in about.all("a") if "://" not in each.attributes["href"]]
            assert len(files) == (2 if board.terms.protocol == "volume" else 1)
            assert all((site / each).is_file() for each in files)
            for warning in entry.warnings:
                assert warning in html.unescape(about.text)


def test_external_data_shows_in_the_row_and_only_where_it_was_used(opened, found):
    section = opened.one("section", data_board=found[0].key)
    marked = [body.one(class_="name").text for body in section.all("tbody") if body.all(class_="external")]
    assert marked == ["Third"]


def test_who_fires_on_the_control_is_marked(opened, found):
    section = opened.one("section", data_board=found[0].key)
    marked = [body.one(class_="name").text for body in section.all("tbody") if body.all(class_="fires")]
    assert marked == [entry.account.name for entry in found[0].entries if entry.control.low > 0.01]
    assert "Scores only" in marked
    assert len(marked) < len(found[0].entries)


def test_a_threshold_that_raises_more_alarms_than_it_may_is_said_at_every_pd(tmp_path):
    loud, quiet = document("loud", false_alarms=0.25), document("quiet", false_alarms=0.01)
    tree = parsed(page(boards(read_entries([write_results(tmp_path, loud, quiet)]))))
    for body in tree.one("section", class_="board").all("tbody"):
        noted = [
            cell.attributes["data-key"]
            for cell in body.all("td")
            if any(each.text == "at 25.0 % false alarms" for each in cell.all(class_="under"))
        ]
        measured = [each.attributes["data-key"] for each in body.all("td") if "data-key" in each.attributes]
        pds = [key for key in measured if key.startswith("pd/")]
        assert noted == (pds if body.one(class_="name").text == "loud" else [])


def test_nothing_that_strangers_hand_in_is_markup(tmp_path):
    evil = document("x", scored(), metadata=EVIL, warnings=["<script>alert(10)</script>"])
    evil["release"]["name"] = "<script>alert(11)</script>"
    text = page(boards(read_entries([write_results(tmp_path, evil)])))
    tree = parsed(text)
    assert len(tree.all("script")) == len(tree.all("style")) == len(tree.all("title")) == 1
    assert not [each for tag in ("img", "iframe", "object", "embed", "form action") for each in tree.all(tag)]
    for each in tree.all():
        assert not [name for name in each.attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src"):
            assert re.match(r"https?://|#|results/|leaderboard\.|$", each.attributes.get(name, ""))
    shown = html.unescape(tree.text)
    for value in (EVIL["name"], EVIL["url"], EVIL["external_data"], "<script>alert(11)</script>"):
        assert value in shown


def test_the_policy_lets_only_our_own_style_and_script_run(site):
    text = (site / "index.html").read_text()
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.S)
        digest = b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_the_page_asks_for_nothing_from_anywhere(opened):
    assert not [each for each in opened.all() if "src" in each.attributes or each.tag == "link"]


def test_undefined_figures_are_a_dash_and_no_zero(tmp_path):
    without = document("x", scored(control=False))
    for group in without["groups"]:
        group["f1"] = None
    tree = parsed(page(boards(read_entries([write_results(tmp_path, without)]))))
    ((_, rank, cells),) = board_rows(tree.one("section", class_="board"))
    assert (rank, cells["f1/overall"], cells["control/control"]) == ("\N{EN DASH}",) * 3
    assert re.fullmatch(r"\d+\.\d", cells["iou/overall"])


def test_it_explains_itself_and_how_to_submit(opened):
    reading = opened.one("section", id="reading").text
    for word in ("Pd@1%", "Control", "Why boards are separate"):
        assert word in reading
    assert len(opened.one("section", id="submitting").one("pre").children[0].children[0].split("\n")) == 3


def test_every_control_has_a_label_and_every_table_a_name(opened):
    for select in opened.all("select"):
        assert any(select in label.all("select") for label in opened.all("label"))
    ids = {each.attributes["id"] for each in opened.all() if "id" in each.attributes}
    assert len(ids) == len([each for each in opened.all() if "id" in each.attributes])
    for each in opened.all():
        for name in ("aria-labelledby", "aria-controls"):
            assert each.attributes.get(name) is None or each.attributes[name] in ids
