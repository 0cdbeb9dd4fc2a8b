"""The page in headless Chromium: what its address and clicks make of it."""

import re
import shutil
import subprocess

import pytest
from leaderboard_site import board_rows, parsed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed; the page's script is not tried out")


@pytest.fixture(scope="module")
def browsed(site, tmp_path_factory):
    """The page after its script has run, by the fragment of its address; with a script of the test's own at its end."""
    profile = tmp_path_factory.mktemp("chromium")

    def browse(fragment="", script="", page=None):
        page = page or site / "index.html"
        if script:
            text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
            page = profile / "clicked.html"
            page.write_text(text.replace("</body>", f"<script>{script}</script></body>"))
        command = [
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}/profile",
            "--allow-file-access-from-files", "--enable-logging=stderr", "--window-size=1200,900", "--dump-dom",
            f"{page.as_uri()}{fragment}",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        assert not said, f"the page complains: {said}"
        return parsed(done.stdout)

    return browse


def shown(tree):
    """The board that is shown: rows and columns, and which column it is sorted by."""
    (section,) = [each for each in tree.all("section", class_="board") if each.is_shown]
    by = [
        (head.attributes["data-key"], head.attributes["aria-sort"])
        for head in section.one("thead").all("th")
        if head.attributes["aria-sort"] != "none"
    ]
    return section, board_rows(section), by


def expected(board, measure, group, *, worst=False):
    """Names and ranks, the best first."""
    figures = {
        entry.account.name: (entry.worst(measure)[1] if worst else entry.figure(measure, group)).value
        for entry in board.entries
    }
    sign = 1 if measure == "control" else -1
    names = sorted(figures, key=lambda name: sign * figures[name])
    return [(name, str(1 + sum(sign * other < sign * figures[name] for other in figures.values()))) for name in names]


def test_as_it_opens_it_shows_the_first_board_alone_ranked_by_f1(browsed, found):
    section, rows, by = shown(browsed())
    assert section.attributes["data-board"] == found[0].key
    assert [row[:2] for row in rows] == expected(found[0], "f1", "overall")
    assert by == [("f1/overall", "descending")]
    assert all(not about.is_shown for about in section.all(class_="about"))


def test_a_measure_is_shown_over_all_groups_and_sorted_and_ranked_by_the_one_chosen(browsed, found):
    tree = browsed("#measure=pd&sort=pd/worst")
    section, rows, by = shown(tree)
    assert list(rows[0][2]) == [
        *(f"pd/{group}" for group in ("overall", "worst", *found[0].groups[1:])),
    ]
    assert [row[:2] for row in rows] == expected(found[0], "pd", "", worst=True)
    assert by == [("pd/worst", "descending")]
    assert "ranked by Pd@1%, worst group" in section.one(class_="status").text
    heads = [head for head in tree.one("table", id="table3").all("th", scope="col") if head.is_shown]
    assert [head.attributes["data-key"] for head in heads] == ["name", "pd/pix2pix", "pd/cyclegan", "pd/dm"]
    table_2 = [each for each in tree.all(class_="table") if each.all("table", id="table2")]
    assert not table_2[0].is_shown


def test_generator_manipulation_and_another_board_come_from_the_address(browsed, found):
    board = found[1]
    tree = browsed(f"#board={board.key}&generator=dm&manipulation=removal&sort=-iou/dm-removal")
    section, rows, by = shown(tree)
    assert section.attributes["data-board"] == board.key
    assert list(rows[0][2]) == [f"{m}/dm-removal" for m in ("f1", "iou", "accuracy", "pd", "auc")] + ["control/control"]
    assert [row[:2] for row in rows] == expected(board, "iou", "dm-removal")[::-1]
    assert by == [("iou/dm-removal", "ascending")]


def test_the_control_is_sorted_with_the_fewest_alarms_first(browsed, found):
    _, rows, by = shown(browsed("#measure=control"))
    assert [rank for _, rank, _ in rows] == [rank for _, rank in expected(found[0], "control", "control")]
    assert {row[:2] for row in rows} == set(expected(found[0], "control", "control"))
    assert list(rows[0][2]) == ["control/control"]
    assert by == [("control/control", "ascending")]


