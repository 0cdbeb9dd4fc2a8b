import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tiny_release
import zarr

from m3dsynth_dataset import ReleaseNotFoundError
from m3dsynth_dataset.edit import EncodedEdit
from m3dsynth_dataset.manifest import Manifest, digest_of, record_files
from m3dsynth_dataset.schema import arrow_schema
from m3dsynth_dataset.verification import Finding, verify
from m3dsynth_dataset.volume import write_volume

INJECTION = "data/pix2pix-injection/train-00000-of-00001.parquet"
REMOVAL = "data/pix2pix-removal/test-00000-of-00001.parquet"
PRISTINE = "data/pristine/train-00000-of-00001.parquet"
SHARD = "volumes/scan-1.zarr/c/0/0/0"
METADATA = "volumes/scan-1.zarr/zarr.json"


@pytest.fixture
def copy(release_path, tmp_path):
    return shutil.copytree(release_path, tmp_path / "m3dsynth")


def reseal(release):
    """Write a manifest that knows the files as they are now, so that checksums do not show the damage."""
    files = record_files(release)
    replace(Manifest.read(release), files=files, digest=digest_of(files)).write(release)


def change_manifest(release, change):
    path = release / "manifest.json"
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw, indent=1, sort_keys=True) + "\n")


def change_rows(release, name, change):
    rows = [row | change(row) for row in pq.read_table(release / name).to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=arrow_schema()), release / name)
    reseal(release)


def change_table(release, name, change):
    pq.write_table(change(pq.read_table(release / name)), release / name)
    reseal(release)


def change_json(release, name, change):
    raw = json.loads((release / name).read_text())
    change(raw)
    (release / name).write_text(json.dumps(raw))
    reseal(release)


def flip(path, position, mask=0x10):
    data = bytearray(path.read_bytes())
    data[position] ^= mask
    path.write_bytes(data)


