import asyncio
import gc
import pickle
import shutil

import dask
import dask.array as da
import numpy as np
import pytest
import tiny_release
import xarray as xr
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype

from benchmarks.simulated_release import simulate
from m3dsynth_dataset import DamagedReleaseError, open_release
from m3dsynth_dataset.schema import CHUNK
from m3dsynth_dataset.store import ReleaseStore

SAMPLES = {"pristine/scan-1", "pristine/scan-2"} | {f"{generator}/{site}" for generator, site in tiny_release.EDITS}


@pytest.fixture
def store(release_path):
    return open_release(release_path).store()


@pytest.fixture
def root(store):
    return zarr.open_group(store, mode="r")


def get(store, key, byte_range=None):
    buffer = asyncio.run(store.get(key, default_buffer_prototype(), byte_range))
    return None if buffer is None else buffer.to_bytes()


def keys(iterator):
    async def collect():
        return [key async for key in iterator]

    return asyncio.run(collect())


def test_every_sample_is_a_group_with_the_scan_as_it_is_after_the_edit_and_the_mask(root):
    for generator, site in tiny_release.EDITS:
        assert (root[f"{generator}/{site}/ct"][...] == tiny_release.tampered(generator, site)).all()
        mask = np.zeros(tiny_release.SHAPE, bool)
        edit = tiny_release.edit_of(generator, site)
        mask[edit.box.slices()] = edit.mask
        assert (root[f"{generator}/{site}"]["mask"][...] == mask).all()
    assert (root["pristine/scan-2/ct"][...] == tiny_release.scan("scan-2")).all()
    assert not root["pristine"]["scan-2"]["mask"][...].any()


def test_the_call_of_the_readme_works_without_a_mode(store):
    voxels = zarr.open_group(store)["pix2pix/inj_1/ct"][3:6, 20:30, 30:40]

    assert (voxels == tiny_release.tampered("pix2pix", "inj_1")[3:6, 20:30, 30:40]).all()


def test_groups_and_members_are_listed(root):
    groups = {f"{name}/{sample}" for name, group in root.groups() for sample in group.group_keys()}

    assert groups == SAMPLES
    assert dict(root["pix2pix"].members(max_depth=None)).keys() == {
        "inj_1", "inj_1/ct", "inj_1/mask", "rem_1", "rem_1/ct", "rem_1/mask",
    }  # fmt: skip
    assert "inj_1" in str(root.tree())


def test_attributes_say_what_a_sample_is_and_where_it_lies(root):
    attributes = root["pix2pix/rem_1"].attrs

    assert attributes["label"] == "tampered"
    assert attributes["manipulation"] == "removal"
    assert attributes["generator"] == "pix2pix"
    assert attributes["split"] == "test"
    assert attributes["patient_id"] == "PHANTOM-0002"
    assert attributes["spacing_mm"] == list(tiny_release.GEOMETRY.spacing_mm)
    assert attributes["direction"] == list(tiny_release.GEOMETRY.direction)
    assert root["pristine/scan-1"].attrs["label"] == "pristine"


def test_the_root_carries_the_release_digest(root, release_path):
    assert root.attrs["m3dsynth_digest"] == open_release(release_path).manifest.digest


def test_metadata_read_node_by_node_is_the_consolidated_one(store, root):
    plain = zarr.open_group(store, mode="r", use_consolidated=False)
    assert root.metadata.consolidated_metadata is not None

    for path in ("pix2pix/inj_1/ct", "pix2pix/inj_1/mask"):
        assert plain[path].metadata == root[path].metadata == zarr.open_array(store, path=path, mode="r").metadata
    assert plain["pix2pix/inj_1"].attrs.asdict() == root["pix2pix/inj_1"].attrs.asdict()
    assert set(plain.group_keys()) == set(root.group_keys())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_slice_is_that_of_the_sample(store, root, data):
    sample_id = data.draw(st.sampled_from(sorted(SAMPLES)))
    selection = tuple(data.draw(st.slices(length).filter(lambda each: (each.step or 1) > 0)) for length in
                      tiny_release.SHAPE)  # fmt: skip
    sample = store.release.sample(sample_id)

    assert np.array_equal(root[f"{sample_id}/ct"][selection], sample.ct[selection])
    assert np.array_equal(root[f"{sample_id}/mask"][selection], sample.mask[selection])


