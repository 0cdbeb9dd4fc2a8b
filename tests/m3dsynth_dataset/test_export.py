import inspect

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import tiny_release
import zarr

from m3dsynth_dataset import Sample, open_release


@pytest.fixture(scope="module")
def sample(release_path):
    return open_release(release_path).sample("pix2pix/inj_1")


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


def test_zarr_holds_the_whole_scan_and_its_mask(sample, tmp_path):
    group = zarr.open_group(sample.export(tmp_path, to="zarr"), mode="r")
    np.testing.assert_array_equal(group["ct"][...], tiny_release.tampered("pix2pix", "inj_1"))
    np.testing.assert_array_equal(group["mask"][...], sample.mask[...])
    assert "SYNTHETIC" in group.attrs["notice"]


def test_exporting_again_replaces_and_leaves_nothing_else(sample, tmp_path):
    sample.export(tmp_path, to="nifti")
    sample.export(tmp_path, to="nifti")
    assert [path.name for path in tmp_path.iterdir() if path.name != "datasets-cache"] == ["pix2pix_inj_1"]


def test_an_unknown_format_is_an_error(sample, tmp_path):
    with pytest.raises(ValueError, match="to must be one of nifti, zarr, got 'png'"):
        inspect.unwrap(Sample.export)(sample, tmp_path, to="png")