def truncate(path, size):
    path.write_bytes(path.read_bytes()[:size])


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def put(path, data=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def found(release, **options):
    return [(finding.place, finding.rule) for finding in verify(release, **options)]


def assert_names(findings, *expected):
    """Each expected place and part of a rule is among the findings."""
    for place, rule in expected:
        assert any(place == where and rule in what for where, what in findings), (place, rule, findings)


def assert_exactly(findings, *expected):
    """The expected places and parts of rules are all that was found."""
    assert_names(findings, *expected)
    assert len(findings) == len(expected), findings


def edit(generator="pix2pix", site="inj_1", **changes):
    """The columns of an edit that was changed before it was encoded."""
    scan, box = tiny_release.EDITS[generator, site]
    base = tiny_release.scan(scan)[box.slices()]
    return EncodedEdit.encode(replace(tiny_release.edit_of(generator, site), **changes), base).columns()


def edit_outside_its_mask():
    scan, box = tiny_release.EDITS["pix2pix", "inj_1"]
    patch = tiny_release.scan(scan)[box.slices()] + np.int16(1)
    return edit(patch=patch)


# Sound releases.


def test_a_sound_release_has_no_findings(release_path):
    assert list(verify(release_path)) == []
    assert list(verify(release_path, quick=True)) == []


def test_what_the_hub_leaves_in_a_release_is_no_finding(copy):
    put(copy / ".gitattributes")
    put(copy / ".cache/huggingface/download/README.md.metadata")
    put(copy / ".git/HEAD")
    assert found(copy) == []


def test_a_release_that_is_linked_file_by_file_is_sound(release_path, tmp_path):
    linked = tmp_path / "m3dsynth"
    shutil.copytree(release_path, linked, copy_function=lambda source, target: Path(target).symlink_to(source))
    assert found(linked) == []


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_a_place_without_a_release_is_the_users_mistake(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReleaseNotFoundError, match="no release there"):
        verify(tmp_path / name)


def test_a_finding_is_one_line(copy):
    finding = Finding("a", "b is c", "d\nwith more", "do e")
    assert str(finding) == "a: b is c; found d with more; do e"


def test_a_finding_can_be_printed_whatever_the_file_is_called():
    assert str(Finding("a\udcff\x1b[2J", "b", "c", "d")) == r"a\udcff\x1b[2J: b; found c; d"


# Files.


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize(
    ("damage", "place", "rule"),
    [
        pytest.param(lambda r: remove(r / SHARD), SHARD, "is there", id="missing shard"),
        pytest.param(lambda r: truncate(r / SHARD, 5000), SHARD, "size is", id="truncated shard"),
        pytest.param(lambda r: truncate(r / SHARD, 0), SHARD, "size is", id="empty shard"),
        pytest.param(lambda r: remove(r / PRISTINE), PRISTINE, "is there", id="missing rows"),
        pytest.param(lambda r: remove(r / "LICENSE"), "LICENSE", "is there", id="missing licence"),
        pytest.param(lambda r: remove(r / "volumes"), METADATA, "is there", id="half copied, no volumes"),
        pytest.param(lambda r: remove(r / "data"), INJECTION, "is there", id="half copied, no rows"),
        pytest.param(lambda r: put(r / "notes.txt"), "notes.txt", "manifest lists it", id="foreign file"),
        pytest.param(lambda r: put(r / "data/.x.tmp/x"), "data/.x.tmp/x", "manifest lists it", id="hidden leftover"),
        pytest.param(lambda r: put(r / "data/manifest.json"), "data/manifest.json", "lists it", id="second manifest"),
        pytest.param(lambda r: (r / "data/dm-removal").mkdir(), "data/dm-removal/", "lists it", id="empty folder"),
        pytest.param(lambda r: (r / "gone").symlink_to("nothing"), "gone", "lists it", id="link to nothing"),
        pytest.param(lambda r: remove(r / "manifest.json"), "manifest.json", "is the manifest", id="no manifest"),
        pytest.param(lambda r: put(r / "manifest.json"), "manifest.json", "is the manifest", id="no JSON"),
        pytest.param(lambda r: put(r / "manifest.json", b"\xff\xfe"), "manifest.json", "is the man", id="no text"),
        pytest.param(lambda r: put(r / "manifest.json", b"[]"), "manifest.json", "is the man", id="another JSON"),
        pytest.param(lambda r: put(r / "manifest.json", b"[" * 10**5), "manifest.json", "is the man", id="deep JSON"),
        pytest.param(
            lambda r: change_manifest(r, lambda raw: raw.update(digest="0" * 64)),
            *("manifest.json", "digest is that of the files"),
            id="another digest",
        ),
        pytest.param(
            lambda r: change_manifest(r, lambda raw: raw.update(format_version="2.0")),
            *("manifest.json", "format_version is one"),
            id="foreign format",
        ),
        pytest.param(
            lambda r: change_manifest(r, lambda raw: raw["files"].update({"../x": raw["files"]["LICENSE"]})),
            *("manifest.json", "by their path in the release"),
            id="file outside",
        ),
        pytest.param(
            lambda r: change_manifest(r, lambda raw: raw["files"].update({"a\udcffb": raw["files"]["LICENSE"]})),
            *("manifest.json", "by their path in the release"),
            id="name that is no text",
        ),
        pytest.param(
            lambda r: change_manifest(r, lambda raw: raw["files"]["LICENSE"].update(sha256="\udcff")),
            *("manifest.json", "has size and sha256 of LICENSE"),
            id="checksum that is none",
        ),
        pytest.param(
            lambda r: change_manifest(r, lambda raw: raw["files"].update(LICENSE={"size": "1"})),
            *("manifest.json", "has size and sha256 of LICENSE"),
            id="no checksum",
        ),
        pytest.param(
            lambda r: change_manifest(r, lambda raw: raw.update(built=7)),
            *("manifest.json", "how the release was built"),
            id="no account",
        ),
    ],
)
def test_damage_to_names_and_sizes_is_found_even_by_a_quick_look(copy, damage, place, rule, quick):
    damage(copy)
    assert_names(found(copy, quick=quick), (place, rule))


@pytest.mark.parametrize("name", [SHARD, METADATA, INJECTION, "README.md", "ATTRIBUTION.md"])
def test_a_flipped_bit_is_found_by_reading(copy, name):
    flip(copy / name, 40)
    assert found(copy, quick=True) == []
    assert_names(found(copy), (name, "sha256 is"))


def test_a_foreign_format_is_looked_at_no_further_than_its_files(copy):
    change_manifest(copy, lambda raw: raw.update(format_version="2.0"))
    put(copy / SHARD)
    assert_exactly(found(copy), ("manifest.json", "format_version"), (SHARD, "size is"))


def test_a_manifest_in_another_layout_is_found(copy):
    path = copy / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert_exactly(found(copy), ("manifest.json", "as it was written"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scans", 3),
        ("patients", [1]),
        ("source", "LIDC-IDRI"),
        ("weights_sha256", {"pix2pix-injection": "f" * 64}),
        ("weights_sha256", {"pix2pix-injection": ["f"]}),
    ],
)
def test_an_account_of_the_build_that_the_rows_deny_is_found(copy, name, value):
    change_manifest(copy, lambda raw: raw["built"].update({name: value}))
    assert_exactly(found(copy), ("manifest.json", f"built.{name}"))


def test_without_a_manifest_rows_and_volumes_are_checked_still(copy):
    remove(copy / "manifest.json")
    truncate(copy / SHARD, 5000)
    put(copy / REMOVAL)
    assert_names(
        found(copy), ("manifest.json", "is the manifest"), (SHARD, "is the shard"), (REMOVAL, "is a Parquet file")
    )


def test_without_a_manifest_every_chunk_is_read(copy):
    remove(copy / "manifest.json")
    flip(copy / SHARD, -5000)
    assert_names(found(copy), ("manifest.json", "is the manifest"), (SHARD, "is the shard"))


def test_every_damage_is_found_not_the_first_alone(copy):
    remove(copy / "LICENSE")
    put(copy / INJECTION)
    truncate(copy / SHARD, 5000)
    flip(copy / "volumes/scan-2.zarr/c/0/0/0", 100)
    put(copy / ".left")
    places = {place for place, _ in found(copy)}
    assert {"LICENSE", INJECTION, SHARD, "volumes/scan-2.zarr/c/0/0/0", ".left"} <= places


def test_findings_do_not_depend_on_the_workers(copy):
    change_rows(copy, INJECTION, lambda row: {"base_sha256": "0" * 64, "label": 0})
    remove(copy / SHARD)
    assert len({tuple(verify(copy, workers=workers)) for workers in (1, 2, 7)}) == 1


# Rows.


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("label", 2, "label is tampered"),
        ("label", 9, "label is tampered"),
        ("manipulation", 2, "manipulation is injection"),
        ("generator", "dm", "generator is 'pix2pix'"),
        ("site_id", "inj_2", "sample_id is 'pix2pix/inj_2'"),
        ("volume", "volumes/scan-2.zarr", "volume is 'volumes/scan-1.zarr'"),
        ("spacing_mm", [2.5, 0.0, 0.7], "spacing_mm is > 0 mm"),
        ("spacing_mm", [2.5, float("nan"), 0.7], "spacing_mm is > 0 mm"),
        ("spacing_mm", [2.5, float("inf"), 0.7], "spacing_mm is > 0 mm"),
        ("origin_mm", [0.0, 0.0, float("inf")], "origin_mm is of finite numbers"),
        ("seed", None, "the row has a seed"),
        ("patch", None, "the row has a patch"),
        ("mask", None, "the row has a mask"),
        ("base_sha256", None, "the row has a base_sha256"),
        ("box_shape_zyx", None, "the row has a box_shape_zyx"),
        ("box_start_zyx", [3, None, 30], "the row has a box_start_zyx"),
        ("box_start_zyx", [14, 20, 30], "lies in the scan"),
        ("box_start_zyx", [-1, 20, 30], "lies in the scan"),
        ("box_shape_zyx", [0, 21, 23], "box holds voxels"),
        ("box_start_zyx", [4, 20, 30], "the edit was made on the voxels of volumes/scan-1.zarr"),
        ("base_sha256", "0" * 64, "the edit was made on the voxels of volumes/scan-1.zarr"),
        ("patch_encoding", "zip", "patch_encoding is one"),
        ("patch", b"", "the patch decodes"),
        ("patch", b"\x02\x01\x21\x02" + bytes(40), "the patch decodes"),
        ("mask", b"no blosc, but more than a header of it", "the mask decodes"),
        ("mask", edit()["mask"][:-3], "the mask decodes"),
        ("mask", edit("pix2pix", "rem_1")["mask"], "the mask decodes to the box's 423 bytes"),
        ("patch", edit("pix2pix", "rem_1")["patch"], "the patch decodes to the box's 6762 bytes"),
        ("mask", edit(mask=np.zeros((7, 21, 23), bool))["mask"], "no voxel outside the mask changes"),
    ],
)
def test_a_wrong_value_is_found_in_its_sample(copy, column, value, rule):
    change_rows(copy, INJECTION, lambda row: {column: value})
    assert_names(found(copy), ("pix2pix/inj_1", rule))
    assert {place for place, _ in found(copy)} == {"pix2pix/inj_1"}