def test_dask_reads_it_in_threads_and_in_processes(store):
    array = da.from_zarr(zarr.open_array(store, path="pix2pix/inj_1/ct", mode="r"))
    expected = tiny_release.tampered("pix2pix", "inj_1")

    assert array.chunksize[0] == CHUNK[0]
    with dask.config.set(scheduler="threads"):
        assert (array.compute() == expected).all()
    with dask.config.set(scheduler="processes", num_workers=1):
        assert int(array.sum().compute()) == int(expected.sum())


def test_xarray_opens_a_sample_with_its_axes(store):
    sample = xr.open_zarr(store, group="pix2pix/inj_1", chunks=None)

    assert sample["ct"].dims == sample["mask"].dims == ("z", "y", "x")
    assert (sample["ct"].isel(z=4).values == tiny_release.tampered("pix2pix", "inj_1")[4]).all()
    assert sample.attrs["generator"] == "pix2pix"


def test_it_travels_as_the_release_and_not_as_its_rows(store, root):
    assert root["pix2pix/inj_1/ct"][0, 0, 0] is not None  # rows have been read by now
    data = pickle.dumps(store)

    assert len(data) < 20_000
    copy = pickle.loads(data)
    assert copy == store
    assert hash(copy) == hash(store)
    assert (zarr.open_array(copy, path="pix2pix/inj_1/ct", mode="r")[5] == root["pix2pix/inj_1/ct"][5]).all()


def test_stores_of_other_releases_differ(store, release_path, tmp_path):
    shutil.copytree(release_path, tmp_path / "copy")

    assert store == open_release(release_path).store()
    assert store != open_release(tmp_path / "copy").store()
    assert store != zarr.storage.MemoryStore()


def test_part_of_a_value_is_that_part_of_it(store):
    key = "pix2pix/inj_1/ct/c/0/0/0"
    whole = get(store, key)

    assert len(whole) == 2 * np.prod(CHUNK)
    assert get(store, key, RangeByteRequest(10, 30)) == whole[10:30]
    assert get(store, key, OffsetByteRequest(100)) == whole[100:]
    assert get(store, key, SuffixByteRequest(12)) == whole[-12:]
    assert get(store, key, SuffixByteRequest(10**9)) == whole

    async def partial():
        prototype = default_buffer_prototype()
        return await store.get_partial_values(prototype, [(key, RangeByteRequest(0, 2)), ("nothing", None)])

    first, nothing = asyncio.run(partial())
    assert first.to_bytes() == whole[:2]
    assert nothing is None


