import sys

import oracles
import pytest
import sealable_release

from m3dsynth_dataset.cli import main
from m3dsynth_dataset.scoring import read_result
from m3dsynth_dataset.submission import Prediction


@pytest.fixture(scope="module")
def handed_in(judged_release, tmp_path_factory):
    path = tmp_path_factory.mktemp("handed-in") / "submission"
    oracles.hand_in(path, judged_release, oracles.perfect)
    return path


def test_score_prints_the_table_and_writes_what_is_asked_for(judged_release, handed_in, tmp_path, capsys):
    options = ["--json", str(tmp_path / "r.json"), "--plots", str(tmp_path / "plots")]
    assert main(["score", str(handed_in), "--release", str(judged_release.path), *options]) == 0

    captured = capsys.readouterr()
    assert "overall" in captured.out
    assert captured.err == ""
    assert read_result(tmp_path / "r.json")["groups"][0]["f1"]["value"] == 1
    assert len(list((tmp_path / "plots").glob("*.png"))) == 4


def test_what_is_not_valid_is_told_in_full_and_not_scored(judged_release, tmp_path, capsys):
    path = tmp_path / "submission"
    oracles.write(path, judged_release, [Prediction("nobody", 0.5)])
    options = ["--json", str(tmp_path / "r.json")]
    assert main(["score", str(path), "--release", str(judged_release.path), *options]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 71 + 1  # samples of the test, each by name
    assert lines[-1] == f"{path}: 72 findings; not scored"
    assert not (tmp_path / "r.json").exists()


def test_a_split_that_is_not_there_or_another_release_is_no_traceback(judged_release, handed_in, release_path, capsys):
    assert main(["score", str(handed_in), "--release", str(release_path), "--split", "validation"]) == 2
    assert "validation" in capsys.readouterr().err
    assert main(["score", str(handed_in), "--release", str(release_path)]) == 1
    assert "release_digest" in capsys.readouterr().out
    assert main(["score", str(handed_in / "nothing"), "--release", str(release_path)]) == 2
    assert main(["score", str(handed_in), "--release", str(judged_release.path), "--labels", str(handed_in)]) == 2
    assert "labels" in capsys.readouterr().err


def test_sealed_labels_are_read_from_their_file(judged_release, tmp_path, capsys):
    sealing = sealable_release.Sealing.of(judged_release, tmp_path)
    path = tmp_path / "submission"
    oracles.hand_in(path, sealing.public, oracles.perfect, known=sealing.labels.truths)
    command = ["score", str(path), "--release", str(sealing.public.path)]

    assert main([*command, "--labels", str(sealing.path)]) == 0
    assert f"sealed labels {sealing.labels.digest[:16]}" in capsys.readouterr().out
    assert main(command) == 2
    assert "--labels" in capsys.readouterr().err


def test_pictures_that_cannot_be_drawn_are_told_before_anything_is_read(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["score", "nothing", "--release", "nowhere", "--plots", str(tmp_path / "plots")]) == 2
    assert "m3dsynth[scoring]" in capsys.readouterr().err
