import hashlib
import json
import shutil
from dataclasses import replace

import pytest
from hub_stand_in import read_folder

from m3dsynth_dataset import DamagedReleaseError, HubUnavailableError, ReleaseNotFoundError
from m3dsynth_dataset import repair as engine
from m3dsynth_dataset.manifest import FileRecord, Manifest, digest_of, record_files
from m3dsynth_dataset.repair import repair

NAME = "org/m3dsynth"
SHARD = "volumes/scan-1.zarr/c/0/0/0"
OTHER = "volumes/scan-2.zarr/c/0/0/0"
ROWS = "data/pristine/test-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def files(release_path):
    return read_folder(release_path)


@pytest.fixture
def repository(hub, files):
    repository = hub.create(NAME)
    repository.commit(files)
    return repository


@pytest.fixture
def release(release_path, tmp_path):
    return shutil.copytree(release_path, tmp_path / "m3dsynth")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def test_damaged_and_missing_files_are_fetched_and_no_others(hub, repository, release, files, monkeypatch):
    monkeypatch.setattr(engine, "PART", 50_000)
    damage(release / SHARD)
    (release / ROWS).unlink()
    shutil.rmtree(release / "volumes/scan-2.zarr")
    repairs = repair(release, [SHARD, ROWS, "volumes/scan-2.zarr", "LICENSE"], NAME)
    assert set(repairs.repaired) == {SHARD, ROWS, OTHER, "volumes/scan-2.zarr/zarr.json"}
    assert repairs.sound == ["LICENSE"]
    assert repairs.left == {}
    assert read_folder(release) == files
    sent = sum(len(files[path]) for path in repairs.repaired)
    assert hub.log.sent("volumes/") + hub.log.sent("data/") == sent


def test_what_is_not_of_the_release_is_left(repository, release):
    (release / "notes.txt").write_text("mine")
    repairs = repair(release, ["notes.txt", "../outside", "volumes/scan-3.zarr"], NAME)
    assert list(repairs.left) == ["notes.txt", "../outside", "volumes/scan-3.zarr"]
    assert "does not list it" in repairs.left["notes.txt"]
    assert (release / "notes.txt").read_text() == "mine"


def test_files_of_another_release_are_not_installed(hub, repository, release, files):
    first = repository.head.id
    changed = dict(files) | {ROWS: files[ROWS] + b"more"}
    repository.commit(changed | {"manifest.json": _manifest_of(release, changed)})
    damage(release / ROWS)
    damage(release / SHARD)
    before = (release / ROWS).read_bytes()
    repairs = repair(release, [ROWS, SHARD], NAME)
    assert repairs.repaired == [SHARD]
    digest = json.loads(repository.head.files["manifest.json"])["digest"]
    assert repairs.left == {
        ROWS: f"the release on the Hub ({NAME}@{repository.head.id[:12]}, digest {digest[:12]}) has another version of "
        "it; give the revision that this release is of"
    }
    assert (release / ROWS).read_bytes() == before
    assert hub.log.sent(ROWS) == 0
    assert repair(release, [ROWS], NAME, revision=first).repaired == [ROWS]
    assert read_folder(release) == files


def _manifest_of(release, files):
    """What the manifest of a release with other files says."""
    recorded = {
        path: FileRecord(len(data), hashlib.sha256(data).hexdigest())
        for path, data in files.items()
        if path != "manifest.json"
    }
    place = release.parent / "other"
    place.mkdir()
    replace(Manifest.read(release), files=recorded, digest=digest_of(recorded)).write(place)
    return (place / "manifest.json").read_bytes()


@pytest.mark.parametrize("fault", ["flipped", "cut", "missing"])
def test_what_came_damaged_is_not_installed(hub, repository, release, files, fault):
    damage(release / SHARD)
    before = read_folder(release)
    if fault == "missing":
        repository.commit({SHARD: None})
    else:
        damaged = bytearray(files[SHARD])
        damaged[5000] ^= 1
        hub.instead[SHARD] = bytes(damaged) if fault == "flipped" else files[SHARD][:-1]
    repairs = repair(release, [SHARD], NAME)
    assert repairs.repaired == []
    expected = {"flipped": "not what the manifest says", "cut": "bytes from 0 on", "missing": "is missing there"}[fault]
    assert expected in repairs.left[SHARD]
    assert read_folder(release) == before


