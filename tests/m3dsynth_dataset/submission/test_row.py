import math
from dataclasses import replace

import handed_in
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m3dsynth_dataset.submission.row import Row, content_size

MAP = handed_in.rows()[1]["heatmap"]
SOUND = Row(4, "dm/inj_1", 0.5, [1, 2, 3], [4, 5, 6], MAP)
SCAN = (20, 70, 66)


def problems(scan=SCAN, **changes):
    return [str(finding) for finding in replace(SOUND, **changes).problems(scan)]


def test_a_sound_row_has_no_problems():
    assert problems() == problems(scan=None) == problems(start=None, shape=None, heatmap=None) == []
    assert SOUND.prediction().heatmap.values.tobytes() == handed_in.heatmap(1).values.tobytes()


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, -1e-9, 1.0000001, None])
def test_scores_outside_0_to_1_are_named(score):
    (found,) = problems(score=score)
    assert found.startswith("dm/inj_1: score lies in 0 to 1; found ")
    assert problems(score=0.0) == problems(score=1.0) == []


@pytest.mark.parametrize("sample_id", [None, ""])
def test_a_row_of_no_sample_is_called_by_its_number(sample_id):
    assert problems(sample_id=sample_id)[0].startswith("row 4: it names a sample")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"heatmap": None}, "found only box_start_zyx, box_shape_zyx"),
        ({"start": None}, "found only box_shape_zyx, heatmap"),
        ({"shape": None, "start": None}, "found only heatmap"),
        ({"shape": [4, 0, 6]}, "the shape >= 1"),
        ({"shape": [4, 5]}, "three voxels each"),
        ({"start": [4, 5, None]}, "three voxels each"),
        ({"start": [1, 2, 3, 4]}, "three voxels each"),
        ({"shape": [4, 5, 7]}, "heatmap unpacks to the box's 140 bytes, one a voxel; found 120 bytes"),
        ({"heatmap": b""}, "heatmap is compressed with zstd"),
        ({"heatmap": bytes(120)}, "heatmap is compressed with zstd"),
        ({"start": [-1, 0, 0]}, "its map lies in the scan of (20, 70, 66) voxels"),
        ({"start": [17, 0, 0]}, "found (17, 0, 0) to (21, 5, 6)"),
        ({"start": [0, 66, 0]}, "found (0, 66, 0) to (4, 71, 6)"),
        ({"start": [0, 0, 2**62]}, "its map lies in the scan"),
    ],
)
def test_maps_that_are_none_are_named(changes, rule):
    found = problems(**changes)
    assert len(found) == 1
    assert found[0].startswith("dm/inj_1: ")
    assert rule in found[0]


def test_a_map_fills_its_scan_and_no_more():
    assert problems(start=[16, 65, 60]) == []
    assert len(problems(start=[16, 65, 61])) == 1


@pytest.mark.parametrize("changes", [{"start": [-1, 0, 0]}, {"shape": [2**30] * 3}, {"shape": [2**28 + 1, 1, 1]}])
def test_a_map_of_a_scan_that_is_not_known_has_limits_too(changes):
    found = problems(scan=None, **changes)
    assert "its map starts at voxel 0 or later and has at most 268435456 voxels" in found[0]


@settings(deadline=None)
@given(st.integers(0, 2**18), st.integers(1, 22))
def test_the_size_that_a_frame_says_is_found(size, level):
    data = pa.Codec("zstd", compression_level=level).compress(bytes(size), asbytes=True)
    assert content_size(data) == size


@settings(deadline=None)
@given(st.binary(max_size=12))
def test_any_bytes_have_a_size_or_none(data):
    size = content_size(b"\x28\xb5\x2f\xfd" + data)
    assert size is None or size >= 0
