import json
from dataclasses import asdict

from builder.perf.measurement import Measurement, table
from generation.perf_list import merge

ROW = Measurement("annotations to sites", 2.0, 140.0, "s", 70.0, 50.0, "clustering of pylidc")


def test_measurements_take_the_place_of_those_of_the_same_name(tmp_path):
    path = tmp_path / "perf.json"
    path.write_text(json.dumps([{"name": "annotations to sites", "ours": 9}, {"name": "crop", "ours": 1}]))
    merge(path, [asdict(ROW)])
    rows = json.loads(path.read_text())
    assert [row["name"] for row in rows] == ["crop", "annotations to sites"]
    assert set(rows[1]) == {"name", "ours", "theirs", "unit", "ratio", "target", "against"}
    assert "ratio 70, target 50" in table([ROW])
