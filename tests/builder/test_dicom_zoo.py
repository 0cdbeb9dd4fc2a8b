"""Messy input: every kind of odd folder, of which a release holds the truth or nothing, and the report tells of each.

M3DSYNTH_ZOO names how many folders there are; beyond one of each kind they are combinations, other ones for each
M3DSYNTH_ZOO_SEED.
"""

import dataclasses
import json
import os

import pytest
from dicom_zoo.harmless import LOSSY
from dicom_zoo.judge import complaints, judge_zoo
from dicom_zoo.population import kinds, write_zoo

from m3dsynth_dataset import open_release
from m3dsynth_dataset.verification import verify

FOLDERS = int(os.environ.get("M3DSYNTH_ZOO", "165"))
SEED = int(os.environ.get("M3DSYNTH_ZOO_SEED", "1"))


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """The zoo, what is wrong with its release, the build report, and the release."""
    folder = tmp_path_factory.mktemp("zoo")
    zoo = write_zoo(folder / "dicom", FOLDERS, SEED)
    wrong, report = judge_zoo(zoo, folder)
    return zoo, wrong, report, open_release(folder / "m3dsynth")


def test_no_wrong_voxel_gets_into_a_release_and_the_report_tells_of_every_folder_left_out(judged):
    assert judged[1] == []
    assert judged[2]["status"] == "done"


def test_every_kind_of_folder_is_in_the_zoo(judged):
    zoo = judged[0]
    assert {kind for it in zoo for kind in it.kinds} == kinds()
    assert {it.refused is None for it in zoo} == {True, False}


def test_lossily_compressed_scans_are_kept_and_named(judged):
    zoo, _, report, _ = judged
    assert {each["scan_id"] for each in report["lossily_compressed"]} == {
        it.scan_id for it in zoo if LOSSY & set(it.kinds) and it.refused is None
    }


def test_a_release_of_the_zoo_holds_what_its_manifest_says(judged):
    assert list(verify(judged[3].path)) == []


def test_the_judge_sees_a_single_wrong_voxel(judged):
    zoo, _, report, release = judged
    it = next(it for it in zoo if "jpeg_ls" in it.kinds and it.refused is None)
    it.slices[3].stored[7, 5] += 1
    try:
        found = complaints(zoo, release, report)
    finally:
        it.slices[3].stored[7, 5] -= 1
    assert found
    assert all(it.scan_id in complaint for complaint in found)
    assert "1 wrong voxels" in found[0]


def test_the_judge_sees_what_the_report_keeps_quiet(judged):
    zoo, _, report, release = judged
    quiet = report | {"left_out": []}
    silent = {complaint.split(" ")[0] for complaint in complaints(zoo, release, quiet)}
    assert silent >= {it.folder.name for it in zoo if it.refused and not it.is_companion}


def test_the_judge_sees_a_scan_that_should_not_be_there(judged):
    zoo, _, report, release = judged
    it = next(it for it in zoo if it.refused is None and not it.is_fuzzed and not it.noted)
    refused = dataclasses.replace(it, refused="slice missing")
    found = complaints([refused if each is it else each for each in zoo], release, report)
    assert any("in the release, though it should be refused" in complaint for complaint in found)
    assert json.dumps(report["left_out"])