def test_nonsense_in_the_address_does_no_harm(browsed, found):
    tree = browsed("#measure=<script>&generator=%22%5D&sort=\"]'&board=x&protocol=y&z")
    _, rows, _ = shown(tree)
    assert [row[:2] for row in rows] == expected(found[0], "f1", "overall")


def test_choices_and_clicks_change_what_is_shown_and_the_address(browsed, found):
    script = """
      const choose = (name, value) => {
        const select = document.querySelector(`select[name=${name}]`);
        select.value = value;
        select.dispatchEvent(new Event("change", {bubbles: true}));
      };
      const click = (key) => document.querySelector(`.board:not([hidden]) th[data-key="${key}"] button`).click();
      const note = (name) => { document.body.dataset[name] = location.hash; };
      choose("measure", "auc");
      choose("manipulation", "injection");
      click("auc/dm-injection"); note("once");
      click("auc/dm-injection"); note("twice");
      document.querySelector(".board:not([hidden]) .name").click();
      document.querySelector("#table3 th[data-key='auc/dm'] button, #table2 thead button").click();
      choose("board", "OTHER"); note("other");
      choose("protocol", "slab"); note("slab");
      document.body.dataset.protocol = document.querySelector(".board:not([hidden])").dataset.protocol;
      choose("protocol", "volume");
    """
    tree = browsed(script=script.replace("OTHER", found[1].key))
    section, rows, by = shown(tree)
    notes = tree.one("body").attributes
    assert notes["data-once"] == "#measure=auc&manipulation=injection&sort=auc/dm-injection"
    assert notes["data-twice"] == "#measure=auc&manipulation=injection&sort=-auc/dm-injection"
    assert f"board={found[1].key}" in notes["data-other"]
    assert "protocol=slab" in notes["data-slab"]
    assert notes["data-protocol"] == "slab"
    assert section.attributes["data-board"] == found[0].key
    assert [row[:2] for row in rows] == expected(found[0], "auc", "dm-injection")[::-1]
    assert by == [("auc/dm-injection", "ascending")]
    assert list(rows[0][2]) == [f"auc/{name}" for name in found[0].groups if name.endswith("-injection")]
    about = [each for each in section.all(class_="about") if each.is_shown]
    assert len(about) == 1
    opened = section.one("button", aria_expanded="true")
    assert opened.attributes["aria-controls"] == about[0].attributes["id"]


def test_on_a_phone_only_the_tables_scroll_sideways_and_names_stay(browsed, site):
    script = """
      const frame = document.createElement("iframe");
      frame.style.cssText = "width:360px;height:800px;border:0";
      frame.src = "PAGE";
      document.body.append(frame);
      frame.onload = () => {
        const inner = frame.contentDocument, data = document.body.dataset;
        data.beyond = inner.documentElement.scrollWidth - inner.documentElement.clientWidth;
        const scroll = inner.querySelector(".board:not([hidden]) .scroll");
        data.table = scroll.scrollWidth;
        scroll.scrollLeft = 300;
        data.moved = scroll.scrollLeft;
        const name = scroll.querySelector("tbody th").getBoundingClientRect();
        data.left = Math.round(name.left - scroll.getBoundingClientRect().left);
        data.name = Math.round(name.width);
      };
    """.replace("PAGE", (site / "index.html").as_uri())
    data = browsed(script=script).one("body").attributes
    assert int(data["data-beyond"]) == 0
    assert int(data["data-table"]) > 360
    assert int(data["data-moved"]) == 300
    assert int(data["data-left"]) == 0
    assert int(data["data-name"]) < 180


def test_without_a_script_every_board_is_readable(site):
    tree = parsed((site / "index.html").read_text())
    assert all(each.is_shown for each in tree.all("section") + tree.all(class_="about"))
    assert not tree.one("form").is_shown
