import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr

from generation.cubes import SCHEMA, CubeStore
from generation.errors import GenerationError


def row(kind, index, manipulation):
    place = {"kind": kind, "index": index, "cube_id": f"{kind}{index}", "manipulation": manipulation}
    return place | {"scan_id": "1.2", "patient_id": "P", "tissue": "nodule", "seed": index}


def cubes(count, side):
    return np.stack([np.full((side, side, side), 10 * index - 5, dtype=np.int16) for index in range(count)])


def written(path, manipulations=("removal", "injection") * 10):
    # From the last to the first: the order of a table's rows must not matter.
    rows = [row("site", index, name) for index, name in reversed(list(enumerate(manipulations)))]
    table = pa.Table.from_pylist([*rows, row("training", 0, "removal")], schema=SCHEMA)
    return CubeStore.write(path, cubes(len(manipulations), 32), cubes(1, 40), table, source="phantom")


def test_sites_come_back_in_the_order_of_their_index(tmp_path):
    found, table = written(tmp_path / "cubes.zarr").sites("injection")
    assert table["index"].to_pylist() == list(range(1, 20, 2))
    assert found[:, 3, 4, 5].tolist() == [10 * index - 5 for index in range(1, 20, 2)]


def test_training_cubes_are_apart_from_sites(tmp_path):
    store = written(tmp_path / "cubes.zarr")
    assert store.training("removal")[0].shape == (1, 40, 40, 40)
    assert store.training("injection")[0].shape == (0, 40, 40, 40)


def test_a_store_is_plain_zarr_with_its_source(tmp_path):
    written(tmp_path / "cubes.zarr")
    group = zarr.open_group(tmp_path / "cubes.zarr", mode="r")
    assert dict(group.attrs) == {"format_version": 1, "source": "phantom"}
    assert group["sites"].dtype == np.int16


def test_writing_again_replaces_the_store(tmp_path):
    written(tmp_path / "cubes.zarr")
    assert len(written(tmp_path / "cubes.zarr", ("removal",)).sites("removal")[0]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["cubes.zarr"]


def test_a_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(GenerationError, match="is no store of cubes and will not be replaced"):
        written(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_rows_must_name_each_cube_once(tmp_path):
    table = pa.Table.from_pylist([row("site", 0, "removal"), row("site", 0, "removal")], schema=SCHEMA)
    with pytest.raises(GenerationError, match="name each of the 2 cubes once, got 2 rows with 1 different"):
        CubeStore.write(tmp_path / "c", cubes(2, 32), np.empty((0, 40, 40, 40), np.int16), table)


def test_an_unknown_manipulation_is_refused(tmp_path):
    with pytest.raises(GenerationError, match="manipulation must be one of injection, removal, got swap"):
        written(tmp_path / "c", ("swap",))
    with pytest.raises(GenerationError, match="injection or removal, got 'swap'"):
        written(tmp_path / "c").sites("swap")


def test_a_missing_store_says_how_to_make_one(tmp_path):
    with pytest.raises(GenerationError, match="no store of cubes there; make one with"):
        CubeStore.open(tmp_path / "none")
    with pytest.raises(GenerationError, match=r"it lacks zarr\.json or table\.parquet"):
        CubeStore.open(tmp_path)


def test_another_format_version_is_refused(tmp_path):
    written(tmp_path / "c")
    zarr.open_group(tmp_path / "c", mode="r+").attrs["format_version"] = 2
    with pytest.raises(GenerationError, match="format_version must be 1, got 2"):
        CubeStore.open(tmp_path / "c")


def test_a_table_that_contradicts_the_arrays_is_refused(tmp_path):
    store = written(tmp_path / "c")
    pq.write_table(store.table.slice(1), tmp_path / "c" / "table.parquet")
    with pytest.raises(GenerationError, match=r"'sites' must be int16 \(19, 32, 32, 32\)"):
        CubeStore.open(tmp_path / "c")


def test_a_table_without_a_column_is_refused(tmp_path):
    store = written(tmp_path / "c")
    pq.write_table(store.table.drop_columns(["seed"]), tmp_path / "c" / "table.parquet")
    with pytest.raises(GenerationError, match="lacks seed"):
        CubeStore.open(tmp_path / "c")
