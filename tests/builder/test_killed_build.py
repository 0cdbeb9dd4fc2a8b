"""Builds of small scans, killed with all their processes by SIGKILL, and started again.

They run as forks of a process that has imported everything, since a build of these scans takes half a second and
imports take five. `M3DSYNTH_KILLS` asks for more moments than the 50.
"""

import os
import random
import re
import shutil

import pytest
from prepared_builder import PreparedBuilder
from small_scans import write_scans

from m3dsynth_dataset.verification import verify

KILLS = int(os.environ.get("M3DSYNTH_KILLS", "50"))


@pytest.fixture(scope="module")
def builder():
    with PreparedBuilder() as prepared:
        yield prepared


@pytest.fixture(scope="module")
def lidc(tmp_path_factory):
    return write_scans(tmp_path_factory.mktemp("small") / "lidc", patients=3)


@pytest.fixture
def build(builder, lidc, tmp_path):
    """Builds into tmp_path/out/m3dsynth, and how long they take."""

    def run(*options, **kill):
        return builder.run(*command(lidc, tmp_path / "out" / "m3dsynth"), *options, log=tmp_path / "log", **kill)

    return run


def command(lidc, out):
    arguments = ["build", "--lidc", lidc, "--out", out, "--weights", out.parent / "weights"]
    return [*arguments, "--inpainters", "noisy_inpainter:Noisy", "--workers", "1"]


@pytest.fixture(scope="module")
def undisturbed(builder, lidc, tmp_path_factory):
    """Every file of a release that was built in peace, and how long that took."""
    out = tmp_path_factory.mktemp("undisturbed") / "m3dsynth"
    runs = [builder.run(*command(lidc, out)) for _ in range(3)]
    assert [run["status"] for run in runs] == [0, 0, 0]
    assert not list(verify(out))
    return files_of(out), min(run["seconds"] for run in runs)


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_same(out, files):
    assert files_of(out) == files
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "m3dsynth",
        "m3dsynth.report.html",
        "m3dsynth.report.json",
    ]


def test_a_build_killed_at_any_moment_goes_on_and_ends_the_same_to_the_bit(build, undisturbed, tmp_path):
    """Each is killed and goes on, and is killed as it does, until once it is done before it would be."""
    files, duration = undisturbed
    rng, out, killed = random.Random(8), tmp_path / "out" / "m3dsynth", 0
    while killed < KILLS:
        shutil.rmtree(out.parent, ignore_errors=True)
        while (status := build(kill_after=rng.uniform(0, duration))["status"]) == -9:
            killed += 1
            assert not out.exists() or files_of(out) == files
        assert status == 0, (tmp_path / "log").read_text()
        check_same(out, files)


def test_a_build_that_is_killed_again_and_again_gets_there_in_the_end(build, undisturbed, tmp_path):
    files, _ = undisturbed
    runs, kill_at = [], 7
    while not runs or runs[-1]["status"]:
        runs.append(build(kill_at=kill_at))
        assert runs[-1]["status"] in (0, -9), (tmp_path / "log").read_text()
        kill_at += 20
    assert len(runs) > 5
    check_same(tmp_path / "out" / "m3dsynth", files)


def test_an_older_release_is_there_until_the_new_one_is(build, undisturbed, tmp_path):
    files, _ = undisturbed
    out, kill_at, statuses = tmp_path / "out" / "m3dsynth", 240, []
    assert build("--inpainters", "identity")["status"] == 0
    older = files_of(out)
    while not statuses or statuses[-1]:
        statuses.append(build(kill_at=kill_at)["status"])
        kill_at += 3
        # Between two renames the old one has stepped aside and the new one is not there yet.
        assert not out.exists() or files_of(out) in (older, files)
    assert statuses.count(-9) > 3
    check_same(out, files)


@pytest.mark.parametrize("workers", [2, 8])
def test_a_release_does_not_depend_on_the_number_of_workers(build, undisturbed, tmp_path, workers):
    assert build("--workers", workers)["status"] == 0
    check_same(tmp_path / "out" / "m3dsynth", undisturbed[0])


def test_a_build_with_workers_is_killed_as_a_whole_and_goes_on(build, undisturbed, tmp_path):
    assert build("--workers", 2, kill_after=1.5 + undisturbed[1])["status"] in (0, -9)
    assert build("--workers", 2)["status"] == 0
    check_same(tmp_path / "out" / "m3dsynth", undisturbed[0])


@pytest.fixture
def disk(builder, tmp_path):
    """A small disk of its own: a function that sets its size in kB."""
    if not builder.can_mount:
        pytest.skip("a disk to fill needs `unshare --map-root-user --mount`, which this system does not allow")
    place = tmp_path / "disk"
    place.mkdir()
    builder.shell(f"mount -t tmpfs -o size=100k none {place}")
    yield place, lambda size: builder.shell(f"mount -o remount,size={size}k {place}")
    builder.shell(f"umount {place}")


def test_a_build_does_not_start_where_it_cannot_fit(build, disk, tmp_path):
    place, _ = disk
    assert build("--work", place / "work")["status"] == 2
    error = (tmp_path / "log").read_text().splitlines()[-1]
    assert error.startswith(f"error: {place}/work: this build writes up to ")
    assert re.search(r"and \d\d\.?\d? kB are free; make room, name another disk with --work or --out", error)


def test_a_work_folder_on_a_full_disk_is_one_line_and_the_build_goes_on_with_more_room(
    build, builder, undisturbed, disk, tmp_path
):
    place, resize = disk
    for size in (100, 500, 1000, 2000):
        resize(size)
        assert build("--work", place / "work", "--yes")["status"] == 2
        error = (tmp_path / "log").read_text().splitlines()[-1]
        assert error.startswith(f"error: {place}/work: the disk is full (No space left on device): "), error
        assert " more needed for the work folder (" in error
        assert builder.shell(f"find {place} -name '.*'") == ""
    resize(50_000)
    assert build("--work", place / "work")["status"] == 0
    assert files_of(tmp_path / "out" / "m3dsynth") == undisturbed[0]


def test_a_release_that_does_not_fit_leaves_the_older_one(builder, lidc, undisturbed, disk, tmp_path):
    place, resize = disk
    out, log = place / "m3dsynth", tmp_path / "log"
    arguments = [*command(lidc, out), "--work", tmp_path / "work"]
    resize(50_000)
    assert builder.run(*arguments)["status"] == 0
    digests = f"cd {out} && find . -type f | sort | xargs sha256sum"
    before = builder.shell(digests)
    resize(int(builder.shell(f"du -sk {place}").split()[0]) + 300)
    assert builder.run(*arguments, "--yes", log=log)["status"] == 2, log.read_text()
    assert f"error: {place}/m3dsynth: the disk is full" in log.read_text().splitlines()[-1]
    assert builder.shell(digests) == before
    resize(50_000)
    assert builder.run(*arguments)["status"] == 0
    assert builder.shell(digests) == before
