import noise_release
import numpy as np
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.realism.survey import survey
from m3dsynth_dataset import open_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.shard import ShardVolume


def test_a_place_counts_once_however_many_filled_it(noise_survey):
    assert {name: len(each) for name, each in noise_survey.before.items()} == {"injection": 8, "removal": 8}
    assert {name: len(each) for name, each in noise_survey.beside.items()} == {"injection": 8, "removal": 8}
    assert all(len(each.collection) == 8 for each in noise_survey.edits)


def test_a_split_has_its_own_patients_alone(noise_path):
    found = survey(open_release(noise_path), ("validation",))
    assert {patient for each in found.edits for patient in each.collection.patients} == {"PHANTOM-7"}


def test_what_is_measured_is_what_the_release_holds(noise_survey):
    """Spread of HU in the mask, from the release's own voxels."""
    loud = next(each for each in noise_survey.edits if each.config == "loud-removal")
    base = noise_release.scan(3)[noise_release.BOX.slices()]
    patch = noise_release.edited("loud", "removal", 3, base)
    low, high = loud.collection.counts["PHANTOM-3"].nonzero()[0][[0, -1]] - 1200
    assert (low, high) == (patch.min(), patch.max())
    assert loud.collection.counts["PHANTOM-3"].sum() == patch.size


def test_strips_show_the_edit(noise_survey):
    step = next(each for each in noise_survey.edits if each.config == "step-removal")
    assert len(step.strips) == 4
    assert len({each.patient for each in step.strips}) == 4
    for shown in step.strips:
        change = shown.after.astype(int) - shown.before
        assert set(np.unique(change)) == {0, 150}
        assert (change > 0).sum() == 22 * 22


def test_a_sealed_release_is_refused(noise_path, tmp_path):
    from m3dsynth_dataset.release import Release

    release = open_release(noise_path)
    release.__dict__["splits"] = {"sealed": ("test",)}
    assert isinstance(release, Release)
    with pytest.raises(BenchmarkError, match=r"sealed.*use the open release"):
        survey(release, ("test",))


def test_a_release_without_edits_is_refused(tmp_path):
    path = noise_release.write(tmp_path / "m3dsynth", tmp_path / "work", generators=(), patients=1)
    with pytest.raises(BenchmarkError, match=r"no edits in test; choose another --split"):
        survey(open_release(path), ("test",))


def test_masks_that_are_too_thin_are_refused_by_name(tmp_path):
    path = noise_release.write(
        tmp_path / "m3dsynth", tmp_path / "work", generators=("identity",), box=Box((2, 40, 40), (5, 6, 20)), patients=1
    )
    with pytest.raises(BenchmarkError, match=r"too thin to measure, such as that of identity/inj_0"):
        survey(open_release(path), ("test",))


def test_only_boxes_around_edits_are_read(noise_path, monkeypatch):
    largest = []
    read = ShardVolume.read

    def watched(self, box):
        largest.append(box.shape[0] / noise_release.SHAPE[0])
        return read(self, box)

    monkeypatch.setattr(ShardVolume, "read", watched)
    survey(open_release(noise_path), ("validation",))
    assert max(largest) < 1
