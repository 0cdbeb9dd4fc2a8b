import re
from base64 import b64encode
from dataclasses import replace

import pytest

from benchmarks.deception import Deception
from benchmarks.deception.figures import GROUPS, figures
from benchmarks.deception.page import render
from benchmarks.deception.scores import Change

PICTURE = b"\x89PNG, as it were"


@pytest.fixture(scope="module")
def found():
    changes = tuple(
        Change(f"{kind}-{number}", "scan", f"P{number}", kind, generator, None, None, kind == "removal", before, after)
        for generator, swaps in (("dm", True), ("identity", False))
        for number in range(5)
        for kind, before, other in (("removal", 0.9, 0.1), ("injection", 0.2, 0.8))
        for after in [other if swaps else before]
    )
    return Deception(
        "0123456789abcdef99", "phantom", "test", "one classifier", 1, "malignant: 4 or more", 5, 0, 0, changes,
        tuple(figures(changes)),
    )  # fmt: skip


def rows(page):
    """Cells of every row of the tables' bodies, without marks."""
    return [
        [
            " ".join(re.sub(r"<[^>]*>", " ", cell).split())
            for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.DOTALL)
        ]
        for body in re.findall(r"<tbody>.*?</tbody>", page, re.DOTALL)
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def test_the_page_has_the_figures_of_both_groups_and_marks_the_control(found):
    page = render(found, PICTURE)
    told = rows(page)

    assert len(told) == 4
    assert told[0] == [
        "dm 5 injections, 5 removals, 5 patients", "100.0 (100-100)", "0.0 (0-0)", "100.0 (100-100)",
        "100.0 (100-100)", "exchanged",
    ]  # fmt: skip
    assert told[1][0].startswith("identity control")
    assert told[1][-1] == "kept"
    assert all(title in page for title in GROUPS.values())
    assert all(note.split("'")[0] in page for note in found.notes)


def test_the_page_is_one_file_with_its_picture_inside(found):
    page = render(found, PICTURE)

    assert re.findall(r'(?:src|href)="([^"]*)', page) == ["data:image/png;base64," + b64encode(PICTURE).decode()]


def test_names_in_a_release_cannot_change_the_page(found):
    name = "<script>alert(1)</script>"
    strange = replace(found, source=name, figures=(replace(found.figures[0], generator=name),))

    assert "<script" not in render(strange, PICTURE)
    assert render(strange, PICTURE).count("&lt;script&gt;") == 2


def test_what_is_not_known_is_a_dash(found):
    removals = [each for each in found.changes if each.manipulation == "removal"]

    assert rows(render(replace(found, figures=tuple(figures(removals))), PICTURE))[0][1:4] == ["-", "-", "-"]
