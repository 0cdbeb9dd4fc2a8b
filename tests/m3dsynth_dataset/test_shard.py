import gc
import json
import multiprocessing
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numcodecs import blosc

from m3dsynth_dataset import blosc_items, shard
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.lazy import EditedVolume
from m3dsynth_dataset.shard import ShardVolume, open_shard
from m3dsynth_dataset.shard_file import LocalShard
from m3dsynth_dataset.volume import ZarrVolume, open_volume, open_voxels, write_volume

SHAPE = (37, 130, 70)


def scan():
    voxels = np.random.default_rng(0).integers(-1024, 3000, SHAPE, dtype=np.int16)
    voxels[16:32, 64:128, :64] = -1000  # a chunk of air, which is not stored
    return voxels


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("volume") / "v.zarr"
    write_volume(path, scan(), {})
    return path


@pytest.fixture
def damaged(path, tmp_path):
    """A copy to damage: the folder, and its shard."""
    folder = tmp_path / "v.zarr"
    shutil.copytree(path, folder)
    return folder, folder / "c" / "0" / "0" / "0"


def ordered(length):
    return st.tuples(st.integers(0, length), st.integers(0, length)).map(sorted)


spans = st.tuples(*map(ordered, SHAPE))


def box_of(span):
    return Box.between([low for low, _ in span], [high for _, high in span])


@given(spans)
@settings(deadline=None, max_examples=200)
def test_any_box_has_the_voxels_that_zarr_reads(path, span):
    box = box_of(span)
    read = open_shard(path).read(box)
    assert read.dtype == np.int16
    np.testing.assert_array_equal(read, scan()[box.slices()])


def test_zarr_python_reads_the_same_file(path):
    np.testing.assert_array_equal(open_volume(path)[...], scan())


@given(spans)
@settings(deadline=None, max_examples=30)
def test_without_partial_decompression_the_voxels_are_the_same(path, span):
    box = box_of(span)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blosc_items, "_GET_ITEMS", None)
        np.testing.assert_array_equal(open_shard(path).read(box), scan()[box.slices()])


def test_single_slices_are_decompressed_in_part(path, monkeypatch):
    asked = []
    decode = blosc_items.decode_items
    monkeypatch.setattr("m3dsynth_dataset.shard.decode_items", lambda *args: asked.append(args[1:3]) or decode(*args))
    open_shard(path).read(Box((5, 0, 0), (1, 130, 70)))
    assert asked == [(5 * 64 * 64, 64 * 64)] * 6


def test_a_function_that_lies_is_not_used():
    assert not blosc_items._works(lambda data, first, count, place: 2 * count)


def test_an_array_of_another_layout_is_read_through_zarr(tmp_path):
    array = zarr.create_array(str(tmp_path / "plain.zarr"), shape=SHAPE, dtype="int16", chunks=(8, 64, 64))
    array[...] = scan()
    assert open_shard(tmp_path / "plain.zarr") is None
    volume = open_voxels(tmp_path / "plain.zarr")
    assert isinstance(volume, ZarrVolume)
    np.testing.assert_array_equal(EditedVolume(volume, None)[3, 60:70], scan()[3, 60:70])


def test_masks_are_read_too(tmp_path):
    mask = scan() > 0
    write_volume(tmp_path / "m.zarr", mask, {}, fill_value=0)
    np.testing.assert_array_equal(open_shard(tmp_path / "m.zarr").read(Box((0, 0, 0), SHAPE)), mask)


def test_every_flipped_bit_of_the_shard_is_an_error_and_never_a_wrong_voxel(damaged):
    folder, shard = damaged
    sound = shard.read_bytes()
    whole = Box((0, 0, 0), SHAPE)
    for place in np.linspace(0, len(sound) - 1, 60).astype(int):
        flipped = bytearray(sound)
        flipped[place] ^= 1 << (place % 8)
        shard.write_bytes(bytes(flipped))
        with pytest.raises(DamagedReleaseError, match="not what was written"):
            open_shard(folder).read(whole)


