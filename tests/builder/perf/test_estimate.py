import json

import pytest
import torch
from small_scans import SHAPE, write_scans
from torch.utils.flop_counter import FlopCounterMode

from builder.cli import main
from builder.perf.estimate import EDITS, PLANE, sampling
from builder.report import report_path
from generation.equalisation import Equalisation
from generation.zoo import trainable


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    place = tmp_path_factory.mktemp("estimate")
    write_scans(place / "lidc", patients=2)
    command = ["build", "--lidc", place / "lidc", "--out", place / "m3dsynth", "--inpainters", "identity"]
    assert main([*map(str, command), "--workers", "1", "--weights", str(place)]) == 0
    return place / "m3dsynth"


@pytest.fixture
def report(release):
    """The report, to be written anew; put back afterwards."""
    path = report_path(release)
    before = path.read_text()
    yield lambda **changes: path.write_text(json.dumps(json.loads(before) | changes))
    path.write_text(before)


def stages(**seconds):
    return [
        {"name": name, "unit": "scan", "done": 2, "total": 2, "was_ready": 0, "left_out": 0, "seconds": taken}
        for name, taken in seconds.items()
    ]


def test_stages_are_scaled_by_what_they_work_on(release, report, capsys):
    report(stages=stages(**{"read scans, cut cubes": 1.0, "insert edits": 2.0, "write the release": 0.5}))
    assert main(["estimate", str(release), "--preset", "tiny", "--gpu-tflops", "100"]) == 0
    text = capsys.readouterr().out
    built = 2 * SHAPE[0] * SHAPE[1] * SHAPE[2]
    line = next(line for line in text.splitlines() if line.startswith("read scans"))
    slices = int(line.split(" slices")[0].split()[-1].replace(",", ""))
    assert f"{slices * PLANE / built / 86_400:,.1f} days" in line
    edits = next(line for line in text.splitlines() if line.startswith("insert edits"))
    assert f"{sum(EDITS.values()):,} edits" in edits
    assert "4 edits/s" in edits, "8 edits of the control in 2 s"
    assert text.splitlines()[-1].startswith("limits: ")


def test_one_step_of_a_diffusion_model_stands_for_all():
    dm, cubes = trainable("dm"), torch.rand((1, 1, 32, 32, 32)) - 0.5
    config = dm.presets["tiny"]
    counter = FlopCounterMode(display=False)
    with counter:
        dm(dm.blank(config), config, Equalisation.linear()).inpaint(cubes, [0])
    assert sampling("dm", "tiny").flops == pytest.approx(counter.get_total_flops(), rel=0.01)


def test_a_build_that_went_on_tells_no_rate(release, report, capsys):
    report(stages=[stage | {"was_ready": 1} for stage in stages(read=1.0)])
    assert main(["estimate", str(release)]) == 2
    assert "was not done at one go, so its times tell nothing; build it anew" in capsys.readouterr().err


def test_a_release_without_a_report_is_named(tmp_path, capsys):
    assert main(["estimate", str(tmp_path / "nothing")]) == 2
    assert "no report there; build the release with" in capsys.readouterr().err
