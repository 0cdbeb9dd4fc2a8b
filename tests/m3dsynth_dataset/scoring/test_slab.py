from dataclasses import replace

import numpy as np
import pytest

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.metrics import Overlap
from m3dsynth_dataset.scoring import Truth, slabs
from m3dsynth_dataset.scoring.judgement import judgement
from m3dsynth_dataset.submission import Heatmap, Prediction

SHAPE = (200, 512, 500)


class Known(Truth):
    """With a mask that is not encoded."""

    def mask(self):
        return None if self.box is None else np.ones(self.box.shape, bool)


def tampered(number, first=100, shape=SHAPE, label="tampered"):
    box = Box((first, 20, 30), (11, 20, 20))
    return Known(f"dm/inj_{number}", "p", "scan", label, "dm", "injection", shape, box, b"")


def pristine(number=0, shape=SHAPE, scan="scan"):
    return Known(f"pristine/{scan}/{number}", "p", scan, "pristine", "none", "none", shape, None, None)


def test_a_slab_is_32_slices_with_the_middle_of_the_edit():
    found = slabs(tampered(number) for number in range(300))
    firsts = [slab.start[0] for slab in found.values()]

    assert {slab.shape for slab in found.values()} == {(32, 512, 500)}
    # The middle is slice 105; without jitter a slab would begin at 89.
    assert min(firsts) == 89 - 15
    assert max(firsts) == 89 + 15
    assert np.mean(firsts) == pytest.approx(89, abs=2)


@pytest.mark.parametrize("first", [0, 189])
def test_a_slab_lies_in_the_scan(first):
    for slab in slabs(tampered(number, first) for number in range(100)).values():
        assert slab in Box((0, 0, 0), SHAPE)
        assert slab.shape[0] == 32
        assert slab.start[0] <= first + 5 < slab.stop[0]


def test_of_a_scan_with_fewer_slices_it_is_all():
    assert slabs([tampered(0, 2, (20, 64, 64))])["dm/inj_0"] == Box((0, 0, 0), (20, 64, 64))


def test_it_depends_on_nothing_but_the_samples():
    members = [tampered(1), tampered(2, 60), pristine()]

    assert slabs(members) == slabs(members[::-1])
    assert slabs(members)["dm/inj_1"] == slabs(members[:1])["dm/inj_1"]
    # So that no version of the code moves them.
    assert slabs(members)["dm/inj_1"].start[0] == 99


def test_pristine_scans_have_theirs_where_versions_of_them_are_tampered():
    members = [tampered(0, 10), tampered(1, 150), tampered(2, 90, label="control")]
    found = slabs([*members, *(pristine(number) for number in range(200))])
    middles = np.array([found[pristine(number).sample_id].start[0] + 16 for number in range(200)])

    # Slice 15 and slice 155, each for about half; never the control's.
    assert ((middles <= 30) | (abs(middles - 155) <= 15)).all()
    assert 60 < (middles <= 30).sum() < 140


def test_pristine_scans_without_tampered_versions_have_theirs_anywhere():
    found = slabs(pristine(number, scan=f"scan-{number}") for number in range(300))
    firsts = [slab.start[0] for slab in found.values()]

    assert min(firsts) == 0
    assert max(firsts) == 200 - 32
    assert np.mean(firsts) == pytest.approx(84, abs=15)


def test_neither_map_nor_mask_counts_outside_of_it():
    truth = replace(tampered(0, 100, (200, 64, 64)), box=Box((100, 20, 30), (10, 2, 2)))
    heatmap = Heatmap(Box((90, 20, 30), (40, 2, 2)), np.full((40, 2, 2), 255, np.uint8))
    slab = Box((105, 0, 0), (10, 64, 64))
    found = judgement(truth, Prediction(truth.sample_id, 1.0, heatmap), slab)

    assert found.overlap == Overlap(hits=20, false_alarms=20, misses=0)
    assert judgement(truth, Prediction(truth.sample_id, 1.0), slab).overlap == Overlap(0, 0, 20)
    whole = judgement(truth, Prediction(truth.sample_id, 1.0, heatmap))
    assert whole.overlap == Overlap(hits=40, false_alarms=120, misses=0)
    # The opposite of the map within the slab finds nothing of the edit.
    assert found.permuted_f1 == found.overlap.f1 == found.oracle_f1


def test_a_map_that_lies_elsewhere_is_empty():
    truth = replace(tampered(0, 100, (200, 64, 64)), box=Box((100, 20, 30), (10, 2, 2)))
    heatmap = Heatmap(Box((10, 20, 30), (4, 2, 2)), np.full((4, 2, 2), 255, np.uint8))
    found = judgement(truth, Prediction(truth.sample_id, 1.0, heatmap), Box((90, 0, 0), (32, 64, 64)))

    assert found.overlap == Overlap(0, 0, 40)
    assert found.oracle_f1 == 0
