import inspect
import json
from importlib import import_module

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import tiny_release
import zarr

from m3dsynth_dataset import Sample, open_release
from m3dsynth_dataset.errors import ExportError, MissingExtraError
from m3dsynth_dataset.export import extra
from m3dsynth_dataset.export.notice import is_synthetic, notice
from m3dsynth_dataset.export.place import place_of


@pytest.fixture(scope="module")
def release(release_path):
    return open_release(release_path)


@pytest.fixture(scope="module")
def sample(release):
    return release.sample("pix2pix/inj_1")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_nifti_shows_the_voxels_with_the_edit_at_their_place_in_the_patient(sample, tmp_path):
    image = nib.load(sample.export(tmp_path, to="nifti") / "ct.nii.gz")
    voxels = np.asarray(image.dataobj)
    np.testing.assert_array_equal(voxels.transpose(2, 1, 0)[::-1], tiny_release.tampered("pix2pix", "inj_1"))
    # Voxel (z, y, x) = (2, 3, 4) of the scan; NIfTI's x and y point the other way than DICOM's.
    x, y, z = tiny_release.GEOMETRY.to_mm((2, 3, 4))
    assert image.affine @ (4, 3, 19 - 2, 1) == pytest.approx((-x, -y, z, 1), abs=1e-4)


def test_nifti_is_read_by_itk_with_slices_upwards(sample, tmp_path):
    image = sitk.ReadImage(str(sample.export(tmp_path, to="nifti") / "ct.nii.gz"))
    assert image.GetSpacing() == pytest.approx((0.7, 0.8, 2.5))
    assert image.GetOrigin() == pytest.approx((-100, -90, -30 - 19 * 2.5))
    assert image.GetDirection() == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert image.GetPixelID() == sitk.sitkInt16


def test_nifti_says_that_it_is_synthetic(sample, tmp_path):
    folder = sample.export(tmp_path, to="nifti")
    assert b"SYNTHETIC: injection by pix2pix" in bytes(nib.load(folder / "ct.nii.gz").header["descrip"])
    np.testing.assert_array_equal(
        np.asarray(nib.load(folder / "mask.nii.gz").dataobj).transpose(2, 1, 0)[::-1], sample.mask[...]
    )


@pytest.mark.parametrize(("sample_id", "tampered"), [("pix2pix/inj_1", True), ("pristine/scan-1", False)])
def test_zarr_holds_the_whole_scan_and_its_mask(release, tmp_path, sample_id, tampered):
    sample = release.sample(sample_id)
    group = zarr.open_group(sample.export(tmp_path, to="zarr"), mode="r")
    whole = tiny_release.tampered("pix2pix", "inj_1") if tampered else tiny_release.scan("scan-1")
    np.testing.assert_array_equal(group["ct"][...], whole)
    np.testing.assert_array_equal(group["mask"][...], sample.mask[...])
    assert group["mask"][...].any() == tampered
    assert dict(group.members()).keys() == {"ct", "mask"}


def test_zarr_is_stored_alike_whether_tampered_or_not(release, tmp_path):
    groups = [
        zarr.open_group(release.sample(sample_id).export(tmp_path, to="zarr"), mode="r")
        for sample_id in ("pix2pix/inj_1", "pristine/scan-1")
    ]
    for name in ("ct", "mask"):
        tampered, pristine = (group[name].metadata.to_dict() for group in groups)
        assert tampered == pristine