@pytest.mark.parametrize("column", ["patch", "mask"])
def test_the_decoder_sees_no_bytes_that_were_cut_short(copy, column, monkeypatch):
    """It trusts their header, and would read on behind them."""
    change_rows(copy, INJECTION, lambda row: {column: row[column][:-3]})
    monkeypatch.setattr(EncodedEdit, "decode_mask", None)
    monkeypatch.setattr(EncodedEdit, "decode", None)
    findings = [finding for finding in verify(copy) if finding.place == "pix2pix/inj_1"]
    assert [finding.rule for finding in findings] == [f"the {column} decodes"]
    assert findings[0].found.endswith("bytes that are not what blosc wrote")


def test_an_empty_mask_is_found(copy):
    mask = np.zeros((7, 21, 23), bool)
    change_rows(copy, INJECTION, lambda row: edit(mask=mask, patch=tiny_release.scan("scan-1")[3:10, 20:41, 30:53]))
    assert_exactly(found(copy), ("pix2pix/inj_1", "the mask has voxels"))


def test_a_change_outside_the_mask_is_found(copy):
    change_rows(copy, INJECTION, lambda row: edit_outside_its_mask())
    (finding,) = verify(copy)
    assert finding.place == "pix2pix/inj_1"
    assert finding.rule == "no voxel outside the mask changes"
    assert finding.found == "8 that do"


