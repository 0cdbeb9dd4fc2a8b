import oracles
import pytest

from m3dsynth_dataset.scoring import score
from m3dsynth_dataset.scoring.table import table


@pytest.fixture(scope="module")
def lines(judged_release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("submission")
    return table(score(oracles.hand_in(folder, judged_release, oracles.perfect), judged_release, draws=20)).splitlines()


def line_of(lines, word):
    return next(line for line in lines if line.startswith(word))


def test_every_group_has_a_line_of_figures_with_intervals(lines):
    cells = line_of(lines, "clandestine-removal").split()

    assert cells[1:3] == ["10", "11"]
    assert cells[3::2][:5] == ["100.0"] * 5
    assert [cell.rstrip("*") for cell in cells[4::2]] == ["(100-100)"] * 5
    assert cells[-1] == "0.0"
    assert line_of(lines, "overall").split()[1] == "40"


def test_the_worst_group_of_each_measure_is_marked(lines):
    marked = [line.split()[0] for line in lines if "(100-100)*" in line]

    assert marked == ["clandestine-injection"]  # of equals the first
    assert line_of(lines, "clandestine-injection").count("*") == 5


def test_what_a_reader_must_know_stands_beside(lines, judged_release):
    assert "(phantoms)" in line_of(lines, "release")
    assert judged_release.manifest.digest[:16] in line_of(lines, "release")
    assert "73 predictions, oracle" in line_of(lines, "submission")
    assert line_of(lines, "threshold").startswith(
        "threshold   0, set on the pristine scans of validation; it alarms on 0.0 %"
    )
    assert "0.0 (0-0) % of its samples alarm" in line_of(lines, "control")
    assert "interpolated 100.0, nearest" in line_of(lines, "parity")
    assert "pooled over voxels F1 100.0" in line_of(lines, "beside")
    assert any(line.startswith("warning: Pd@1% was calibrated on 2 pristine scans") for line in lines)


def test_lines_fit_each_other(lines):
    first = next(number for number, line in enumerate(lines) if line.startswith("per cent"))

    assert len({len(line) for line in lines[first : first + 6]}) == 1
