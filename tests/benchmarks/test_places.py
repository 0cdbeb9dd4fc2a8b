import json

import numpy as np
import pytest
import torch
from small_networks import SliceNetwork

from benchmarks.detector import SliceVerdict
from benchmarks.network_detector import NetworkDetector
from benchmarks.places import Places
from benchmarks.run_folder import WEIGHTS
from m3dsynth_dataset import open_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.scoring import truths

SHAPE = (8, 32, 32)


class Oracle(NetworkDetector):
    """Knows the voxels of every edit in its place, the control's too, and where in them the edit is."""

    def __init__(self, release, places):
        super().__init__(SliceNetwork(SliceNetwork.presets["tiny"]), "oracle", torch.device("cpu"))
        self.asked = 0
        self.masks = {}
        for truth in truths(release, "test"):
            if truth.box is not None:
                start, sample = places.start(truth.scan_id, truth.box), release.sample(truth.sample_id)
                self.masks[sample.ct.crop(start, places.shape).tobytes()] = sample.mask.crop(start, places.shape)

    def judge(self, ct, first, stop):
        self.asked += 1
        voxels = ct[...]
        mask = self.masks.get(voxels.tobytes(), np.zeros(voxels.shape, bool))
        for number in range(first, stop):
            found = mask[number].astype(np.float32)
            yield SliceVerdict(number, float(found.max()), found)


@pytest.fixture(scope="module")
def release(learnable_release):
    return open_release(learnable_release)


@pytest.fixture
def run(tmp_path):
    (tmp_path / WEIGHTS).write_bytes(b"weights")
    return tmp_path


def judged(release, run, generators, seed=0):
    places = Places(SHAPE, seed)
    oracle = Oracle(release, places)
    return places.judged(release, oracle, run, "test", frozenset(generators)), oracle


def test_every_edit_is_judged_and_the_same_place_as_it_was(release, run):
    found, _ = judged(release, run, ["pix2pix"])

    assert sorted(each.label for each in found) == ["pristine", "pristine", "tampered", "tampered"]
    assert {each.sample_id for each in found if each.label == "tampered"} == {"pix2pix/inj_1", "pix2pix/rem_1"}
    assert all(each.score == (each.label == "tampered") for each in found)
    assert all(each.overlap.f1 == 1 for each in found if each.label == "tampered")


def test_a_place_is_judged_once_as_it_was_whatever_was_put_there(release, run):
    found, oracle = judged(release, run, ["pix2pix", "identity"])

    assert [each.label for each in found].count("pristine") == 2
    assert oracle.asked == len(found) == 6


def test_nothing_of_the_control_counts_as_tampered(release, run):
    found, _ = judged(release, run, ["identity"])
    control = [each for each in found if each.label == "control"]

    assert len(control) == 2
    assert all(each.score == 1 and not each.overlap.is_defined and each.overlap.false_alarms for each in control)


def test_without_generators_it_is_places_as_they_were(release, run):
    found, _ = judged(release, run, [])

    assert [each.label for each in found] == ["pristine", "pristine"]


def test_what_has_been_judged_is_kept_until_the_weights_change(release, run):
    first, _ = judged(release, run, ["pix2pix"])
    again, oracle = judged(release, run, ["pix2pix"])
    assert repr(again) == repr(first)
    assert oracle.asked == 0

    (run / WEIGHTS).write_bytes(b"others")
    assert judged(release, run, ["pix2pix"])[1].asked == 4
    assert judged(release, run, ["pix2pix"], seed=1)[1].asked == 4
    assert len(json.loads((run / "test.places.json").read_text())["judgements"]) == 4


@pytest.mark.parametrize("shape", [(8, 32, 32), (3, 30, 12)])
def test_a_place_holds_all_of_the_edit_or_lies_within_it(shape):
    for z in range(20):
        box = Box((z, 40, 3), (7, 20, 23))
        place = Box(Places(shape).start("scan", box), shape)
        assert place.intersection(box).shape == tuple(np.minimum(shape, box.shape))


def test_places_differ_from_edit_to_edit_unless_edits_are_to_be_in_the_middle():
    boxes = [Box((z, 40, 43), (7, 21, 23)) for z in range(8, 28)]
    offsets = {tuple(np.subtract(box.start, Places((20, 64, 64)).start("scan", box))) for box in boxes}
    assert len(offsets) > 15

    start = Places((9, 31, 33), seed=None).start("scan", boxes[0])
    assert start == (8 - 1, 40 - 5, 43 - 5)


def test_slices_of_a_known_place_are_averaged_and_of_others_the_worst_counts():
    detector = NetworkDetector(SliceNetwork(SliceNetwork.presets["tiny"]), "small", torch.device("cpu"))
    assert detector.together([0.2, 0.9, 0.5]) == 0.9

    class Known(SliceNetwork):
        searches = False

    known = NetworkDetector(Known(Known.presets["tiny"]), "small", torch.device("cpu"))
    assert known.together([0.2, 0.8]) == pytest.approx(0.5)
    assert known.together([0.9, 0.9, 0.9]) == pytest.approx(0.9)
    assert 0 < known.together([0.0, 1.0]) < 1
