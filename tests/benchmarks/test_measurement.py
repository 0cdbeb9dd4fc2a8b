import json

import numpy as np
import pytest

from benchmarks.measurement import Measurement, in_turn, table, write_measurements

LINE = Measurement("crop", 2.0, 300.0, "ms", 150.0, 150, "published TIFF form")


def test_each_way_is_taken_once_for_each_task_in_turn():
    order = []
    times = in_turn([lambda task: order.append(("a", task)), lambda task: order.append(("b", task))], [1, 2, 3], "x")

    assert order == [("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3)]
    assert len(times) == 2
    assert all(time >= 0 for time in times)


def test_ways_that_read_different_voxels_are_not_compared():
    with pytest.raises(ValueError, match="crop: two ways read different voxels at 7"):
        in_turn([np.zeros, np.ones], [7], "crop")


def test_the_file_is_a_list_of_lines_with_the_names_of_the_contract(tmp_path):
    write_measurements(tmp_path / "build" / "perf.json", [LINE])

    (line,) = json.loads((tmp_path / "build" / "perf.json").read_text())
    assert line == {
        "name": "crop", "ours": 2.0, "theirs": 300.0, "unit": "ms", "ratio": 150.0, "target": 150,
        "against": "published TIFF form",
    }  # fmt: skip


def test_a_line_says_what_was_measured_against_what(tmp_path):
    assert "against      300.000 ms" in table([LINE])
    assert table([LINE]).endswith("(published TIFF form): ratio   150.00, target 150")
    assert "target" not in table([Measurement("slice", 1, 2, "ms", 2, None, "NIfTI")])
