import json
from pathlib import Path

import pytest

from builder.cli import main
from builder.rehearsal.curve import draw_curve
from builder.rehearsal.rehearsal import rehearse
from m3dsynth_dataset import open_release


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("rehearsal")


@pytest.fixture(scope="module")
def rehearsal(out):
    options = ["--inpainters", "identity", "--device", "cpu"]
    return rehearse(out / "6", series=6, sites=26, weights=Path("nowhere"), workers=1, options=options)


def test_a_rehearsal_builds_a_real_release_of_all_sites(rehearsal, out):
    assert rehearsal.rows == 6 + 26
    assert open_release(out / "6" / "m3dsynth").manifest.digest == rehearsal.digest
    told = json.loads((out / "6" / "rehearsal.json").read_text())
    assert told["peak_process_mib"] == max(told["watch"]["largest_mib"]) > 50
    assert [stage["done"] for stage in told["stages"]] == [6, 26, 6, 32]


def test_the_summary_has_the_figures(rehearsal):
    text = rehearsal.summary()
    assert "6 series, 26 sites, 32 rows in" in text
    assert "write the release" in text
    assert f"largest process {rehearsal.peak_process_mib:,.0f} MiB" in text


def test_the_curve_is_a_picture(rehearsal, tmp_path):
    draw_curve([rehearsal], tmp_path / "memory.png")
    assert (tmp_path / "memory.png").read_bytes().startswith(b"\x89PNG")


def test_no_scans_are_refused(capsys):
    assert main(["rehearse", "--series", "0"]) == 2
    assert "--series and --sites must be at least 1, got 0 and 3251" in capsys.readouterr().err