@pytest.mark.parametrize(
    "key",
    [
        "nothing/zarr.json", "pix2pix/inj_9/ct/c/0/0/0", "pix2pix/inj_1/ct/c/2/0/0", "pix2pix/inj_1/ct/c/0/0",
        "pix2pix/inj_1/ct/c/0/0/-1", "pix2pix/inj_1/bone/zarr.json", "pix2pix/inj_1/bone/c/0/0/0", ".zgroup", "",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_there(store, key):
    assert get(store, key) is None
    assert not asyncio.run(store.exists(key))


def test_keys_that_are_listed_are_those_that_exist(store):
    listed = keys(store.list())

    assert len(listed) == len(set(listed))
    assert all(asyncio.run(store.exists(key)) for key in listed)
    # Two chunks along each axis; of the mask those that hold any of it.
    assert {key for key in listed if key.startswith("pix2pix/inj_1/ct/c/")} == {
        f"pix2pix/inj_1/ct/c/{z}/{y}/{x}" for z in (0, 1) for y in (0, 1) for x in (0, 1)
    }
    assert [key for key in listed if key.startswith("pix2pix/inj_1/mask/c/")] == ["pix2pix/inj_1/mask/c/0/0/0"]
    assert not [key for key in listed if key.startswith("pristine/scan-1/mask/c/")]


def test_listing_a_folder_gives_the_names_in_it(store):
    assert set(keys(store.list_dir(""))) == {"zarr.json", "identity", "pix2pix", "pristine"}
    assert set(keys(store.list_dir("pix2pix/inj_1/"))) == {"zarr.json", "ct", "mask"}
    assert set(keys(store.list_dir("pix2pix/inj_1/ct"))) == {"zarr.json", "c"}
    assert set(keys(store.list_dir("pix2pix/inj_1/ct/c"))) == {"0", "1"}
    assert keys(store.list_dir("nothing")) == []
    assert set(keys(store.list_prefix("pix2pix/inj_1/mask"))) == {
        "pix2pix/inj_1/mask/zarr.json", "pix2pix/inj_1/mask/c/0/0/0",
    }  # fmt: skip


def test_writing_is_refused(store, root):
    buffer = default_buffer_prototype().buffer.from_bytes(b"0")
    with pytest.raises(ValueError, match="read-only"):
        root["pix2pix/inj_1/ct"][0, 0, 0] = 1
    with pytest.raises(ValueError, match=r"read-only: zarr\.json"):
        asyncio.run(store.set("zarr.json", buffer))
    with pytest.raises(ValueError, match="read-only"):
        asyncio.run(store.delete("zarr.json"))
    with pytest.raises(ValueError, match="read-only"):
        zarr.open_group(store)["pix2pix/inj_1/ct"][0, 0, 0] = 1
    assert not store.supports_writes
    assert not store.supports_deletes
    assert store.with_read_only(True).read_only


def test_a_damaged_volume_is_an_error_and_never_a_wrong_voxel(release_path, tmp_path):
    shutil.copytree(release_path, tmp_path / "release")
    shard = tmp_path / "release" / "volumes" / "scan-1.zarr" / "c" / "0" / "0" / "0"
    data = bytearray(shard.read_bytes())
    data[100] ^= 1
    shard.write_bytes(data)
    root = zarr.open_group(open_release(tmp_path / "release").store(), mode="r")

    with pytest.raises(DamagedReleaseError, match="checksum"):
        root["pix2pix/inj_1/ct"][...]


def test_a_full_release_opens_and_lists_without_a_volume(release_path, tmp_path):
    release = simulate(tmp_path / "full", open_release(release_path))
    shutil.rmtree(tmp_path / "full" / "volumes")

    root = zarr.open_group(open_release(release.path).store(), mode="r")
    assert sum(len(list(group.group_keys())) for name, group in root.groups() if name != "pristine") == 8_577
    assert len(list(root["pristine"].group_keys())) == 744
    assert len(open_release(release.path)._places) == 8_577 + 744


def test_garbage_is_collected_again_after_the_root_was_read(store, monkeypatch):
    monkeypatch.setattr("m3dsynth_dataset.store.COLLECTION_DELAY", 0)

    async def read_root():
        await store.get("zarr.json", default_buffer_prototype())
        await asyncio.sleep(0.01)
        return gc.isenabled()

    assert gc.isenabled()
    assert asyncio.run(read_root())


def test_a_collector_that_the_user_switched_off_stays_off(store, monkeypatch):
    monkeypatch.setattr("m3dsynth_dataset.store.COLLECTION_DELAY", 0)

    async def read_root():
        await store.get("zarr.json", default_buffer_prototype())
        await asyncio.sleep(0.01)
        return gc.isenabled()

    gc.disable()
    try:
        assert not asyncio.run(read_root())
    finally:
        gc.enable()


def test_it_says_what_it_is(store):
    assert repr(store).startswith("ReleaseStore(Release(")
    assert isinstance(store, ReleaseStore)
