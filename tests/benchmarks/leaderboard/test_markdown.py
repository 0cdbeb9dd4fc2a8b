import re

from leaderboard_site import board_rows, document, parsed, write_results

from benchmarks.leaderboard import boards, read_entries
from benchmarks.leaderboard.markdown import markdown


def tables(text):
    """Under each heading its table: lists of cells, without the line of dashes."""
    found = {}
    for part in re.split(r"^#+ ", text, flags=re.M)[1:]:
        title, _, rest = part.partition("\n")
        lines = [line for line in rest.splitlines() if line.startswith("|")]
        found.setdefault(title, [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines])
    return found


def test_markdown_has_the_figures_of_the_page_in_the_same_order(found, site):
    page = parsed((site / "index.html").read_text())
    for board in found:
        rows = tables((site / "leaderboard.md").read_text())[board.title.replace("@", "\\@")][2:]
        shown = board_rows(page.one("section", data_board=board.key))
        assert [row[0] for row in rows] == [rank for _, rank, _ in shown]
        assert [[cell.partition(" ")[0] for cell in row[4:10]] for row in rows] == [
            list(each.values()) for *_, each in shown
        ]


def test_every_row_of_a_table_has_the_cells_of_its_head(site):
    for rows in tables((site / "leaderboard.md").read_text()).values():
        assert len({len(row) for row in rows}) <= 1


def test_nothing_that_strangers_write_is_markup(tmp_path):
    name = "a|b](https://evil.org) <img src=x> `x` **x** # https://evil.org @you ![i](x)"
    evil = document("x", metadata={"name": name, "trained_on": "pipe | and\nnewline", "url": "javascript:alert(1)"})
    text = markdown(boards(read_entries([write_results(tmp_path, evil)])))
    ours = text.partition("## As published")[0]
    assert not re.search(r"(?<!\\)[<>`]", ours)
    assert not re.search(r"(?<!\\)\]\(", ours)
    assert "javascript:" not in ours
    assert "https://" not in ours
    row = next(line for line in ours.splitlines() if line.startswith("| 1 |"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 12


def test_an_entry_is_linked_to_its_page_where_it_has_one(tmp_path):
    linked = document("a", metadata={"url": "https://example.org/x_(1)"})
    text = markdown(boards(read_entries([write_results(tmp_path, linked)])))
    assert "[a](<https://example.org/x_(1)>)" in text
