import multiprocessing
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_release
import zarr
from datasets import get_dataset_config_names, load_dataset
from hub_stand_in import read_folder
from huggingface_hub import constants
from torch.utils.data import DataLoader

from m3dsynth_dataset import (
    DamagedReleaseError,
    FormatVersionError,
    HubAccessError,
    HubUnavailableError,
    ReleaseNotFoundError,
    open_release,
    ranges,
)
from m3dsynth_dataset.hub import Snapshot, is_repo_id
from m3dsynth_dataset.manifest import Manifest, record_files
from m3dsynth_dataset.schema import FEATURES

NAME = "org/m3dsynth"
VOLUME = "volumes/scan-1.zarr"
SHARD = f"{VOLUME}/c/0/0/0"
METADATA = f"{VOLUME}/zarr.json"
ROWS = "data/pix2pix-injection/train-00000-of-00001.parquet"
WAYS = ["download", "range"]


@pytest.fixture(scope="module")
def files(release_path):
    return read_folder(release_path)


@pytest.fixture
def repository(hub, files):
    repository = hub.create(NAME)
    repository.commit(files)
    return repository


@pytest.fixture
def offline(monkeypatch):
    """A function that takes the network away."""
    return lambda: monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.fixture(autouse=True)
def _nothing_left_in_memory_and_no_waiting(monkeypatch):
    ranges._memory.cache_clear()
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def flipped(data, place=1000):
    wrong = bytearray(data)
    wrong[place] ^= 4
    return bytes(wrong)


def asked(hub):
    """The files that were asked for, by their paths in the release."""
    return {one.path.partition("/resolve/")[2].partition("/")[2] for one in hub.log.asked("/resolve/")}


# Opening.


def test_rows_are_there_at_once_and_nothing_of_a_volume_is_read(hub, repository, files, release_path):
    release, here = open_release(NAME), open_release(release_path)
    assert release.splits == here.splits
    for config, splits in here.splits.items():
        for split in splits:
            assert release.rows(config, split).equals(here.rows(config, split))
    assert release.sample("pix2pix/inj_1").row == here.sample("pix2pix/inj_1").row
    assert asked(hub) == {"manifest.json"} | {path for path in files if path.startswith("data/")}


def test_a_release_that_was_opened_before_is_only_asked_for_its_commit(hub, repository):
    open_release(NAME)
    hub.log.clear()
    open_release(NAME)
    assert [(one.method, one.sent) for one in hub.log] == [("HEAD", 0)]
    assert asked(hub) == {"manifest.json"}


def test_a_revision_is_a_branch_a_tag_or_a_commit(repository):
    first = repository.head.id
    repository.refs["v1"] = first
    repository.commit({"data/pristine/test-00000-of-00001.parquet": None})
    repository.commit({"README.md": b"no release here any more", "manifest.json": None}, branch="main")
    with pytest.raises(ReleaseNotFoundError, match="no release there on the Hub"):
        open_release(NAME)
    for revision in ("v1", first):
        assert open_release(NAME, revision=revision).name == f"{NAME}@{first[:12]}"
    with pytest.raises(ReleaseNotFoundError, match=r"no revision 'v2'\); .* lists branches and tags"):
        open_release(NAME, revision="v2")


