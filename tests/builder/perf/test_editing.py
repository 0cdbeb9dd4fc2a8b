import numpy as np
import pytest

from builder.perf.editing import GENERATORS, measure_editing, our_edits

PLACES = [(30, 40, 40), (26, 60, 60)]


@pytest.fixture(scope="module")
def scan():
    return np.random.default_rng(0).normal(-850, 30, (60, 100, 100)).astype(np.int16)


def test_what_is_measured_is_an_edit_for_every_place_and_generator(scan):
    edits = our_edits(scan, PLACES, np.random.default_rng(0))
    assert len(edits) == GENERATORS * len(PLACES)
    for number, encoded in enumerate(edits):
        box, centre = encoded.box, PLACES[number // GENERATORS]
        assert all(start < middle < stop for start, middle, stop in zip(box.start, centre, box.stop, strict=True))
        assert (encoded.decode(scan[box.slices()]).patch != scan[box.slices()]).mean() > 0.3


def test_the_line_tells_time_per_edit_and_the_ratio():
    row = measure_editing(1)
    assert row.unit == "ms"
    assert row.ratio == pytest.approx(row.theirs / row.ours)
