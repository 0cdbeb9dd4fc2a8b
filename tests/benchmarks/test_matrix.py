import csv
import json
from dataclasses import replace

import pytest
import torch

from benchmarks.cli import main
from benchmarks.errors import BenchmarkError
from benchmarks.matrix import generators_of, learnable, matrix
from benchmarks.matrix_page import markdown, write_matrix
from benchmarks.places import Places
from benchmarks.published import DETECTION, LOCALISATION
from benchmarks.training import Options, Training
from m3dsynth_dataset import open_release

SMALL, SLABS = "small_networks:SliceNetwork", "small_networks:SlabNetwork"


@pytest.fixture(scope="module")
def release(learnable_release):
    return open_release(learnable_release)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("matrix")


@pytest.fixture(scope="module")
def found(release, out):
    return matrix(release, [SMALL, SLABS], out, preset="tiny", options=Options(workers=0), device=torch.device("cpu"))


def test_there_is_a_row_for_each_detector_and_generator_and_a_column_for_each_generator(found):
    assert [(row.detector, row.train_on) for row in found.rows] == [(SMALL, "pix2pix"), (SLABS, "pix2pix")]
    assert found.columns == ("pix2pix",)
    assert found.rows[0].figures("pix2pix").tampered == 2
    assert found.rows[0].figures("dm") is None


def test_the_threshold_comes_from_validation_and_the_control_is_judged_by_it(found):
    assert all(row.card.calibrated_on == "validation" for row in found.rows)
    assert all(0 <= row.card.control.value <= 1 for row in found.rows)
    assert "calibrated on 2 pristine scans" in found.rows[0].card.warnings[0]


def test_what_is_done_is_not_done_again(release, out, found, monkeypatch):
    monkeypatch.setattr(Training, "__call__", lambda self: pytest.fail("trained again"))
    again = matrix(release, [SMALL, SLABS], out, preset="tiny", options=Options(workers=0), device=torch.device("cpu"))

    assert again == found


def test_runs_of_another_release_are_not_mixed_in(release, out, found):
    config = out / SMALL.replace(":", ".") / "pix2pix" / "config.json"
    text = config.read_text()
    config.write_text(json.dumps(json.loads(text) | {"release_digest": "0" * 64}))
    with pytest.raises(BenchmarkError, match="another release"):
        matrix(release, [SMALL], out, preset="tiny", options=Options(workers=0), device=torch.device("cpu"))
    config.write_text(text)


def test_it_is_written_for_people_and_for_programs(found, tmp_path):
    path = write_matrix(found, tmp_path)

    assert path.read_text() == markdown(found)
    assert "## Pd@1%" in markdown(found)
    assert "| pix2pix |" in markdown(found)
    rows = list(csv.DictReader((tmp_path / "matrix.csv").read_text().splitlines()))
    assert len(rows) == 2 * 5
    assert float(rows[0]["low"]) <= float(rows[0]["value"]) <= float(rows[0]["high"])
    assert json.loads((tmp_path / "matrix.json").read_text())["rows"][1]["detector"] == SLABS
    assert (tmp_path / "matrix.png").read_bytes().startswith(b"\x89PNG")


def test_published_figures_stand_beside_ours(found):
    row = replace(found.rows[0], detector="trufor")
    assert " | 89.9 | " in markdown(replace(found, rows=(row,)))


def test_the_published_tables_are_those_of_the_paper():
    assert LOCALISATION["trufor"]["pix2pix", "dm"] == (84.4, 75.2)
    assert LOCALISATION["hp-fcn"]["dm", "cyclegan"] == (36.4, 24.6)
    assert DETECTION["mantranet"]["cyclegan", "pix2pix"] == (56.6, 99.9)
    assert DETECTION["xception"]["dm", "cyclegan"] == (64.1, 37.8)
    # Means over volumes, not pooled: then IoU is above F1 / (2 - F1), in every cell.
    cells = [cell for table in LOCALISATION.values() for cell in table.values()]
    assert len(cells) == 45
    assert all(iou / 100 > f1 / (200 - f1) for f1, iou in cells)


def test_a_detector_that_has_no_map_has_no_figures_of_maps(found):
    mute = replace(found.rows[0], localises=False)
    both = markdown(replace(found, rows=(mute, found.rows[1])))
    assert both.split("## ")[1].splitlines()[4].startswith(f"| {SMALL} | pix2pix | - |")
    assert "## F1" not in markdown(replace(found, rows=(mute,)))


def test_the_synthetic_image_probe_stands_beside_table_2(found):
    probe = replace(found.rows[0], detector="synthetic-probe", localises=False)
    text = markdown(replace(found, rows=(probe,)))
    assert " | 99.5 | " in text.split("## balanced accuracy")[1].split("##")[0]
    assert " | - | " in text.split("## Pd@1%")[1]


def test_places_may_be_judged_instead_of_whole_scans(release, out, tmp_path):
    options = Options(workers=0)
    where = {"preset": "tiny", "options": options, "device": torch.device("cpu"), "protocol": Places((6, 32, 32))}
    found = matrix(release, [SMALL], tmp_path, **where)

    assert found.protocol == "places of 6x32x32 voxels"
    assert found.rows[0].card.overall.pristine == found.rows[0].card.overall.tampered == 2
    assert found.protocol in markdown(found)


def test_a_detector_that_cannot_search_is_asked_about_places_alone(release, tmp_path):
    word = "small_networks:KnownPlaceNetwork"
    where = {"preset": "tiny", "options": Options(workers=0), "device": torch.device("cpu")}
    with pytest.raises(BenchmarkError, match="judges a place that is known, not whole scans: use benchmarks probe"):
        matrix(release, [word], tmp_path, **where)

    assert matrix(release, [word], tmp_path, **where, protocol=Places((3, 24, 24), seed=None)).rows


def test_generators_are_all_but_the_control(release):
    assert generators_of(release) == ["pix2pix"]
    assert learnable(release, "pix2pix") == ["pix2pix-injection", "pix2pix-removal"]
    assert learnable(release, "pix2pix-removal") == ["pix2pix-removal"]
    with pytest.raises(BenchmarkError, match="no rows of 'dm' in both train and validation; it has pix2pix"):
        learnable(release, "dm")


def test_the_commands_run_end_to_end(learnable_release, tmp_path, capsys):
    data = ["--data", str(learnable_release)]
    run = str(tmp_path / "run")
    assert (
        main(["train", SMALL, "--train-on", "pix2pix", *data, "--preset", "tiny", "--workers", "0", "--out", run]) == 0
    )
    assert main(["predict", run, *data, "--out", str(tmp_path / "submission")]) == 0
    assert (tmp_path / "submission" / "predictions.parquet").is_file()
    command = ["matrix", SMALL, *data, "--preset", "tiny", "--workers", "0", "--out", str(tmp_path / "matrix")]
    assert main(command) == 0
    assert "## F1" in capsys.readouterr().out
    command = ["probe", SMALL, *data, "--preset", "tiny", "--workers", "0", "--out", str(tmp_path / "probe")]
    assert main([*command, "--place", "3", "24", "24"]) == 0
    assert "edits in the middle" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "unet", "--train-on", "dm"], "no rows of 'dm'"),
        (["predict", "nowhere", "--out", "out"], "no trained detector there"),
        (["matrix", "--preset", "tiny"], "name at least one detector"),
    ],
)
def test_mistakes_are_one_line(learnable_release, capsys, arguments, message):
    assert main([*arguments, "--data", str(learnable_release)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
