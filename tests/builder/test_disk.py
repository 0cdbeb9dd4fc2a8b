import errno
import os
import shutil
from collections import namedtuple

import pytest
from small_scans import write_scans

from builder import disk
from builder.annotations import read_annotations
from builder.build import BuildOptions, build_release, by_scan
from builder.disk import DiskFullError, Needed, check_room, predict, told_when_full
from builder.inventory import find_series
from builder.plan import make_plan

NEEDED = Needed(volumes=60_000_000, cubes=30_000_000, filled=9_000_000, rows=1_000_000)
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    lidc = write_scans(tmp_path_factory.mktemp("small") / "lidc", patients=3)
    inventory = find_series(lidc)
    return inventory, make_plan(read_annotations(lidc / "annotations.sqlite"))


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_build_takes_no_more_than_was_predicted_and_not_much_less(scans, tmp_path):
    inventory, plan = scans
    needed = predict(inventory.by_scan_id(), by_scan(plan), ["injection", "removal"])
    build_release(inventory, plan, BuildOptions(tmp_path, tmp_path / "m3dsynth", work=tmp_path / "work"))
    volumes, rows = size_of(tmp_path / "m3dsynth" / "volumes"), size_of(tmp_path / "m3dsynth" / "data")
    work = size_of(tmp_path / "work")
    assert needed.work / 4 < work < needed.work
    assert needed.volumes / 2 < volumes < needed.volumes
    assert rows < needed.rows


def test_only_scans_at_hand_take_room(scans):
    inventory, plan = scans
    rows, series = by_scan(plan), inventory.by_scan_id()
    one = dict([next(iter(series.items()))])
    assert predict(one, rows, ["removal"]).volumes == pytest.approx(
        predict(series, rows, ["removal"]).volumes / 3, abs=1
    )
    assert predict({}, rows, ["removal"]) == Needed(0, 0, 0, 0)


def test_every_inpainter_takes_room_for_its_manipulation_alone(scans):
    inventory, plan = scans
    removals = sum(row["manipulation"] == "removal" for row in plan.to_pylist())
    filled = [predict(inventory.by_scan_id(), by_scan(plan), kinds).filled for kinds in ([], ["removal"] * 3)]
    assert filled == [0, 3 * removals * 2 * 32**3]


def free(monkeypatch, size):
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda place: Usage(10**12, 0, size))


def test_both_figures_are_told(monkeypatch, tmp_path):
    free(monkeypatch, 100_000_000)
    told = check_room(NEEDED, tmp_path / "work", tmp_path / "m3dsynth")
    assert told == f"disk: {tmp_path}/work: 100 MB at most, 100 MB free"


def test_a_build_that_cannot_fit_is_refused_unless_told_to_try(monkeypatch, tmp_path):
    free(monkeypatch, 99_999_999)
    with pytest.raises(DiskFullError, match="writes up to 100 MB there, and 100 MB are free; make room, name another"):
        check_room(NEEDED, tmp_path / "work", tmp_path / "m3dsynth")
    assert "100 MB at most" in check_room(NEEDED, tmp_path / "work", tmp_path / "m3dsynth", go_on=True)


def test_what_an_earlier_run_left_counts(monkeypatch, tmp_path):
    free(monkeypatch, 60_000_000)
    (tmp_path / "work").mkdir()
    with (tmp_path / "work" / "volume").open("wb") as file:
        file.truncate(40_000_000)
    assert "60 MB at most, 60 MB free" in check_room(NEEDED, tmp_path / "work", tmp_path / "m3dsynth")


def test_volumes_that_cannot_be_linked_count_twice(monkeypatch, tmp_path):
    def no_links(*paths):
        raise OSError(errno.EXDEV, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    free(monkeypatch, 159_999_999)
    with pytest.raises(DiskFullError, match="up to 160 MB"):
        check_room(NEEDED, tmp_path / "work", tmp_path / "m3dsynth")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_with_both_figures(monkeypatch, tmp_path, number):
    free(monkeypatch, 1234)
    with pytest.raises(DiskFullError) as told, told_when_full(NEEDED, tmp_path / "work", tmp_path / "m3dsynth"):
        raise OSError(number, os.strerror(number))
    assert str(told.value) == (
        f"{tmp_path}/work: the disk is full ({os.strerror(number)}): 1.23 kB free, up to 99 MB more needed for the work"
        " folder (99 MB in all); make room, and the same command goes on"
    )


def test_a_disk_that_fills_up_while_a_folder_is_copied_is_told_too(tmp_path):
    full = pytest.raises(DiskFullError, match=r"disk is full \(No space left on device\)")
    with full, told_when_full(NEEDED, tmp_path, tmp_path):
        raise shutil.Error([("a", "b", str(OSError(errno.ENOSPC, "No space left on device")))])


def test_another_error_stays_what_it_is(tmp_path):
    with pytest.raises(PermissionError), told_when_full(NEEDED, tmp_path, tmp_path):
        raise PermissionError(errno.EACCES, "no")
