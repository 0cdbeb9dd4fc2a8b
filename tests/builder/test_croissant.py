import json
import logging
import shutil
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tiny_release
from datasets import get_dataset_config_names

from builder.croissant import COLUMNS, render_croissant
from m3dsynth_dataset import open_release
from m3dsynth_dataset.manifest import Manifest, digest_of, record_file
from m3dsynth_dataset.schema import FEATURES, arrow_schema
from m3dsynth_dataset.verification import verify

CONFIG = "pix2pix-injection"
LIDC = "https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX"

# rdflib of itself; mlcroissant parses with it.
pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")


def croissant(release):
    return json.loads((release / "croissant.json").read_text())


@pytest.fixture
def dataset(release_path, monkeypatch, caplog):
    import mlcroissant

    monkeypatch.chdir("/")  # paths are relative to the file, not to whoever reads it
    with caplog.at_level(logging.WARNING):
        return mlcroissant.Dataset(release_path / "croissant.json")


def test_it_is_valid_and_lacks_only_a_date_of_publication(dataset):
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    (warning,) = issues.warnings
    assert "datePublished" in warning  # a release built twice is the same to the bit: it has no date
    assert dataset.metadata.ctx.is_v1_1()


@pytest.mark.parametrize("config", ["pristine", CONFIG, "identity-removal", "all"])
def test_records_have_every_column_of_every_row(release_path, dataset, config, caplog):
    with caplog.at_level(logging.WARNING):
        records = {record[f"{config}/sample_id"].decode(): record for record in dataset.records(config)}
    assert not caplog.records
    for split, row in rows(release_path, config):
        record = records.pop(row["sample_id"])
        assert record.pop(f"{config}/split") == split.encode()
        assert list(record) == [f"{config}/{name}" for name in FEATURES]
        for name, value in row.items():
            assert plain(record[f"{config}/{name}"]) == (value.encode() if isinstance(value, str) else value), name
    assert not records


def rows(release, config):
    parts = ["pristine", CONFIG, "pix2pix-removal"] if config == "all" else [config]
    for part in parts:
        for path in sorted((release / "data" / part).iterdir()):
            yield from ((path.name.split("-")[0], row) for row in pq.read_table(path).to_pylist())


def plain(value):
    return [each.item() for each in value] if isinstance(value, list) else getattr(value, "item", lambda: value)()


def test_the_data_types_are_those_of_the_columns(release_path):
    fields = croissant(release_path)["recordSet"][2]["field"][1:]
    types = {"cr:Int32": pa.int32(), "cr:Int64": pa.int64(), "cr:Float32": pa.float32(), "cr:Float64": pa.float64()}
    for field, column in zip(fields, arrow_schema(), strict=True):
        assert field["name"] == column.name
        expected = column.type
        if pa.types.is_fixed_size_list(expected):
            assert field["isArray"] is True
            assert field["arrayShape"] == str(expected.list_size)
            expected = expected.value_type
        else:
            assert "isArray" not in field
        assert types.get(field["dataType"], "text") == (
            "text" if pa.types.is_string(expected) or pa.types.is_binary(expected) else expected
        )


def test_every_column_is_described():
    assert list(COLUMNS) == list(FEATURES)


def test_classes_are_named(release_path):
    fields = {field["name"]: field["description"] for field in croissant(release_path)["recordSet"][1]["field"]}
    assert fields["label"] == "Class, by number. 0 pristine, 1 tampered, 2 control."
    assert fields["manipulation"] == "Class, by number. 0 none, 1 injection, 2 removal."


def test_every_config_is_a_record_set_and_every_file_of_rows_has_its_checksum(release_path):
    document = croissant(release_path)
    assert [each["name"] for each in document["recordSet"]] == ["splits", *get_dataset_config_names(str(release_path))]
    listed = {each["contentUrl"]: each for each in document["distribution"] if each["@type"] == "cr:FileObject"}
    present = {path.relative_to(release_path).as_posix(): path for path in (release_path / "data").rglob("*.parquet")}
    assert listed.keys() == present.keys()
    for name, path in present.items():
        record = record_file(path)
        assert (listed[name]["sha256"], listed[name]["contentSize"]) == (record.sha256, f"{record.size} B")


def test_it_is_part_of_the_manifest_and_quotes_its_digest(release_path):
    manifest = Manifest.read(release_path)
    assert manifest.files["croissant.json"] == record_file(release_path / "croissant.json")
    assert croissant(release_path)["version"] == f"{manifest.format_version}.0+{manifest.digest[:16]}"


def test_it_says_that_phantoms_are_phantoms(release_path):
    document = croissant(release_path)
    assert document["name"] == "m3dsynth-phantom"
    assert document["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert document["rai:personalSensitiveInformation"] == [
        "None. No person was scanned, and the identifiers are invented."
    ]
    assert "prov:wasDerivedFrom" not in document
    assert "phantom" in document["description"]
    assert any("These are phantoms" in each for each in document["rai:dataLimitations"])
    assert document["rai:hasSyntheticData"] is True


def test_it_says_where_real_scans_come_from_and_what_the_inpainters_learned_from(tmp_path, monkeypatch):
    import mlcroissant

    built = tiny_release.built() | {"source": "LIDC-IDRI"}
    monkeypatch.setattr(tiny_release, "built", lambda: built)
    release = tiny_release.write(tmp_path / "m3dsynth", tmp_path / "work")
    document = croissant(release)
    assert document["license"] == "https://creativecommons.org/licenses/by/3.0/"
    assert document["prov:wasDerivedFrom"] == [{"@id": LIDC}]
    assert "de-identified" in document["rai:personalSensitiveInformation"][0]
    assert document["rai:dataLimitations"][-1] == "The inpainters learned from phantom cubes, not from LIDC-IDRI."
    assert not mlcroissant.Dataset(release / "croissant.json").metadata.ctx.issues.errors


def test_it_says_that_imported_edits_are_those_that_others_published():
    counts = {("pristine", "test"): 1, ("pix2pix-injection", "test"): 1}
    built = {"source": "LIDC-IDRI", "trained_on": [], "inpainters": {}, "imported": {}}
    document = json.loads(render_croissant(counts, built, "0" * 64, {}))
    assert document["license"] == "LICENSE"
    assert "as published, by GRIP-UNINA" in document["description"]
    assert document["prov:wasDerivedFrom"] == [{"@id": LIDC}, {"@id": "https://arxiv.org/abs/2309.07973"}]
    assert document["rai:dataAnnotationProtocol"] == ["The mask of an edited row is the published label."]


def test_a_release_from_before_without_it_still_holds_to_its_manifest(release_path, tmp_path):
    old = shutil.copytree(release_path, tmp_path / "m3dsynth")
    manifest = Manifest.read(old)
    files = {name: record for name, record in manifest.files.items() if name not in ("croissant.json", "eval.yaml")}
    for name in manifest.files.keys() - files.keys():
        (old / name).unlink()
    replace(manifest, files=files, digest=digest_of(files)).write(old)
    assert list(verify(old)) == []
    assert open_release(old).sample("pix2pix/inj_1").ct[0, 0, 0] == tiny_release.scan("scan-1")[0, 0, 0]
