import numpy as np
import pytest
import tiny_release
from gallery_reading import box, voxels

from benchmarks.errors import BenchmarkError
from benchmarks.viewer.place import edited_place
from benchmarks.viewer.verdict import Verdicts, page, place_of_alarm
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.submission import Heatmap, Prediction, as_table, write_submission


def whole(heatmap):
    values = np.zeros(tiny_release.SHAPE, np.uint8)
    values[heatmap.box.slices()] = heatmap.values
    return values


def test_the_map_is_laid_where_the_voxels_are(release, detector):
    sample, prediction = release.sample("pix2pix/inj_1"), detector.predictions["pix2pix/inj_1"]
    place = edited_place(sample)
    found = page(prediction, sample, place)
    expected = whole(prediction.heatmap)
    for block in (found["region"], *found["planes"]):
        assert (voxels(block) == expected[box(block).slices()]).all()
    assert voxels(found["region"]).any()
    assert found["score"] == prediction.score
    assert found["peak"] == {"zyx": [5, 24, 34], "probability": 1.0}


def test_the_map_is_held_against_the_mask(release, detector):
    sample = release.sample("pix2pix/inj_1")
    said = whole(detector.predictions["pix2pix/inj_1"].heatmap) > 127
    mask = sample.mask[...]
    f1 = 2 * (said & mask).sum() / (said.sum() + mask.sum())
    assert page(detector.predictions["pix2pix/inj_1"], sample, edited_place(sample))["f1"] == pytest.approx(
        f1, abs=1e-3
    )


def test_there_is_no_f1_on_the_control_where_nothing_is_to_be_found(release, detector):
    sample = release.sample("identity/inj_1")
    assert page(detector.predictions["identity/inj_1"], sample, edited_place(sample))["f1"] is None


def test_an_empty_map_is_shown_as_empty(release, detector):
    sample = release.sample("pix2pix/rem_1")
    found = page(detector.predictions["pix2pix/rem_1"], sample, edited_place(sample))
    assert found["region"] is None
    assert found["planes"] == [None, None, None]
    assert found["peak"] is None


def test_a_pristine_scan_is_shown_where_the_detector_is_most_alarmed(release, detector):
    sample = release.sample("pristine/scan-1")
    assert place_of_alarm(sample, detector.predictions["pristine/scan-1"]).centre == (17, 3, 60)
    assert place_of_alarm(sample, None) is None


def submission(out, predictions, **metadata):
    write_submission(out, as_table(predictions), metadata)
    return out


def test_only_the_samples_that_are_shown_are_kept(release, detector):
    found = Verdicts.read(detector.path, release, {"pix2pix/inj_1"})
    assert list(found.rows) == ["pix2pix/inj_1"]
    whole_map = detector.predictions["pix2pix/inj_1"].heatmap
    np.testing.assert_array_equal(found.of("pix2pix/inj_1").heatmap.values, whole_map.values)
    assert found.of("pix2pix/rem_1") is None
    assert found.detector == "eye <b>of</b> oracle"


def test_a_submission_of_another_release_is_refused(release, tmp_path):
    path = submission(
        tmp_path / "s", [Prediction("pix2pix/inj_1", 1.0)], detector="d", split="test", release_digest="ab" * 32
    )
    with pytest.raises(BenchmarkError, match=r"digest abababababab, .* has .*; name the release that was judged"):
        Verdicts.read(path, release, {"pix2pix/inj_1"})


def test_a_submission_that_does_not_say_of_which_release_it_is_is_refused(release, tmp_path):
    path = submission(tmp_path / "s", [Prediction("pix2pix/inj_1", 1.0)], detector="d", split="test")
    with pytest.raises(BenchmarkError, match="digest"):
        Verdicts.read(path, release, {"pix2pix/inj_1"})


def test_a_submission_of_other_samples_is_refused(release, detector):
    with pytest.raises(BenchmarkError, match="says nothing of the 1 samples that were chosen; it is of split train"):
        Verdicts.read(detector.path, release, {"identity/rem_1"})


def test_what_is_no_submission_is_refused(release, tmp_path):
    with pytest.raises(BenchmarkError, match="nothing-there"):
        Verdicts.read(tmp_path / "nothing-there", release, {"pix2pix/inj_1"})


def test_a_map_beyond_the_scan_is_refused(release):
    sample = release.sample("pix2pix/inj_1")
    beyond = Heatmap(Box((18, 0, 0), (3, 1, 1)), np.full((3, 1, 1), 255, np.uint8))
    with pytest.raises(BenchmarkError, match="pix2pix/inj_1: the map of the submission reaches beyond the scan"):
        page(Prediction("pix2pix/inj_1", 1.0, beyond), sample, edited_place(sample))
