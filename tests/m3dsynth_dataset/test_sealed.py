"""How readers meet a release whose test does not tell: with what is open, and never with a wrong answer."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
import sealable_release
import zarr

from m3dsynth_dataset import open_release
from m3dsynth_dataset.errors import ExportError, SealedError
from m3dsynth_dataset.export.batch import export_samples
from m3dsynth_dataset.manifest import Manifest, digest_of, record_file
from m3dsynth_dataset.row_file import write_rows
from m3dsynth_dataset.schema import arrow_schema, data_file
from m3dsynth_dataset.scoring import judge, truths
from m3dsynth_dataset.submission import Prediction
from m3dsynth_dataset.summary import summarise
from m3dsynth_dataset.verification import verify

ROWS = data_file("sealed", "test")


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    source = open_release(sealable_release.write(tmp_path_factory.mktemp("sealable")))
    return sealable_release.Sealing.of(source, tmp_path_factory.mktemp("sealed")).public


@pytest.fixture
def sample(public):
    return public.sample(public.rows("sealed", "test", ["sample_id"])["sample_id"][0].as_py())


def test_a_sample_shows_its_voxels_and_says_that_it_is_sealed(sample):
    assert sample.ct[...].shape == sealable_release.SHAPE
    assert sample.label == sample.manipulation == "sealed"
    assert "sealed" in repr(sample)


@pytest.mark.parametrize("asked", ["mask", "pristine"])
def test_an_empty_mask_or_the_scan_itself_would_be_a_wrong_answer(sample, asked):
    with pytest.raises(SealedError, match="is sealed; whoever sealed the release has the labels"):
        getattr(sample, asked)


@pytest.mark.parametrize("config", ["sealed", "all"])
def test_crops_come_with_masks_so_there_are_none(public, config):
    with pytest.raises(SealedError, match=r"read release\.sample\(sample_id\)\.ct\.crop"):
        public.crops(config, "test", shape=(4, 4, 4), seed=0)


def test_crops_of_what_is_open_are_as_ever(public):
    for config in ("all", "pix2pix-removal"):
        crops = public.crops(config, "validation", shape=(4, 8, 8), seed=0)
        assert crops[0]["ct"].shape == (4, 8, 8)
        assert len(crops)


def test_its_group_in_the_store_has_no_mask(public, sample):
    root = zarr.open_group(public.store(), mode="r")

    assert np.array_equal(root[f"{sample.id}/ct"][...], sample.ct[...])
    assert set(root[sample.id].array_keys()) == {"ct"}
    assert {root[sample.id].attrs[name] for name in ("label", "manipulation", "generator")} == {"sealed"}
    mask = f"{sample.id}/mask"
    assert mask not in root
    assert not [key for key in public.store()._keys("") if key.startswith(mask)]
    assert public.store()._chunk_of(f"{mask}/c/0/0/0") is None
    open_id = public.rows("pix2pix-removal", "train", ["sample_id"])["sample_id"][0].as_py()
    assert set(root[open_id].array_keys()) == {"ct", "mask"}


def test_a_summary_counts_it(public):
    summary = summarise(public.path)
    assert summary.configs["sealed"] == {"test": 9}
    assert summary.configs["all"]["test"] == 9
    assert summary.generators == ("pix2pix", "identity")
    assert "labels_sha256" in summary.text()


def test_truth_of_it_is_not_scored(public):
    (truth, *_) = truths(public, "test")
    assert (truth.label, truth.generator, truth.manipulation, truth.box) == ("sealed", "sealed", "sealed", None)
    with pytest.raises(SealedError, match="--labels"):
        judge([truth], {truth.sample_id: Prediction(truth.sample_id, 0.5)})


@pytest.mark.parametrize("form", ["nifti", "zarr"])
def test_an_export_has_the_ct_alone_and_says_that_it_may_be_synthetic(public, sample, form, tmp_path):
    done = export_samples(public, tmp_path, to=form, config="sealed")
    assert len(done.written) == 9
    names = {path.name for path in (tmp_path / sample.id).rglob("*")}
    if form == "zarr":
        (group,) = (tmp_path / sample.id).glob("*.zarr")
        assert "ct" in names
        assert "mask" not in names
        assert np.array_equal(zarr.open_array(group / "ct", mode="r")[...], sample.ct[...])
        attributes = json.loads((group / "zarr.json").read_text())["attributes"]
        assert attributes["notice"].startswith("MAY BE SYNTHETIC")
        assert attributes["generator"] == attributes["label"] == "sealed"
        (multiscale,) = attributes["ome"]["multiscales"]
        assert multiscale["name"] == "ct"
    else:
        assert "ct.nii.gz" in names
        assert "mask.nii.gz" not in names


def test_a_dicom_object_must_name_what_was_done_so_there_is_none(public, sample, tmp_path):
    with pytest.raises(ExportError, match="must say what was done to it, and that is sealed"):
        sample.export(tmp_path, to="dicom")
    assert len(export_samples(public, tmp_path, to="dicom", samples=[sample.id]).failed) == 1


# What `m3dsynth verify` finds.


@pytest.fixture
def copy(public, tmp_path):
    return shutil.copytree(public.path, tmp_path / "public")


def with_rows(folder, rows):
    """Replace the sealed rows, and make the manifest agree."""
    write_rows(folder / ROWS, pa.Table.from_pylist(rows, schema=arrow_schema()))
    manifest = Manifest.read(folder)
    files = manifest.files | {ROWS: record_file(folder / ROWS)}
    Manifest(manifest.format_version, digest_of(files), files, manifest.built).write(folder)
    return [str(finding) for finding in verify(folder, workers=1)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("label", 1), ("manipulation", 0), ("generator", "none"), ("site_id", "inj_1"), ("mask", b"1"), ("seed", 7),
        ("weights_sha256", "0"), ("malignancy", 2.0), ("readers", 3), ("centre_zyx", [1, 2, 3]), ("base_sha256", "0"),
    ],
)  # fmt: skip
def test_a_column_that_would_tell_is_found(public, copy, column, value):
    rows = public.rows("sealed", "test").to_pylist()
    findings = with_rows(copy, [rows[0] | {column: value}, *rows[1:]])
    assert len(findings) == 1
    assert f"a sealed row has no {column}" in findings[0]


def test_two_versions_of_a_scan_are_found(public, copy):
    rows = public.rows("sealed", "test").to_pylist()
    findings = with_rows(copy, [*rows, rows[0]])
    assert any("has one row, since it is sealed" in finding for finding in findings)


def test_a_name_that_is_not_the_scans_is_found(public, copy):
    rows = public.rows("sealed", "test").to_pylist()
    (finding,) = with_rows(copy, [rows[0] | {"sample_id": "sealed/dm"}, *rows[1:]])
    assert "sample_id is" in finding
