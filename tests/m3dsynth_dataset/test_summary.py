import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tiny_release

from m3dsynth_dataset import DamagedReleaseError, FormatVersionError, ReleaseNotFoundError
from m3dsynth_dataset.manifest import Manifest, record_files
from m3dsynth_dataset.schema import arrow_schema
from m3dsynth_dataset.summary import Counts, summarise

INJECTION = "data/pix2pix-injection/train-00000-of-00001.parquet"


@pytest.fixture
def copy(release_path, tmp_path):
    return shutil.copytree(release_path, tmp_path / "m3dsynth")


def test_samples_are_counted_by_config_and_split_in_the_order_of_the_card(release_path):
    assert list(summarise(release_path).configs.items()) == [
        ("all", {"train": 2, "test": 2}),
        ("pristine", {"train": 1, "test": 1}),
        ("pix2pix-injection", {"train": 1}),
        ("pix2pix-removal", {"test": 1}),
        ("identity-injection", {"train": 1}),
        ("identity-removal", {"test": 1}),
    ]


def test_scans_and_patients_are_counted_once_however_many_samples_they_have(release_path):
    one = Counts(samples=3, scans=1, patients=1)
    assert summarise(release_path).splits == {"train": one, "test": one, "total": Counts(6, 2, 2)}


def test_the_control_is_the_last_of_the_generators(release_path):
    assert summarise(release_path).generators == ("pix2pix", "identity")


def test_bytes_are_those_of_the_files(release_path):
    sizes, files = summarise(release_path).bytes, record_files(release_path)
    assert sizes.total == sum(record.size for record in files.values())
    assert sizes.volumes == sum(path.stat().st_size for path in (release_path / "volumes").rglob("*") if path.is_file())
    assert sizes.rows == sum(path.stat().st_size for path in (release_path / "data").rglob("*") if path.is_file())


def test_bytes_of_edits_are_those_of_patches_and_masks(release_path):
    rows = [row for path in (release_path / "data").rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
    held = sum(len(row["patch"] or b"") + len(row["mask"] or b"") for row in rows)
    assert held < summarise(release_path).bytes.edits < held + 100 * 2 * len(rows)  # and the headers of their pages


def test_format_digest_and_account_are_the_manifests(release_path):
    summary, manifest = summarise(release_path), Manifest.read(release_path)
    assert (summary.format_version, summary.digest) == (manifest.format_version, manifest.digest)
    assert summary.built == tiny_release.built()


def test_the_json_is_complete_and_comes_back_from_text(release_path):
    summary = summarise(release_path)
    raw = summary.as_json()
    assert json.loads(json.dumps(raw)) == raw
    assert raw.keys() == set(vars(summary))
    assert raw["built"]["inpainters"]["pix2pix-injection"]["steps"] == 300
    assert raw["splits"]["train"] == {"samples": 3, "scans": 1, "patients": 1}


def test_the_text_is_an_aligned_table(release_path):
    text = summarise(release_path).text()
    table = text.split("\n\n")[1].splitlines()
    assert table[0].split() == ["samples", "by", "config", "train", "validation", "test"]
    assert table[3].split() == ["pix2pix-injection", "1", "-", "-"]
    assert len({len(line) for line in table}) == 1


def test_the_text_tells_how_the_release_was_built(release_path):
    text = summarise(release_path).text()
    assert "pix2pix, identity (the control)" in text
    assert "pix2pix-injection   cubes 1234; patients 8; preset tiny; steps 300; trained_on phantom" in text
    assert "identity-injection  control no generative model" in text
    assert "source      phantom\n" in text


def test_weights_and_versions_are_told_checksums_in_short(copy):
    raw = json.loads((copy / "manifest.json").read_text())
    raw["built"] |= {"weights_sha256": {"pix2pix-injection": "a" * 64}, "versions": {"numpy": "2.4.6"}}
    (copy / "manifest.json").write_text(json.dumps(raw))
    text = summarise(copy).text()
    assert f"trained_on phantom; weights {'a' * 12}\n" in text
    assert text.endswith("versions\nnumpy  2.4.6")


def test_no_volume_is_read(copy):
    shutil.rmtree(copy / "volumes")
    assert summarise(copy).splits["total"].scans == 2


def test_a_release_without_edits_has_no_generators(copy):
    for folder in (copy / "data").iterdir():
        if folder.name != "pristine":
            shutil.rmtree(folder)
    manifest = Manifest.read(copy)
    Manifest(manifest.format_version, manifest.digest, record_files(copy), {}).write(copy)
    summary = summarise(copy)
    assert (summary.generators, summary.bytes.edits > 0) == ((), True)
    assert "generators  none" in summary.text()


def test_a_release_of_the_published_size_is_counted_without_its_patches(copy, monkeypatch):
    rows = pq.read_table(copy / INJECTION).to_pylist() * 2000
    table = pa.Table.from_pylist([row | {"patch": b"p" * 50} for row in rows], schema=arrow_schema())
    pq.write_table(table, copy / INJECTION, row_group_size=16)
    read = []
    original = pq.ParquetFile.read
    monkeypatch.setattr(pq.ParquetFile, "read", lambda self, columns: read.append(columns) or original(self, columns))
    assert summarise(copy).configs["pix2pix-injection"] == {"train": 2000}
    assert {column for columns in read for column in columns} == {"scan_id", "patient_id", "generator"}


@pytest.mark.parametrize("data", [None, b"", b"PAR1 and no footer PAR1"])
def test_rows_that_cannot_be_read_are_named(copy, data):
    (copy / INJECTION).unlink()
    if data is not None:
        (copy / INJECTION).write_bytes(data)
    with pytest.raises(DamagedReleaseError, match=f"{INJECTION}: the rows cannot be read .*m3dsynth verify"):
        summarise(copy)


@pytest.mark.parametrize("change", [{"built": 7}, {"files": {"LICENSE": {"size": "7", "sha256": ""}}}])
def test_a_manifest_of_other_types_is_named(copy, change):
    raw = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(raw | change))
    with pytest.raises(DamagedReleaseError, match=r"manifest.json: not the manifest of a release"):
        summarise(copy)


def test_a_folder_that_is_no_release_is_an_error(tmp_path):
    with pytest.raises(ReleaseNotFoundError, match="no release there"):
        summarise(tmp_path)


def test_a_foreign_format_is_refused(copy):
    raw = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(raw | {"format_version": "2.0"}))
    with pytest.raises(FormatVersionError, match=r"format 2.0"):
        summarise(copy)