def test_a_patch_of_damaged_bytes_is_found(copy):
    patch = bytearray(edit()["patch"])
    patch[20:60] = bytes(40)
    change_rows(copy, INJECTION, lambda row: {"patch": bytes(patch)})
    assert_exactly(found(copy), ("pix2pix/inj_1", "the patch decodes"))


@pytest.mark.parametrize("name", sorted(edit()))
def test_a_pristine_row_with_an_edit_is_found(copy, name):
    change_rows(copy, PRISTINE, lambda row: {name: edit()[name]})
    assert_exactly(found(copy), ("pristine/scan-1", f"a pristine row has no {name}"))


@pytest.mark.parametrize(("column", "value"), [("label", 1), ("manipulation", 1), ("generator", "dm")])
def test_a_pristine_row_that_says_it_is_not_is_found(copy, column, value):
    change_rows(copy, PRISTINE, lambda row: {column: value})
    assert_exactly(found(copy), ("pristine/scan-1", f"{column} is "))


def test_a_control_that_is_labelled_tampered_is_found(copy):
    change_rows(copy, INJECTION.replace("pix2pix", "identity"), lambda row: {"label": 1})
    assert_exactly(found(copy), ("identity/inj_1", "label is control"))


def test_two_samples_of_one_id_are_found(copy):
    change_table(copy, INJECTION, lambda table: pa.concat_tables([table, table]))
    assert_exactly(found(copy), ("pix2pix/inj_1", "its id is no other's"))


def test_a_patient_in_two_splits_is_found(copy):
    change_rows(copy, REMOVAL, lambda row: {"patient_id": "PHANTOM-0001"})
    (finding,) = verify(copy)
    assert (finding.place, finding.rule) == ("pix2pix/rem_1", "patient PHANTOM-0001 is in one split")
    assert "train" in finding.found
    assert "test" in finding.found


def test_a_tampered_scan_without_its_pristine_row_is_found(copy):
    change_table(copy, PRISTINE, lambda table: table.slice(0, 0))
    rule = "its scan scan-1 has a pristine row"
    assert_exactly(found(copy), ("pix2pix/inj_1", rule), ("identity/inj_1", rule))


def test_missing_pristine_rows_are_one_finding_and_not_one_for_each_sample(copy):
    remove(copy / PRISTINE)
    assert_exactly(found(copy), (PRISTINE, "the file is there"))


def test_samples_beyond_the_first_row_group_are_checked(copy):
    rows = pq.read_table(copy / PRISTINE).to_pylist() * 3
    table = pa.Table.from_pylist([*rows[:2], rows[2] | {"label": 2}], schema=arrow_schema())
    pq.write_table(table, copy / PRISTINE, row_group_size=1)
    reseal(copy)
    assert_exactly(found(copy), ("pristine/scan-1", "label is pristine"), ("pristine/scan-1", "no other's"))