def test_what_is_a_folder_here_is_not_looked_for_on_the_hub(hub, release_path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(release_path, NAME)
    assert open_release(NAME).path == Path(NAME)
    assert hub.log == []
    with pytest.raises(ValueError, match="is a folder, which has no revision 'v1'; leave it out"):
        open_release(NAME, revision="v1")


@pytest.mark.parametrize("place", ["m3dsynth", "/nowhere/m3dsynth", "./org/m3dsynth", "a/b/c", Path("org/m3dsynth")])
def test_what_is_no_folder_and_no_name_is_not_looked_for_at_all(hub, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReleaseNotFoundError, match=r"it is no folder, and a release on the Hub is called ORG/NAME"):
        open_release(place)
    assert hub.log == []


@pytest.mark.parametrize(
    ("name", "known"), [("org/m3dsynth", True), ("a.b/c-d_e", True), ("../m3dsynth", False), ("~/m3dsynth", False)]
)
def test_names_on_the_hub_have_two_parts(name, known):
    assert is_repo_id(name) == known


def test_a_release_that_is_neither_here_nor_there_is_an_error_that_says_both(hub):
    with pytest.raises(
        ReleaseNotFoundError, match=r"(?s)org/m3dsynth: no release.*no data set at.*nor is there a folder /"
    ):
        open_release(NAME)


def test_a_name_that_the_hub_does_not_allow_is_an_error(hub):
    with pytest.raises(ReleaseNotFoundError, match="no release there on the Hub"):
        open_release("org/a--b")


def test_a_gated_release_asks_for_access_and_opens_with_it(repository):
    repository.gated, repository.readers = True, {"mine"}
    for token in (False, "stranger"):
        with pytest.raises(HubAccessError, match=r"asked for at .*/datasets/org/m3dsynth; .* `hf auth login`"):
            open_release(NAME, token=token)
    for volumes in WAYS:
        sample = open_release(NAME, token="mine", volumes=volumes).sample("pristine/scan-1")
        np.testing.assert_array_equal(sample.ct[3], tiny_release.scan("scan-1")[3])
        assert "mine" not in repr(sample._volumes.snapshot)


def test_a_foreign_version_is_refused(repository, files):
    repository.commit(
        {"manifest.json": files["manifest.json"].replace(b'"format_version": "1.', b'"format_version": "9.')}
    )
    with pytest.raises(FormatVersionError, match=r"format 9\."):
        open_release(NAME)


@pytest.mark.parametrize("wrong", [None, b"PAR1", "flipped", "cut"])
def test_rows_that_are_missing_or_wrong_are_an_error_and_not_kept(repository, files, wrong):
    content = {"flipped": flipped(files[ROWS]), "cut": files[ROWS][:-1]}.get(wrong, wrong)
    repository.commit({ROWS: content})
    for _ in range(2):
        with pytest.raises(DamagedReleaseError, match=f"{ROWS} is (missing there|not the file that the release's)"):
            open_release(NAME)


# Voxels.


@pytest.mark.parametrize("volumes", WAYS)
@pytest.mark.parametrize(
    ("sample_id", "expected"),
    [
        ("pix2pix/inj_1", tiny_release.tampered("pix2pix", "inj_1")),
        ("identity/rem_1", tiny_release.tampered("identity", "rem_1")),
        ("pristine/scan-2", tiny_release.scan("scan-2")),
    ],
)
def test_voxels_are_those_of_the_release(repository, volumes, sample_id, expected):
    sample = open_release(NAME, volumes=volumes).sample(sample_id)
    np.testing.assert_array_equal(sample.ct[...], expected)
    np.testing.assert_array_equal(sample.ct[3:5, ::-7, 60], expected[3:5, ::-7, 60])


def test_a_volume_is_downloaded_whole_when_its_first_voxel_is_read_and_never_again(hub, repository, files):
    release = open_release(NAME)
    hub.log.clear()
    sample = release.sample("pix2pix/inj_1")
    assert sample.mask[...].any()
    assert hub.log == []
    sample.ct[0, 0, 0]
    assert asked(hub) == {METADATA, SHARD}
    assert hub.log.sent(SHARD) == len(files[SHARD])
    hub.log.clear()
    sample.ct[...]
    release.sample("pristine/scan-1").ct[5]
    open_release(NAME, revision=repository.head.id).sample("pristine/scan-1").ct[7]
    assert asked(hub) == set()


def test_a_crop_by_ranges_reads_its_chunks_alone_and_the_index_once(hub, repository, files):
    release = open_release(NAME, volumes="range")
    sample = release.sample("pristine/scan-1")
    hub.log.clear()
    crop = sample.ct[16:20, :64, :60]
    np.testing.assert_array_equal(crop, tiny_release.scan("scan-1")[16:20, :64, :60])
    size = len(files[SHARD])
    index = f"bytes={size - 2 * 2 * 2 * 16 - 4}-{size - 1}"
    pieces = [one.range for one in hub.log.asked(SHARD) if one.sent]
    assert len(pieces) == 2
    assert pieces[0] == index
    assert hub.log.sent(SHARD) < size / 4
    hub.log.clear()
    np.testing.assert_array_equal(sample.ct[17, 3:9, :20], tiny_release.scan("scan-1")[17, 3:9, :20])
    assert hub.log == []
    np.testing.assert_array_equal(release.sample("pix2pix/inj_1").pristine[...], tiny_release.scan("scan-1"))
    assert index not in [one.range for one in hub.log]
    assert hub.log.sent(SHARD) < size
    assert Snapshot.find(NAME).cached(SHARD) is None


def test_pieces_that_lie_close_together_come_with_one_request(hub, repository, files):
    sample = open_release(NAME, volumes="range").sample("pristine/scan-1")
    hub.log.clear()
    sample.ct[...]
    assert len([one for one in hub.log.asked(SHARD) if one.sent]) == 2
    assert hub.log.sent(SHARD) == len(files[SHARD])


def test_a_large_request_is_parted(hub, repository, files, monkeypatch):
    monkeypatch.setattr(ranges, "LARGEST", 1)
    monkeypatch.setattr(ranges, "AT_ONCE", 50_000)
    sample = open_release(NAME, volumes="range").sample("pix2pix/inj_1")
    np.testing.assert_array_equal(sample.ct[...], tiny_release.tampered("pix2pix", "inj_1"))
    # The index, eight chunks, and what the edit needs of them again out of memory.
    assert len([one for one in hub.log.asked(SHARD) if one.sent]) == 9


def test_what_was_downloaded_is_not_read_by_ranges(hub, repository):
    open_release(NAME).sample("pristine/scan-1").ct[0]
    release = open_release(NAME, volumes="range")
    hub.log.clear()
    np.testing.assert_array_equal(release.sample("pristine/scan-1").ct[9], tiny_release.scan("scan-1")[9])
    assert hub.log == []


@pytest.mark.parametrize("volumes", WAYS)
def test_volumes_are_of_the_commit_that_was_opened(repository, files, volumes):
    release = open_release(NAME, volumes=volumes)
    first = repository.head.id
    other = {path: files[path.replace("scan-1", "scan-2")] for path in (SHARD, METADATA)}
    repository.commit(other | {"manifest.json": files["manifest.json"] + b" "})
    np.testing.assert_array_equal(release.sample("pristine/scan-1").ct[...], tiny_release.scan("scan-1"))
    assert repository.head.id != first
    assert open_release(NAME, volumes=volumes).name != release.name


# Damage.


@pytest.mark.parametrize("volumes", WAYS)
@pytest.mark.parametrize(
    ("path", "content"),
    [
        (SHARD, "flipped"),
        (SHARD, "cut"),
        (SHARD, "longer"),
        (SHARD, "the other scan's"),
        (SHARD, None),
        (METADATA, "the other scan's"),
        (METADATA, None),
    ],
)
def test_a_wrong_file_is_an_error_and_never_a_wrong_voxel(repository, files, volumes, path, content):
    wrong = {
        "flipped": flipped(files[path]),
        "cut": files[path][:-1],
        "longer": files[path] + b"0",
        "the other scan's": files[path.replace("scan-1", "scan-2")],
        None: None,
    }[content]
    repository.commit({path: wrong})
    release = open_release(NAME, volumes=volumes)
    for _ in range(2):
        with pytest.raises(DamagedReleaseError, match=f"{path}.*(missing there|release's manifest)"):
            release.sample("pristine/scan-1").ct[...]
    np.testing.assert_array_equal(release.sample("pristine/scan-2").ct[...], tiny_release.scan("scan-2"))


@pytest.mark.parametrize("more", [-1, 1])
def test_a_shard_of_which_the_hub_says_another_size_is_not_read(hub, repository, files, monkeypatch, more):
    release = open_release(NAME, volumes="range")
    # Of what is no LFS file, the Hub does not say the sha256.
    monkeypatch.setattr(Snapshot, "identify", lambda self, path: (len(files[SHARD]) + more, None))
    with pytest.raises(DamagedReleaseError, match=rf"manifest says {len(files[SHARD])}; it (is another|was cut)"):
        release.sample("pristine/scan-1").ct[0]
    assert hub.log.sent(SHARD) == 0


@pytest.mark.parametrize("volumes", WAYS)
@pytest.mark.parametrize("place", [20, 1000, -3])
def test_what_was_damaged_on_the_way_is_an_error_and_read_anew(hub, repository, files, volumes, place):
    release = open_release(NAME, volumes=volumes)
    hub.instead[SHARD] = flipped(files[SHARD], place)
    with pytest.raises(DamagedReleaseError, match=r"is not (what was written|the file that)"):
        release.sample("pristine/scan-1").ct[...]
    hub.instead.clear()
    np.testing.assert_array_equal(release.sample("pristine/scan-1").ct[...], tiny_release.scan("scan-1"))


def test_a_download_that_broke_off_goes_on_where_it_was(hub, repository, files, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    release = open_release(NAME)
    hub.break_off(SHARD, after=50_000)
    np.testing.assert_array_equal(release.sample("pristine/scan-1").ct[...], tiny_release.scan("scan-1"))
    assert hub.log.sent(SHARD) == len(files[SHARD])


def test_a_download_that_never_ends_is_an_error_and_leaves_nothing_behind(hub, repository, monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    release = open_release(NAME)
    hub.break_off(SHARD, after=50_000)
    hub.break_off(SHARD, after=0, times=5)
    before = sorted((tmp_path / "hub-cache").rglob("blobs/*"))
    with pytest.raises(HubUnavailableError, match=rf"{SHARD} is not in the cache .*, and the Hub cannot be asked"):
        release.sample("pristine/scan-1").ct[0]
    assert len(sorted((tmp_path / "hub-cache").rglob("blobs/*"))) == len(before) + 1
    np.testing.assert_array_equal(release.sample("pristine/scan-1").ct[...], tiny_release.scan("scan-1"))


def test_a_range_that_broke_off_is_asked_for_again(hub, repository):
    sample = open_release(NAME, volumes="range").sample("pristine/scan-1")
    sample.ct[0, 0, 0]
    hub.break_off(SHARD, after=500, times=2)
    np.testing.assert_array_equal(sample.ct[...], tiny_release.scan("scan-1"))


@pytest.mark.parametrize("volumes", WAYS)
def test_a_cached_shard_that_was_cut_short_is_an_error_with_a_remedy_that_helps(repository, volumes):
    open_release(NAME).sample("pristine/scan-1").ct[0]
    shard = Snapshot.find(NAME).cached(SHARD).resolve()
    shard.write_bytes(shard.read_bytes()[:-7])
    release = open_release(NAME, volumes=volumes)
    with pytest.raises(DamagedReleaseError, match=rf"it was cut short; delete {shard}, and it is downloaded again"):
        release.sample("pristine/scan-1").ct[0]
    shard.unlink()
    np.testing.assert_array_equal(release.sample("pristine/scan-1").ct[0], tiny_release.scan("scan-1")[0])


def test_a_bit_that_flipped_in_the_cache_is_an_error(repository):
    release = open_release(NAME)
    release.sample("pristine/scan-1").ct[0]
    shard = Snapshot.find(NAME).cached(SHARD).resolve()
    shard.write_bytes(flipped(shard.read_bytes()))
    with pytest.raises(DamagedReleaseError, match="not what was written"):
        open_release(NAME).sample("pristine/scan-1").ct[...]


def test_a_volume_of_another_layout_is_read_through_zarr(hub, repository, tmp_path):
    path = tiny_release.write(tmp_path / "m3dsynth", tmp_path / "work")
    voxels = tiny_release.scan("scan-1")
    shutil.rmtree(path / VOLUME)
    zarr.create_array(str(path / VOLUME), data=voxels, chunks=(8, 32, 32))
    manifest = Manifest.read(path)
    replace(manifest, files=record_files(path)).write(path)
    repository.commit(read_folder(path), keep=False)
    for volumes in WAYS:
        np.testing.assert_array_equal(open_release(NAME, volumes=volumes).sample("pristine/scan-1").ct[...], voxels)
        np.testing.assert_array_equal(open_release(path).sample("pristine/scan-1").ct[...], voxels)


# Without a network.


@pytest.mark.parametrize("volumes", WAYS)
def test_what_was_read_once_is_there_without_a_network(hub, repository, offline, volumes):
    open_release(NAME).sample("pristine/scan-1").ct[0]
    hub.log.clear()
    offline()
    release = open_release(NAME, volumes=volumes)
    np.testing.assert_array_equal(release.sample("pix2pix/inj_1").ct[...], tiny_release.tampered("pix2pix", "inj_1"))
    with pytest.raises(
        HubUnavailableError,
        match=r"org/m3dsynth: volumes/scan-2.zarr/zarr.json is not in the cache .* HF_HUB_OFFLINE is set",
    ):
        release.sample("pix2pix/rem_1").ct[0]
    assert hub.log == []


def test_what_was_never_opened_is_an_error_without_a_network(hub, repository, offline):
    offline()
    with pytest.raises(HubUnavailableError, match=r"manifest.json is not in the cache .* nor is there a folder /"):
        open_release(NAME)


def test_rows_that_were_not_all_downloaded_are_an_error_without_a_network(repository, offline):
    Snapshot.find(NAME).fetch(ROWS)
    offline()
    with pytest.raises(HubUnavailableError, match=r"data/identity-.* is not in the cache"):
        open_release(NAME)


@pytest.mark.parametrize("volumes", WAYS)
def test_a_hub_that_is_down_is_an_error_that_says_so(hub, repository, volumes):
    release = open_release(NAME, volumes=volumes)
    hub.is_down = True
    with pytest.raises(HubUnavailableError, match=rf"{METADATA} is not in the cache .*503"):
        release.sample("pristine/scan-1").ct[0]
    hub.is_down = False
    release.sample("pristine/scan-1").ct[0]


# In other processes.


def total(sample):
    return int(sample.ct[...].sum(dtype=np.int64))


@pytest.mark.parametrize(("volumes", "method"), [("download", "fork"), ("range", "fork"), ("range", "spawn")])
def test_samples_are_read_in_other_processes(repository, volumes, method):
    release = open_release(NAME, volumes=volumes)
    samples = [release.sample(sample_id) for sample_id in ("pix2pix/inj_1", "pix2pix/rem_1")]
    samples[0].ct[0]
    expected = [int(tiny_release.tampered("pix2pix", site).sum(dtype=np.int64)) for site in ("inj_1", "rem_1")]
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(total, samples * 2) == expected * 2


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize(("volumes", "method"), [("range", "fork"), ("download", "spawn")])
def test_crops_come_to_a_loader_with_workers(repository, release_path, volumes, method):
    options = {"config": "all", "split": "train", "shape": (4, 8, 8), "seed": 0}
    here, there = (
        release.crops(**options) for release in (open_release(release_path), open_release(NAME, volumes=volumes))
    )
    there[0]
    loader = DataLoader(there, batch_size=2, num_workers=2, multiprocessing_context=method)
    found = [crop for batch in loader for crop in batch["ct"].numpy()]
    np.testing.assert_array_equal(found, [here[index]["ct"] for index in range(len(here))])


@pytest.mark.parametrize("volumes", WAYS)
def test_a_pickled_release_holds_no_voxels(repository, volumes):
    release = open_release(NAME, volumes=volumes)
    sample = release.sample("pristine/scan-1")
    before = len(pickle.dumps(sample))
    sample.ct[...]
    assert len(pickle.dumps(sample)) < before + 2000
    again = pickle.loads(pickle.dumps(release)).sample("pristine/scan-1")
    np.testing.assert_array_equal(again.ct[4], tiny_release.scan("scan-1")[4])


# With `datasets` alone.


CONFIGS = ["all", "pristine", "pix2pix-injection", "pix2pix-removal", "identity-injection", "identity-removal"]


def test_datasets_knows_the_configs(repository):
    assert get_dataset_config_names(NAME) == CONFIGS


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("config", [None, "pix2pix-injection", "identity-removal"])
def test_datasets_loads_the_rows(hub, repository, release_path, config, streaming):
    here = load_dataset(str(release_path), config)
    there = load_dataset(NAME, config, streaming=streaming)
    assert {split: list(rows) for split, rows in there.items()} == {split: list(rows) for split, rows in here.items()}
    assert there["test" if "test" in there else "train"].features == FEATURES
    assert hub.log.asked("volumes/") == []


def test_datasets_loads_a_revision(repository, files):
    repository.refs["v1"] = repository.head.id
    repository.commit({ROWS: files["data/pristine/train-00000-of-00001.parquet"]})
    for revision, expected in (("v1", "pix2pix/inj_1"), (None, "pristine/scan-1")):
        rows = load_dataset(NAME, "pix2pix-injection", split="train", revision=revision)
        assert rows["sample_id"][:] == [expected]


def test_rows_of_datasets_name_samples_of_the_release(repository):
    row = load_dataset(NAME, "pix2pix-injection", split="train", streaming=True).take(1)
    sample = open_release(NAME).sample(next(iter(row)))
    np.testing.assert_array_equal(sample.ct[5], tiny_release.tampered("pix2pix", "inj_1")[5])
