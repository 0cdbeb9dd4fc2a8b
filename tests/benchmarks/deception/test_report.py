import csv
import json
from dataclasses import replace

import pytest

from benchmarks.deception import Deception, markdown, text, write_deception
from benchmarks.deception.figures import figures
from benchmarks.deception.scores import Change
from benchmarks.deception.trial import LEGEND


def change(number, manipulation, generator, before, after):
    return Change(
        f"{manipulation[:3]}_{number}", f"scan-{number}", f"P{number}", manipulation, generator, None, None,
        None if number == 5 else manipulation == "removal", before, after,
    )  # fmt: skip


@pytest.fixture(scope="module")
def found():
    changes = [
        change(number, manipulation, generator, before, after if generator == "dm" else before)
        for generator in ("dm", "identity")
        for number in range(6)
        for manipulation, before, after in (("removal", 0.9, 0.1), ("injection", 0.2, 0.8))
    ]
    return Deception(
        "0123456789abcdef99", "phantom", "test", "one classifier", 1, "malignant: 4 or more", 6, 3, 2,
        tuple(changes), tuple(figures(changes)),
    )  # fmt: skip


def test_the_tables_say_what_has_become_of_the_roles(found):
    lines = markdown(found).splitlines()
    rated, everything = ([line for line in lines if line.startswith(f"| {name} |")] for name in ("dm", "identity"))

    assert rated[0] == ("| dm | 5 | 5 | 100.0 (100-100) | 0.0 (0-0) | 100.0 (100-100) | 100.0 (100-100) | exchanged |")
    assert rated[1].startswith("| dm | 6 | 6 |")
    assert everything[1].endswith("| 100.0 (100-100) | 100.0 (100-100) | 0.0 (0-0) | 0.0 (0-0) | kept |")


def test_it_is_said_who_is_left_out_and_that_few_are_few(found):
    told = markdown(found)

    assert "0123456789abcdef (phantom), test: 6 patients" in told
    assert "2 patients are left out" in told
    assert "3 of the patients are of train: inpainters may have learned" in told
    assert "6 patients are few" in told
    assert "formula" in told


def test_nothing_is_said_that_does_not_hold(found):
    plain = replace(found, source="LIDC-IDRI", patients=20, of_train=0, left_out=0)

    assert plain.notes == LEGEND
    assert len(replace(plain, classifiers=2).notes) == len(LEGEND) + 1


def test_a_terminal_gets_the_same_figures_line_by_line(found):
    lines = text(found).splitlines()

    assert [line.split()[0] for line in lines if "(" in line[14:] and line.startswith("  ")] == ["dm", "identity"] * 2
    assert "  dm          100.0 (100-100)  0.0 (0-0)        100.0 (100-100)  100.0 (100-100)  exchanged" in lines


def test_all_forms_are_written_and_say_the_same(found, tmp_path):
    assert write_deception(found, tmp_path) == tmp_path / "index.html"

    kept = json.loads((tmp_path / "deception.json").read_text())
    rows, sites = (
        list(csv.DictReader((tmp_path / name).read_text().splitlines())) for name in ("deception.csv", "sites.csv")
    )
    assert len(kept["changes"]) == len(sites) == 24
    assert kept["figures"][0]["after"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert {row["measure"] for row in rows} == {"before", "after", "injected", "removed"}
    assert next(row for row in rows if row["measure"] == "before")["value"] == "1.0"
    assert (tmp_path / "deception.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "deception.md").read_text() == markdown(found)


def test_what_is_not_known_is_null_and_a_dash(found, tmp_path):
    removals = tuple(each for each in found.changes if each.manipulation == "removal")
    half = Deception(**vars(found) | {"changes": removals, "figures": tuple(figures(removals))})
    write_deception(half, tmp_path)

    assert json.loads((tmp_path / "deception.json").read_text())["figures"][0]["before"]["value"] is None
    assert "| - | - | - |" in markdown(half)


def test_names_in_a_release_cannot_change_the_tables(found):
    strange = replace(found, source="<b>", figures=(replace(found.figures[0], generator="a|<i>"),))

    assert "| a\\|&lt;i> | 5 |" in markdown(strange)
    assert "<b>" not in markdown(strange)
