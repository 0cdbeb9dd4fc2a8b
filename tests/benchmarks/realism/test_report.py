import json
import re
from dataclasses import replace

import noise_release
import numpy as np
import pytest

from benchmarks.cli import main
from benchmarks.errors import BenchmarkError
from benchmarks.realism import realism, write
from benchmarks.realism.measure import MEASURES
from benchmarks.realism.page import render
from m3dsynth_dataset import open_release

NAME = "<script>alert(1)"


@pytest.fixture(scope="module")
def written(report, tmp_path_factory):
    """The report of two configs as files."""
    rows = tuple(row for row in report.rows if row.config in ("loud-removal", "identity-removal"))
    shown = {row.config: report.strips[row.config] for row in rows}
    return write(replace(report, rows=rows, strips=shown), tmp_path_factory.mktemp("report") / "realism").parent


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    """A release of one patient and generator, under a name that is no name, and what the command wrote of it."""
    folder = tmp_path_factory.mktemp("lone")
    path = noise_release.write(folder / NAME, folder / "work", generators=("loud",), patients=1)
    assert main(["realism", str(path), "--out", str(folder / "out")]) == 0
    return path, folder / "out"


def test_the_json_holds_every_config_and_every_number(report):
    found = json.loads(report.json())
    assert [row["config"] for row in found["rows"]] == [
        "like-removal",
        "loud-injection",
        "loud-removal",
        "step-removal",
        "identity-injection",
        "identity-removal",
    ]
    assert found["patients"] == 8
    assert found["places"] == 16
    assert len(found["rows"][0]["ratio_db"]) == len(found["frequencies_per_mm"])
    assert found["rows"][0]["frechet"]["floor"]["limit"] > 0


def test_what_was_not_measured_is_null_and_said(lone):
    found = json.loads((lone[1] / "realism.json").read_text())
    assert found["rows"][0]["frechet"]["value"] is None
    assert found["rows"][0]["auc"]["value"] is None
    assert "Fréchet distance: not measured: give --classifier." in found["caveats"]
    assert any("1 patients are too few" in caveat for caveat in found["caveats"])


def test_the_markdown_is_a_table_with_a_legend(written):
    text = (written / "realism.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert re.search(r"\| loud-removal \| 8 \| tissue beside \(8\) \| \*\*\+", text)
    assert re.search(r"\| identity-removal \| 8 \| before \(8\) \| [^*|]+ \| 0\.0 dB \[halves", text)
    for measure in MEASURES:
        assert f"- **{measure.title}**: {measure.says}" in text


def test_a_terminal_gets_a_line_for_each_config_and_measure(report):
    lines = report.text().splitlines()
    assert sum("held against" in line for line in lines) == 6
    assert sum("told apart" in line for line in lines) == 6
    assert any(re.match(r"  ! told apart +1\.00 ", line) for line in lines)


def test_the_page_is_one_file_with_its_pictures_inside(written):
    page = (written / "index.html").read_text()
    sources = re.findall(r'(?:src|href)="([^"]{0,40})', page)
    assert len(sources) == 5 + 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "Phantoms" in page
    for measure in MEASURES:
        assert f"<dt>{measure.title}</dt>" in page


def test_the_same_release_gives_the_same_bytes(lone):
    path, out = lone
    again = realism(open_release(path), ("test",))
    assert again.json() == (out / "realism.json").read_text()
    assert again.markdown() == (out / "realism.md").read_text()
    assert render(again) == (out / "index.html").read_text()


def test_names_in_a_release_cannot_change_the_page(lone):
    page = (lone[1] / "index.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<script" not in (lone[1] / "realism.md").read_text()


def test_few_patients_are_measured_without_intervals_that_mean_nothing(lone):
    report = realism(open_release(lone[0]), ("test",))
    assert all(np.isnan(row.auc.value) and np.isnan(row.spectrum_db.floor.limit) for row in report.rows)
    assert all(row.spectrum_db.value > 2 for row in report.rows)


def test_a_folder_with_something_else_is_not_replaced(lone, tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert main(["realism", str(lone[0]), "--out", str(tmp_path)]) == 2
    assert "will not be replaced; name another folder with --out" in capsys.readouterr().err
    assert (tmp_path / "thesis.tex").exists()


def test_a_report_is_replaced_but_a_file_is_not(written, report, tmp_path):
    empty = replace(report, rows=(), strips={})
    (tmp_path / "file").write_text("a file")
    with pytest.raises(BenchmarkError, match="will not be replaced"):
        write(empty, tmp_path / "file")


def test_a_missing_classifier_is_named(lone, tmp_path, capsys):
    arguments = ["realism", str(lone[0]), "--classifier", str(tmp_path / "none"), "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert str(tmp_path / "none") in capsys.readouterr().err