def test_zarr_says_where_its_voxels_lie(sample, tmp_path):
    group = zarr.open_group(sample.export(tmp_path, to="zarr"), mode="r")
    assert "SYNTHETIC" in group.attrs["notice"]
    assert group.attrs["origin_mm"] == [-100, -90, -30]
    (scale,) = group.attrs["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    assert scale == {"type": "scale", "scale": [2.5, 0.8, 0.7]}
    for multiscale in group.attrs["ome"]["multiscales"]:
        array = group[multiscale["datasets"][0]["path"]]
        assert [axis["name"] for axis in multiscale["axes"]] == list(array.metadata.dimension_names)


@pytest.mark.parametrize("form", ["dicom", "nifti", "zarr"])
def test_a_sample_lies_under_its_id_and_form_and_says_what_it_is(release, tmp_path, form):
    folder = release.sample("identity/rem_1").export(tmp_path, to=form)
    assert folder == tmp_path / "identity" / "rem_1" / {"zarr": "sample.zarr"}.get(form, form)
    if form == "zarr":
        record = zarr.open_group(folder, mode="r").attrs["export"]
    else:
        record = json.loads((folder / "export.json").read_text())
    assert (record["sample_id"], record["form"]) == ("identity/rem_1", form)
    assert record["release"] == release.manifest.digest


def test_exporting_again_replaces_and_leaves_nothing_else(sample, tmp_path):
    folder = sample.export(tmp_path / "out", to="nifti")
    (folder / "ct.nii.gz").write_bytes(b"")
    sample.export(tmp_path / "out", to="nifti")
    sample.export(tmp_path / "out", to="zarr")
    assert (folder / "ct.nii.gz").stat().st_size
    assert names(tmp_path / "out/pix2pix/inj_1") == ["nifti", "sample.zarr"]
    assert names(tmp_path / "out/pix2pix") == ["inj_1"]


def test_what_is_no_export_is_not_replaced(sample, tmp_path):
    mine = tmp_path / "pix2pix/inj_1/nifti/thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(ExportError, match=r"inj_1/nifti: is in the way, and is no export"):
        sample.export(tmp_path, to="nifti")
    assert mine.read_text() == "mine"


def test_a_failed_export_leaves_nothing(release, tmp_path, monkeypatch):
    monkeypatch.setattr(nib, "save", lambda *_: (_ for _ in ()).throw(OSError("disk gone")))
    with pytest.raises(OSError, match="disk gone"):
        release.sample("pix2pix/inj_1").export(tmp_path / "out", to="nifti")
    assert names(tmp_path / "out/pix2pix/inj_1") == []


@pytest.mark.parametrize("sample_id", ["../up", "/etc/passwd", "a//b", "a/..", "a/. ", "a\\b", "c:d", "a\0b", ""])
def test_an_id_that_leads_elsewhere_is_an_error(sample_id):
    with pytest.raises(ExportError, match="no path that every system can hold"):
        place_of(sample_id, "dicom")


def test_an_unknown_format_is_an_error(sample, tmp_path):
    with pytest.raises(ValueError, match="to must be one of dicom, nifti, zarr, got 'png'"):
        inspect.unwrap(Sample.export)(sample, tmp_path, to="png")


def test_a_source_is_for_dicom_only(sample, tmp_path):
    with pytest.raises(ValueError, match="it needs to='dicom', got to='nifti'"):
        sample.export(tmp_path, to="nifti", source=tmp_path)


@pytest.mark.parametrize(("form", "library"), [("dicom", "pydicom"), ("dicom", "highdicom"), ("nifti", "nibabel")])
def test_a_missing_library_is_named_with_its_extra(sample, tmp_path, monkeypatch, form, library):
    def without(name):
        if name == library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return import_module(name)

    monkeypatch.setattr(extra, "import_module", without)
    with pytest.raises(
        MissingExtraError, match=rf"{library}, which is not installed: pip install 'm3dsynth\[export\]'"
    ):
        sample.export(tmp_path, to=form)


@pytest.mark.parametrize(
    ("sample_id", "source", "expected"),
    [
        ("pix2pix/inj_1", "LIDC-IDRI", "SYNTHETIC: injection by pix2pix (m3dsynth), not for diagnosis"),
        ("identity/rem_1", "LIDC-IDRI", "SYNTHETIC: control of removal, identity (m3dsynth), not for diagnosis"),
        ("pristine/scan-1", "LIDC-IDRI", "m3dsynth: unaltered LIDC-IDRI scan, not for diagnosis"),
        ("pristine/scan-1", "phantom", "SYNTHETIC: phantom, not a patient (m3dsynth), not for diagnosis"),
    ],
)
def test_the_notice_says_what_is_true(release, sample_id, source, expected):
    sample = release.sample(sample_id)
    sample.row["source"] = source
    assert notice(sample) == expected
    assert is_synthetic(sample) == expected.startswith("SYNTHETIC")
