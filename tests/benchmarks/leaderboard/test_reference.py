"""The paper's Tables 2 and 3, written down a second time as printed, held against all that is made from them."""

import csv

import pytest
from leaderboard_site import parsed

from benchmarks.leaderboard.reference import NAMES, SETS
from benchmarks.published import GENERATORS, IMAGE_SETS

# Training set, then test set: P-P, P-C, P-D, C-P, C-C, C-D, D-P, D-C, D-D.
F1_AND_IOU = """
U-Net      44.5/30.7  34.4/23.3  46.9/33.3  39.7/26.6  57.5/43.6  49.1/35.8  35.5/23.2  22.7/15.5  57.7/43.6
HP-FCN     85.0/75.3  63.6/49.8  77.0/64.9  59.1/43.4  84.5/75.3  73.6/61.9  45.6/31.3  36.4/24.6  84.9/75.4
ManTraNet  87.0/79.1  74.8/63.3  83.2/73.0  66.5/50.5  85.5/77.2  81.8/70.7  61.4/45.5  60.5/47.4  87.2/78.5
MVSS-Net   81.4/70.4  74.7/64.2  79.5/68.5  63.2/49.8  86.2/78.0  72.8/62.2  56.8/42.5  55.1/44.1  84.9/75.4
TruFor     89.9/82.9  79.0/70.1  84.4/75.2  68.1/55.5  88.2/81.2  76.9/66.7  68.0/54.7  65.0/54.1  89.3/82.0
"""
ACCURACY_AND_PD = """
Xception   83.7/99.8  81.3/86.1  83.5/97.7  86.9/95.2  87.4/99.2  86.8/94.1  71.9/80.3  64.1/37.8  71.9/96.9
U-Net      52.9/93.1  52.1/64.4  52.9/91.1  60.3/74.5  60.6/95.4  60.3/79.5  53.7/56.5  53.0/29.2  53.7/96.8
HP-FCN     59.8/45.6  59.8/43.1  59.8/45.4  71.4/50.8  71.4/52.0  71.4/51.4  60.2/31.7  60.3/28.9  60.4/33.6
ManTraNet  52.7/100   52.7/93.4  52.7/99.9  56.6/99.9  56.6/99.7  56.6/100   52.8/91.2  52.8/87.3  52.8/100
MVSS-Net   73.0/95.8  72.1/70.8  73.0/91.2  92.5/97.2  92.7/99.3  92.6/97.9  75.4/86.2  73.7/67.4  76.0/99.3
TruFor     95.0/100   93.3/95.9  95.0/99.9  95.8/97.8  96.0/99.4  96.0/98.1  94.3/97.0  91.2/89.1  94.9/99.6
"""
# Rows: trained on; columns: tested on; both ProGAN, StyleGAN2, LDM, Pix2Pix, CycleGAN, DM.
PROBE = """
ProGAN     99.9  98.1  57.1  50.0  47.1  48.8
StyleGAN2  99.9  100   57.9  50.4  49.6  52.0
LDM        50.8  50.0  100   44.6  44.5  46.2
Pix2Pix    50.5  49.0  48.9  99.5  96.6  95.8
CycleGAN   49.5  49.0  49.9  97.7  98.5  91.6
DM         50.9  50.6  50.7  96.1  92.8  97.3
"""


def expected_3():
    """(detector, training set, measure, test set): as printed."""
    found = {}
    for text, measures in ((F1_AND_IOU, ("f1", "iou")), (ACCURACY_AND_PD, ("accuracy", "pd"))):
        for line in text.split("\n")[1:-1]:
            name, *cells = line.split()
            pairs = [(train, test) for train in GENERATORS for test in GENERATORS]
            for (train, test), cell in zip(pairs, cells, strict=True):
                for measure, printed in zip(measures, cell.split("/"), strict=True):
                    found[name, train, measure, test] = printed
    return found


def expected_2():
    found = {}
    for train, line in zip(IMAGE_SETS, PROBE.split("\n")[1:-1], strict=True):
        name, *cells = line.split()
        assert SETS[train] == name
        found |= {("Corvi et al.", train, "accuracy", test): cell for test, cell in zip(IMAGE_SETS, cells, strict=True)}
    return found


@pytest.mark.parametrize(("table", "expected"), [("table3", expected_3()), ("table2", expected_2())])
def test_the_page_has_every_published_figure_digit_for_digit_and_no_other(table, expected, site):
    page = parsed((site / "index.html").read_text())
    sets = {title: name for name, title in SETS.items()}
    found = {}
    for body in page.one("table", id=table).all("tbody"):
        for cell in body.all("td"):
            if cell.text != "\N{EN DASH}":
                measure, test = cell.attributes["data-key"].split("/")
                row = body.one(class_="name").text, sets[body.one(class_="on").text]
                found[*row, measure, test] = cell.text
        assert body.one(class_="under").text == "as published"
        assert not body.all(class_="rank")
    assert found == expected


def test_xception_has_no_published_map(site):
    page = parsed((site / "index.html").read_text())
    dashes = [
        (body.one(class_="name").text, cell.attributes["data-key"].split("/")[0])
        for body in page.one("table", id="table3").all("tbody")
        for cell in body.all("td")
        if cell.text == "\N{EN DASH}"
    ]
    assert set(dashes) == {("Xception", "f1"), ("Xception", "iou")}
    assert len(dashes) == 18


def test_markdown_has_every_published_figure_in_its_place(site):
    text = (site / "leaderboard.md").read_text()
    titles = {"f1": "F1", "iou": "IoU", "accuracy": "Balanced accuracy", "pd": "Pd@1%"}
    for measure, title in titles.items():
        lines = text.partition(f"### Table 3: {title}\n")[2].strip().split("\n\n")[0].splitlines()[2:]
        expected = [
            f"| {name} | {SETS[train]} | "
            + " | ".join(expected_3()[name, train, measure, t] for t in GENERATORS)
            + " |"
            for name in NAMES.values()
            for train in GENERATORS
            if (name, train, measure, "dm") in expected_3()
        ]
        assert lines == expected
    lines = text.partition("### Table 2")[2].split("\n\n")[1].splitlines()[2:]
    figures = expected_2()
    assert lines == [
        f"| Corvi et al. | {SETS[train]} | "
        + " | ".join(figures["Corvi et al.", train, "accuracy", test] for test in IMAGE_SETS)
        + " |"
        for train in IMAGE_SETS
    ]


def test_the_spreadsheet_has_every_published_figure_as_a_share_without_rank(site):
    with (site / "leaderboard.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] != "result"]
    assert not any(row["rank"] or row["board"] for row in rows)
    for source, expected in (("paper, Table 3", expected_3()), ("paper, Table 2", expected_2())):
        found = {
            (row["entry"], row["trained_on"], row["measure"], row["group"]): row["value"]
            for row in rows
            if row["source"] == source
        }
        assert found.keys() == expected.keys()
        # Moving the point by two places is all that is done: digits are compared as text.
        for key, printed in expected.items():
            assert found[key] == ("1.00" if printed == "100" else f"0.{printed.replace('.', '')}")
