import json
from dataclasses import replace
from pathlib import Path

import pytest

from builder.finding import Finding
from builder.report import BuildReport, page_path, report_path
from builder.series import Series, Slice

EVIL = "<script>alert('x')</script>.dcm"


@pytest.fixture
def report(tmp_path):
    found = BuildReport(tmp_path / "m3dsynth", {"python": "3.11.7", "numpy": "2.4"})
    found.findings = [Finding(EVIL, "truncated: 3 bytes & no more", "fetch the file again")]
    found.unplanned = [Series("1.2.3", "PATIENT-9", ())]
    return found


def read(out):
    return json.loads(report_path(out).read_text()), page_path(out).read_text()


def test_json_and_page_tell_the_same(report):
    with report.stage("inpaint", "cube", 1400) as stage:
        stage.count(1000, False)
        stage.count(234, True)
        stage.left_out = 166
    stage.seconds = 3725.0
    report.status, report.digest = "done", "ab" * 32
    report.rows["dm-removal", "test"] += 1051
    report.write()
    told, page = read(report.out)
    assert told["stages"] == [
        {"name": "inpaint", "unit": "cube", "total": 1400, "done": 1234, "was_ready": 234, "left_out": 166,
         "seconds": 3725.0}
    ]  # fmt: skip
    assert told["left_out"] == [
        {"path": EVIL, "reason": "truncated: 3 bytes & no more", "remedy": "fetch the file again"}
    ]
    assert told["not_in_the_plan"] == [{"scan_id": "1.2.3", "patient_id": "PATIENT-9"}]
    assert told["rows"] == {"dm-removal/test": 1051}
    for text in ("1,234", "1,400 cubes", "166", "1 h 2 min", "truncated: 3 bytes &amp; no more", "fetch the file again",
                 "PATIENT-9: 1.2.3", "dm-removal/test", "1,051", "abababababababab", "numpy 2.4"):  # fmt: skip
        assert text in page


def test_scans_that_lost_something_to_compression_are_named(report):
    kept = [Slice(Path(f"{z}.dcm"), (0.0, 0.0, float(-z)), (1, 0, 0, 0, 1, 0), (1, 1), (9, 9)) for z in range(2)]
    lossy = Series("1.2.5", "PATIENT-5", (kept[0], replace(kept[1], is_lossy=True)))
    whole = Series("1.2.6", "PATIENT-6", tuple(kept))
    report.compare({"1.2.5": [{"patient_id": "PATIENT-5"}], "1.2.6": [{"patient_id": "PATIENT-6"}]}, [lossy, whole])
    report.write()
    told, page = read(report.out)
    assert told["lossily_compressed"] == [{"scan_id": "1.2.5", "patient_id": "PATIENT-5"}]
    assert "Lossily compressed scans: 1" in page
    assert "PATIENT-5: 1.2.5" in page


def test_what_is_only_planned_or_only_at_hand_is_listed(report):
    rows = {"1.2.3": [{"patient_id": "PATIENT-9"}], "1.2.4": [{"patient_id": "PATIENT-4"}] * 3}
    report.compare(rows, [Series("1.2.3", "PATIENT-9", ()), Series("1.2.5", "PATIENT-5", ())])
    report.write()
    told, page = read(report.out)
    assert told["not_in_the_plan"] == [{"scan_id": "1.2.5", "patient_id": "PATIENT-5"}]
    assert told["not_at_hand"] == [{"scan_id": "1.2.4", "patient_id": "PATIENT-4"}]
    assert "Planned but not at hand: 1 scans" in page
    assert "PATIENT-4: 1.2.4" in page


def test_names_of_files_are_escaped_and_nothing_is_fetched(report):
    report.write()
    _, page = read(report.out)
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;.dcm" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "default-src 'none'" in page


def test_a_build_that_is_killed_has_left_a_report_of_what_was_done(report):
    with report.stage("read scans, cut cubes", "scan", 3) as stage:
        stage.done = 3
    told, page = read(report.out)
    assert told["status"] == "under way, or killed"
    assert "read scans, cut cubes" in page


def test_a_build_that_stops_says_why(report):
    with pytest.raises(ValueError, match="no"), report.kept(), report.stage("inpaint", "cube", 3):
        raise ValueError("no weights")
    told, page = read(report.out)
    assert told["status"] == "stopped: no weights"
    assert told["stages"][0]["done"] == 0
    assert "stopped: no weights" in page
    assert Path(report.out).exists() is False


def test_nothing_left_out_is_said(tmp_path):
    report = BuildReport(tmp_path / "m3dsynth", {})
    report.write()
    assert "<p>Nothing.</p>" in read(report.out)[1]