def test_a_repair_that_was_stopped_goes_on_with_what_is_left(hub, repository, release, files):
    damage(release / SHARD)
    damage(release / OTHER)
    hub.break_off(OTHER, times=6)
    with pytest.raises(HubUnavailableError, match="the Hub cannot be asked for it"):
        repair(release, [SHARD, OTHER], NAME)
    assert sorted(path.name for path in (release / OTHER).parent.iterdir()) == ["0"]
    hub.log.clear()
    repairs = repair(release, [SHARD, OTHER], NAME)
    assert (repairs.repaired, repairs.sound) == ([OTHER], [SHARD])
    assert hub.log.sent(SHARD) == 0
    assert read_folder(release) == files


@pytest.mark.parametrize("text", [None, b"{", "built", "digest"])
def test_a_damaged_manifest_is_replaced_by_that_of_the_hub(repository, release, files, text):
    path = release / "manifest.json"
    raw = json.loads(path.read_text())
    if text is None:
        path.unlink()
    elif isinstance(text, bytes):
        path.write_bytes(text)
    else:
        path.write_text(json.dumps(raw | {text: "?"}))
    damage(release / SHARD)
    repairs = repair(release, ["manifest.json", SHARD], NAME)
    assert repairs.repaired == ["manifest.json", SHARD]
    assert read_folder(release) == files


def test_a_sound_manifest_stays(repository, release, files):
    assert repair(release, ["manifest.json"], NAME).sound == ["manifest.json"]
    assert read_folder(release) == files


def test_a_manifest_that_contradicts_itself_is_not_taken(repository, release, files):
    raw = json.loads(files["manifest.json"])
    raw["files"][SHARD]["sha256"] = "0" * 64
    repository.commit({"manifest.json": json.dumps(raw).encode()})
    (release / "manifest.json").unlink()
    with pytest.raises(DamagedReleaseError, match=r"no manifest.json.*cannot take its place: it contradicts itself"):
        repair(release, [SHARD], NAME)
    assert not (release / "manifest.json").exists()


def test_the_manifest_of_another_release_is_not_taken(repository, release, files):
    changed = dict(files) | {ROWS: files[ROWS] + b"more"}
    repository.commit(changed | {"manifest.json": _manifest_of(release, changed)})
    path = release / "manifest.json"
    raw = json.loads(path.read_text())
    path.write_text(json.dumps(raw | {"built": {}}))
    repairs = repair(release, ["manifest.json"], NAME)
    assert "is of another release (this one has digest" in repairs.left["manifest.json"]
    path.write_text("damaged")
    with pytest.raises(DamagedReleaseError, match=rf"another release \({ROWS} has \d+ bytes here and \d+ there\)"):
        repair(release, ["manifest.json"], NAME)
    assert path.read_text() == "damaged"


def test_a_manifest_that_names_places_outside_writes_nothing_there(repository, release, files):
    outside = "LICENSE/../../outside"
    changed = dict(files) | {outside: files["LICENSE"]}
    wrong = _manifest_of(release, changed)
    repository.commit(changed | {"manifest.json": wrong})
    (release / "manifest.json").write_bytes(wrong)
    repairs = repair(release, ["LICENSE", outside], NAME)
    assert (repairs.repaired, repairs.sound, list(repairs.left)) == ([], ["LICENSE"], [outside])
    assert not (release.parent / "outside").exists()


def test_there_must_be_a_folder_to_repair(repository, tmp_path):
    with pytest.raises(ReleaseNotFoundError, match="no release there to repair"):
        repair(tmp_path / "nowhere", [SHARD], NAME)


def test_the_repaired_release_is_what_its_manifest_says(repository, release):
    for path in [path for path in release.rglob("*") if path.is_file() and path.name != "manifest.json"]:
        path.unlink()
    repair(release, list(Manifest.read(release).files), NAME)
    assert record_files(release) == Manifest.read(release).files