# Parquet files.


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda table: table.drop_columns(["seed"]), "has the column seed"),
        (lambda table: table.drop_columns(["patch", "mask"]), "has the column mask"),
        (lambda table: table.append_column("extra", table["seed"]), "has the columns of the schema only"),
        (lambda table: table.append_column("seed", table["seed"]), "has the column seed"),
        (
            lambda table: table.set_column(table.schema.get_field_index("seed"), "seed", table["seed"].cast("string")),
            "column seed is of type int64",
        ),
        (lambda table: table.replace_schema_metadata(None), "tells datasets that the classes of label"),
    ],
)
def test_other_columns_are_found(copy, change, rule):
    change_table(copy, INJECTION, change)
    assert_names(found(copy), (INJECTION, rule))
    assert {place for place, _ in found(copy)} == {INJECTION}


def test_columns_of_a_newer_minor_version_are_no_finding(copy):
    change_table(copy, INJECTION, lambda table: table.append_column("extra", table["seed"]))
    for name in ("scan-1", "scan-2"):
        path = f"volumes/{name}.zarr/zarr.json"
        change_json(copy, path, lambda raw: raw["attributes"].update(format_version="1.99"))
    change_manifest(copy, lambda raw: raw.update(format_version="1.99"))
    assert found(copy) == []


@pytest.mark.parametrize("name", ["data/dm/train-00000-of-00001.parquet", INJECTION.replace("train", "trial")])
def test_rows_of_a_config_or_split_that_cannot_be_are_found(copy, name):
    put(copy / name, (copy / INJECTION).read_bytes())
    remove((copy / INJECTION).parent if "trial" not in name else copy / INJECTION)
    reseal(copy)
    assert_exactly(found(copy), (name, "of a config and split that may be"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: put(path, b""),
        lambda path: put(path, b"PAR1"),
        lambda path: truncate(path, 2000),
        lambda path: put(path, path.read_bytes()[:-200] + b"\xff" * 196 + b"PAR1"),
        lambda path: put(path, path.read_bytes()[:-300] + bytes(290) + path.read_bytes()[-10:]),
    ],
)
def test_a_parquet_file_that_is_none_is_named(copy, damage):
    damage(copy / INJECTION)
    reseal(copy)
    assert_exactly(found(copy), (INJECTION, "is a Parquet file"))


def test_a_page_that_cannot_be_read_is_named(copy):
    column = pq.ParquetFile(copy / INJECTION).metadata.row_group(0).column(0)
    data = bytearray((copy / INJECTION).read_bytes())
    data[column.dictionary_page_offset or column.data_page_offset : column.data_page_offset + 20] = b"\xff" * 20
    data = data[: (copy / INJECTION).stat().st_size]
    (copy / INJECTION).write_bytes(data)
    reseal(copy)
    assert_exactly(found(copy), (INJECTION, "row group 0 can be read"))


# Volumes.


def rewrite(release, voxels, **options):
    shutil.rmtree(release / "volumes/scan-1.zarr")
    write_volume(release / "volumes/scan-1.zarr", voxels, {"scan_id": "scan-1"}, **options)
    reseal(release)


def write_plain(release):
    shutil.rmtree(release / "volumes/scan-1.zarr")
    array = zarr.create_array(
        str(release / "volumes/scan-1.zarr"), shape=tiny_release.SHAPE, dtype="int16", chunks=(8, 64, 64)
    )
    array[...] = tiny_release.scan("scan-1")
    reseal(release)


def inner(raw):
    return raw["codecs"][0]["configuration"]


@pytest.mark.parametrize(
    ("damage", "place", "rule"),
    [
        pytest.param(lambda r: put(r / METADATA), METADATA, "is the metadata of a volume", id="no JSON"),
        pytest.param(lambda r: put(r / METADATA, b"[]"), METADATA, "is the metadata of a volume", id="another JSON"),
        pytest.param(lambda r: remove(r / METADATA), METADATA, "is the metadata of a volume", id="no metadata"),
        pytest.param(lambda r: truncate(r / SHARD, 5000), SHARD, "is the shard of a volume", id="truncated"),
        pytest.param(lambda r: truncate(r / SHARD, 3), SHARD, "is the shard of a volume", id="next to nothing"),
        pytest.param(lambda r: flip(r / SHARD, -30), SHARD, "is the shard of a volume", id="index damaged"),
        pytest.param(lambda r: remove(r / SHARD), SHARD, "is the shard of a volume", id="no shard"),
        pytest.param(lambda r: flip(r / SHARD, 5000), "pix2pix/inj_1", "its box can be read", id="chunk damaged"),
    ],
)
def test_a_damaged_volume_is_named_though_the_manifest_knows_its_bytes(copy, damage, place, rule):
    damage(copy)
    reseal(copy)
    assert_names(found(copy), (place, rule))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda raw: inner(raw)["codecs"][1]["configuration"].update(blocksize=0), "compression is"),
        (lambda raw: inner(raw)["codecs"][1]["configuration"].update(cname="lz4"), "compression is"),
        (lambda raw: raw["attributes"].update(format_version="1.0"), "format_version is 1.1"),
        (lambda raw: raw["attributes"].clear(), "format_version is 1.1"),
    ],
)
def test_a_volume_that_is_stored_otherwise_is_found(copy, change, rule):
    change_json(copy, METADATA, change)
    assert_exactly(found(copy), (METADATA, rule))


