import subprocess
import sys

import pytest

from generation import cli
from generation.weights import load


def test_train_writes_weights_and_picture(store, tmp_path, capsys):
    words = ["train", "pix2pix", "removal", "--cubes", str(store.path), "--out", str(tmp_path)]
    assert cli.main([*words, "--preset", "tiny", "--steps", "1", "--seed", "3", "--device", "cpu"]) == 0
    kept = load(tmp_path / "pix2pix-removal.safetensors").account
    assert (kept.manipulation, kept.preset, kept.provenance.seed) == ("removal", "tiny", 3)
    assert "pix2pix-removal.png" in capsys.readouterr().out


def test_sample_writes_a_picture(store, weights, tmp_path):
    out = tmp_path / "grid.png"
    assert cli.main(["sample", str(weights), "--cubes", str(store.path), "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_report_judges_and_prints_a_table(store, weights, tmp_path, capsys):
    words = ["report", "--cubes", str(store.path), "--weights", str(weights.parent), "--out", str(tmp_path / "r")]
    assert cli.main([*words, "--device", "cpu"]) == 0
    shown = capsys.readouterr().out
    rows = [line.split("|")[1:3] for line in shown.splitlines() if line.startswith("| ")][2:]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["identity", "injection"],
        ["pix2pix", "injection"],
        ["identity", "removal"],
    ]
    assert (tmp_path / "r" / "report.json").is_file()


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        ("pix2pixx", [], "did you mean 'pix2pix'?"),
        ("identity", [], "has nothing to learn"),
        ("pix2pix", ["--preset", "huge"], "has no preset 'huge'"),
        ("pix2pix", ["--seed", "-1"], "seed must be >= 0, got -1"),
        ("pix2pix", ["--preset", "tiny", "--steps", "0"], "steps must be >= 1, got 0"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(store, tmp_path, capsys, model, more, message):
    assert cli.main(["train", model, "injection", "--cubes", str(store.path), "--out", str(tmp_path), *more]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert message in shown
    assert shown.count("\n") == 1


def test_an_unknown_manipulation_exits_with_2(tmp_path):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["train", "pix2pix", "swap", "--cubes", str(tmp_path)])


def test_an_interruption_is_quiet(monkeypatch, weights, tmp_path, capsys):
    monkeypatch.setattr(cli.Sample, "run", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
    assert cli.main(["sample", str(weights), "--cubes", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "stopped; the same command goes on from the last checkpoint\n"


def test_the_module_runs_and_its_help_shows_examples():
    shown = subprocess.run([sys.executable, "-m", "generation", "--help"], capture_output=True, text=True, check=True)
    assert "python -m generation train pix2pix injection --cubes cubes.zarr" in shown.stdout
