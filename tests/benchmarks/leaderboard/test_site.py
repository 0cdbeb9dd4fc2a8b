import json
import random

import pytest
from leaderboard_site import document, write_results

from benchmarks.cli import main
from benchmarks.errors import BenchmarkError
from benchmarks.leaderboard import boards, read_entries, write_site
from benchmarks.leaderboard import site as site_module


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_command_writes_page_tables_and_results(results, tmp_path, capsys):
    assert main(["leaderboard", str(results), "--out", str(tmp_path / "site")]) == 0
    assert str(tmp_path / "site/index.html") in capsys.readouterr().out
    names = contents(tmp_path / "site").keys()
    assert {"index.html", "leaderboard.md", "leaderboard.csv"} <= names
    assert sum(name.startswith("results/") for name in names) == 6
    assert not any(name.startswith("eval_results/") for name in names)


def test_the_same_results_give_the_same_bytes_in_whatever_order_they_come(results, found, site, tmp_path):
    entries = read_entries([results])
    random.Random(0).shuffle(entries)
    write_site(boards(entries), tmp_path / "again", "org/m3dsynth")
    assert contents(tmp_path / "again") == contents(site)


def test_the_bytes_do_not_say_where_the_results_lay(site, results):
    assert not any(str(results.parent).encode() in text for text in contents(site).values())


def test_every_result_lies_beside_the_page_as_it_was(found, site):
    for board in found:
        for entry in board.entries:
            path = site / "results" / board.key / f"{entry.submission[:32]}.json"
            assert json.loads(path.read_text()) == entry.document


def test_an_earlier_leaderboard_is_replaced_as_a_whole(found, tmp_path):
    write_site(found, tmp_path / "site", "org/m3dsynth")
    write_site(found[:1], tmp_path / "site")
    names = contents(tmp_path / "site")
    assert sum(name.startswith("results/") for name in names) == len(found[0].entries)
    assert not any(name.startswith("eval_results/") for name in names)


def test_a_folder_that_holds_something_else_is_left_alone(found, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BenchmarkError, match=r"thesis\.tex, which is no part of a leaderboard"):
        write_site(found, tmp_path)
    assert contents(tmp_path) == {"thesis.tex": b"years of work"}
    with pytest.raises(BenchmarkError, match="is a file"):
        write_site(found, tmp_path / "thesis.tex")


def test_a_failure_on_the_way_leaves_the_earlier_site(found, tmp_path, monkeypatch):
    write_site(found, tmp_path / "site")
    before = contents(tmp_path / "site")
    monkeypatch.setattr(site_module, "spreadsheet", lambda boards: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_site(found[:1], tmp_path / "site")
    assert contents(tmp_path) == {f"site/{name}": text for name, text in before.items()}


@pytest.mark.parametrize("name", ["m3dsynth", "org/m3d synth", "a/b/c", "org/", "https://example.org/x", ""])
def test_a_data_set_that_the_hub_cannot_have_is_an_error(name, found, tmp_path):
    with pytest.raises(BenchmarkError, match="ORG/NAME"):
        write_site(found, tmp_path / "site", name)
    assert not (tmp_path / "site").exists()


def test_halves_of_characters_in_metadata_do_not_stop_the_writing(tmp_path):
    odd = document(
        "odd", metadata={"name": "half \ud800 name", "url": "https://example.org/\ud800", "k\udfff": "\ud800"}
    )
    write_site(boards(read_entries([write_results(tmp_path / "results", odd)])), tmp_path / "site", "org/m3dsynth")
    assert "half name" in (tmp_path / "site/leaderboard.md").read_text()