def test_a_volume_of_another_type_is_found(copy):
    rewrite(copy, tiny_release.scan("scan-1") > 0)
    assert_names(found(copy), (METADATA, "data_type is int16"))


def test_a_volume_without_a_shard_is_found(copy):
    write_plain(copy)
    assert_names(found(copy), (METADATA, "is the metadata of a volume"))


def test_a_volume_of_another_shape_is_found_in_each_of_its_samples(copy):
    rewrite(copy, tiny_release.scan("scan-1")[:-1])
    rule = "shape_zyx is that of volumes/scan-1.zarr, (19, 70, 66)"
    assert_exactly(found(copy), *((place, rule) for place in ("pristine/scan-1", "pix2pix/inj_1", "identity/inj_1")))


def test_other_voxels_under_an_edit_are_found(copy):
    rewrite(copy, tiny_release.scan("scan-1") + np.int16(1))
    rule = "the edit was made on the voxels of volumes/scan-1.zarr"
    assert_exactly(found(copy), ("pix2pix/inj_1", rule), ("identity/inj_1", rule))


def test_metadata_of_great_depth_is_no_error_of_the_program(copy):
    deep = "[" * 900 + "]" * 900
    (copy / METADATA).write_text((copy / METADATA).read_text().replace('"zstd"', deep))
    reseal(copy)
    assert_names(found(copy), (METADATA, ""))


def test_a_missing_volume_says_how_many_samples_need_it(copy):
    remove(copy / "volumes/scan-2.zarr")
    finding = next(each for each in verify(copy) if "metadata of a volume" in each.rule)
    assert finding.place == "volumes/scan-2.zarr/zarr.json"
    assert finding.found.endswith("(3 samples need it)")


# Any damage.


def flips(release, seed, count):
    """Places of single bytes: each file in turn, any byte of it.

    What the manifest tells of the build has no checksum, so of that part only what rows deny is found.
    """
    rng = random.Random(seed)
    files = sorted(path for path in release.rglob("*") if path.is_file())
    told = (release / "manifest.json").read_text()
    told = range(told.index('"built"') + len('"built": {'), told.index('"digest"') - 3)
    for number in range(count):
        path = files[number % len(files)]
        position = rng.randrange(path.stat().st_size)
        if path.name != "manifest.json" or position not in told:
            yield path, position, rng.randrange(1, 256)


@pytest.mark.parametrize("seed", range(6))
def test_any_byte_that_flips_in_any_file_is_found(copy, seed):
    for path, position, mask in list(flips(copy, seed, 32)):
        before = path.read_bytes()
        flip(path, position, mask)
        name = path.relative_to(copy).as_posix()
        findings = found(copy)
        assert findings, (name, position, mask)
        assert path.name == "manifest.json" or name in {place for place, _ in findings}
        path.write_bytes(before)


@pytest.mark.parametrize("seed", range(4))
def test_any_byte_that_flips_in_the_manifest_is_found(copy, seed):
    path = copy / "manifest.json"
    before = path.read_bytes()
    for other, position, mask in list(flips(copy, seed, 400)):
        if other == path:
            flip(path, position, mask)
            assert found(copy), (position, mask)
            path.write_bytes(before)


@pytest.mark.parametrize("seed", range(3))
def test_no_damage_ends_in_an_error_of_the_program(copy, seed):
    rng = random.Random(seed)
    files = [path for path in sorted(copy.rglob("*")) if path.is_file() and path.parent != copy]
    for number in range(40):
        path = files[number % len(files)]
        before = path.read_bytes()
        start, length = rng.randrange(len(before)), rng.choice((1, 4, 30, 300))
        path.write_bytes(before[:start] + rng.randbytes(length) + before[start + length :])
        reseal(copy)
        assert all(finding.place and finding.rule and finding.remedy for finding in verify(copy))
        path.write_bytes(before)