@pytest.mark.parametrize("kept", [0, 30, 0.5, -1])
def test_a_shard_that_was_cut_short_is_an_error(damaged, kept):
    folder, shard = damaged
    data = shard.read_bytes()
    shard.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    with pytest.raises(DamagedReleaseError, match=r"cut short|not what was written"):
        open_shard(folder).read(Box((0, 0, 0), SHAPE))


def test_a_missing_shard_is_an_error(damaged):
    folder, shard = damaged
    shard.unlink()
    with pytest.raises(DamagedReleaseError, match="shard cannot be opened"):
        open_shard(folder).read(Box((0, 0, 0), (1, 1, 1)))


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_metadata_that_is_none_is_an_error(damaged, text):
    folder, _ = damaged
    (folder / "zarr.json").write_text(text)
    with pytest.raises(DamagedReleaseError):
        open_voxels(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda meta: meta["codecs"][0]["configuration"].update(index_location="start"),
        lambda meta: meta["codecs"][0]["configuration"]["codecs"].pop(),
        lambda meta: meta["chunk_grid"]["configuration"].update(chunk_shape=[48, 192, 64]),
        lambda meta: meta["codecs"][0]["configuration"]["codecs"][0]["configuration"].update(endian="big"),
    ],
)
def test_only_the_layout_that_it_knows_is_read_directly(damaged, change):
    folder, _ = damaged
    metadata = json.loads((folder / "zarr.json").read_text())
    change(metadata)
    (folder / "zarr.json").write_text(json.dumps(metadata))
    assert open_shard(folder) is None


def total(volume):
    return int(volume.read(Box((0, 0, 0), SHAPE)).sum(dtype=np.int64))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_volume_that_was_read_from_is_read_in_other_processes(path, method):
    volume = open_shard(path)
    expected = total(volume)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(total, [volume] * 4) == [expected] * 4


def test_a_pickled_volume_holds_no_voxels(path):
    volume = open_shard(path)
    volume.read(Box((0, 0, 0), SHAPE))
    data = pickle.dumps(volume)
    assert len(data) < 1000
    assert isinstance(pickle.loads(data), ShardVolume)


def open_files():
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - what is there is no file


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted as Linux does it")
def test_many_volumes_are_read_with_few_open_files(path, monkeypatch):
    monkeypatch.setattr(shard, "_OPENED", shard.RecentlyRead(5))
    before = open_files()
    volumes = [open_shard(path) for _ in range(40)]
    expected = total(volumes[0])
    assert [total(volume) for volume in volumes] == [expected] * 40
    assert open_files() == before + 5
    assert [total(volume) for volume in reversed(volumes)] == [expected] * 40
    del volumes
    gc.collect()
    assert open_files() == before


def test_the_volumes_read_last_stay_open(path):
    opened = shard.RecentlyRead(2)
    first, second, third = (open_shard(path) for _ in range(3))
    closed = []
    for volume in (first, second, third):
        volume.close = lambda volume=volume: closed.append(volume)
    for volume in (first, second, first, third):
        opened.read(volume)
    assert closed == [second]


def test_chunks_are_given_as_they_are_stored(path):
    volume = open_shard(path)
    chunks = [volume.encoded_chunk(place) for place in range(3 * 3 * 2)]
    assert chunks[8] is None  # the chunk of air: 1, 1, 0
    first = np.frombuffer(blosc.decompress(chunks[0]), np.int16).reshape(16, 64, 64)
    np.testing.assert_array_equal(first, scan()[:16, :64, :64])
    stored = (path / "c/0/0/0").read_bytes()
    assert all(chunk in stored for chunk in chunks if chunk is not None)


def test_a_shard_of_another_size_than_the_manifest_says_is_an_error(damaged):
    folder, _ = damaged
    size = (folder / "c/0/0/0").stat().st_size
    assert LocalShard(folder / "c/0/0/0", size).open().size == size
    for expected, fault in ((size - 1, "another file"), (size + 1, "cut short")):
        with pytest.raises(DamagedReleaseError, match=rf"{size} bytes, .* says {expected}; it (is|was) {fault}"):
            LocalShard(folder / "c/0/0/0", expected).open()
