"""DICOM export, without the original files and with them; read back by everybody who reads DICOM."""

import inspect
import re
import warnings
from dataclasses import fields
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import tiny_release
from ct_series import CTSeries
from dicom_reading import errors_of_dciodvfy, headers, hu, itk_image, shortcomings
from pydicom.uid import CTImageStorage

import m3dsynth_dataset.export
from m3dsynth_dataset import Sample, open_release
from m3dsynth_dataset.cli import Export
from m3dsynth_dataset.errors import ExportError
from m3dsynth_dataset.export.dicom import export_dicom

IDS = ("pix2pix/inj_1", "identity/rem_1", "pristine/scan-1")
# As tiny_release.GEOMETRY and SHAPE have it.
ORIGINAL = CTSeries(
    shape=tiny_release.SHAPE,
    header={
        "FrameOfReferenceUID": "1.2.3.4",
        "StudyDate": "20010203",
        "AcquisitionDate": "20010203",
        "ContentDate": "20010203",
        "SeriesDate": "20010203",
        "Manufacturer": "ACME",
        "KVP": "120",
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": "by hand",
        "BodyPartExamined": "CHEST",
        "IrradiationEventUID": "1.2.3.5",
        "LossyImageCompression": "00",
        "SmallestImagePixelValue": 17,
        "PixelPaddingValue": -2000,
        "PixelPaddingRangeLimit": -1990,
        "WindowCenterWidthExplanation": "BRAIN",
        "PerformedProcedureStepStartDate": "20010203",
        "OverlayDate": "20010203",
        "SOPInstanceStatus": "AO",
        "DerivationDescription": "denoised",
    },
)


@pytest.fixture(scope="module")
def release(release_path):
    return open_release(release_path)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A folder with the original series, among other files, with what scanners leave in headers."""
    folder = tmp_path_factory.mktemp("original")
    for path in ORIGINAL.write(folder / "deep" / "down"):
        dataset = pydicom.dcmread(path)
        dataset.private_block(0x0009, "GEMS_IDEN_01", create=True).add_new(0x01, "LO", "CT01")
        dataset.add_new(0x60003000, "OW", b"\0\1")
        dataset.add_new(0x60000010, "US", 70)
        dataset.add_new(0x50000005, "US", 1)
        dataset.ReferencedImageSequence = [pydicom.Dataset()]
        dataset.ReferencedImageSequence[0].private_block(0x0009, "GEMS_IDEN_01", create=True).add_new(1, "LO", "CT01")
        dataset.ReferencedImageSequence[0].ReferencedSOPClassUID = CTImageStorage
        dataset.ReferencedImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.6"
        dataset.DigitalSignaturesSequence = [pydicom.Dataset()]
        dataset.save_as(path)
    CTSeries(scan_id="1.2.3.99").write(folder / "deep" / "down", prefix="other")
    (folder / "deep/notes.txt").write_text("not DICOM")
    (folder / "copy.dcm").write_bytes(next((folder / "deep/down").glob("0*.dcm")).read_bytes())  # doubled
    return folder


def of_original(release, sample_id):
    """A sample that says that it was made from the original series."""
    sample = release.sample(sample_id)
    sample.row["scan_id"] = ORIGINAL.scan_id
    return sample


@pytest.fixture(scope="module")
def exported(release, original, tmp_path_factory):
    """Every kind of sample, by id and whether the original headers were at hand."""
    out = tmp_path_factory.mktemp("exported")
    with_source = {
        (each, True): of_original(release, each).export(out / "a", to="dicom", source=original) for each in IDS
    }
    return with_source | {(each, False): release.sample(each).export(out / "b", to="dicom") for each in IDS}


CASES = [(sample_id, with_source) for sample_id in IDS for with_source in (True, False)]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{'original' if case[1] else 'built'}")
def case(request, exported, release):
    """A sample, its folder, and its slices."""
    folder = exported[request.param]
    return release.sample(request.param[0]), folder, headers(folder / "ct")


def test_pydicom_and_itk_read_the_same_hu(case):
    sample, folder, slices = case
    np.testing.assert_array_equal(hu(slices), sample.ct[...])
    image = itk_image(folder / "ct")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image)[::-1], sample.ct[...])
    assert image.GetPixelID() == sitk.sitkInt16


def test_itk_reads_the_geometry(case):
    sample, folder, _ = case
    image = itk_image(folder / "ct")
    expected = sample.geometry.ascending(len(sample.ct))
    assert image.GetSpacing() == pytest.approx(expected.spacing_mm[::-1])
    assert image.GetOrigin() == pytest.approx(expected.origin_mm)
    assert image.GetDirection() == pytest.approx(expected.direction)


def test_rows_of_pixels_are_spaced_along_y(case):
    _, _, slices = case
    assert {tuple(each.PixelSpacing) for each in slices} == {(0.8, 0.7)}
    assert slices[0].SpacingBetweenSlices == 2.5


def test_nibabel_and_highdicom_read_the_slices(case):
    sample, folder, _ = case
    path = folder / "ct" / "0003.dcm"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The DICOM readers are highly experimental")
        from nibabel.nicom.dicomwrappers import wrapper_from_file
    np.testing.assert_array_equal(wrapper_from_file(path).get_data(), sample.ct[2])
    np.testing.assert_array_equal(hd.imread(path).get_frame(1), sample.ct[2])


def test_slices_are_numbered_from_the_head_down(case):
    _, folder, slices = case
    assert [each.InstanceNumber for each in slices] == list(range(1, 21))
    assert sorted(path.name for path in (folder / "ct").iterdir()) == [f"{number:04d}.dcm" for number in range(1, 21)]


def test_every_attribute_that_a_ct_image_must_have_is_there(case):
    _, _, slices = case
    for each in slices:
        assert shortcomings(each) == []


def test_the_check_sees_what_is_missing(case):
    _, _, (first, *_) = case
    del first.KVP
    first.FrameOfReferenceUID = ""
    del first.ContributingEquipmentSequence[0].Manufacturer
    assert shortcomings(first) == [
        "frame-of-reference: FrameOfReferenceUID of type 1",
        "ct-image: KVP of type 2",
        "sop-common: ContributingEquipmentSequence/Manufacturer of type 1",
    ]


def test_dciodvfy_finds_no_error(exported):
    for (sample_id, with_source), folder in exported.items():
        for path in (folder / "ct/0001.dcm", folder / "mask.dcm"):
            if path.exists() and (errors := errors_of_dciodvfy(path)) is None:
                pytest.skip("dciodvfy of dicom3tools is not installed")
            elif path.exists():
                assert errors == [], (sample_id, with_source)


def test_every_object_says_that_it_is_derived_and_what_made_it(case):
    sample, folder, slices = case
    synthetic = "YES"  # the pristine sample is a phantom
    for each in slices:
        assert list(each.ImageType) == ["DERIVED", "SECONDARY", "AXIAL", "SYNTHETIC"]
        assert each.SeriesDescription.startswith("SYNTHETIC: ")
        assert "SYNTHETIC" in each.DerivationDescription or sample.label == "pristine"
        assert sample.id in each.DerivationDescription
        assert "computed phantom" in each.DerivationDescription
        assert (each.SyntheticData, each.ContentQualification, each.BurnedInAnnotation) == (synthetic, "RESEARCH", "NO")
        equipment = each.ContributingEquipmentSequence[-1]
        assert (equipment.Manufacturer, equipment.ManufacturerModelName) == ("m3dsynth", sample.row["generator"])
        assert equipment.PurposeOfReferenceCodeSequence[0].CodeMeaning == "Synthesizing Equipment"
    if sample.label != "pristine":
        for each in (*slices, pydicom.dcmread(folder / "mask.dcm")):
            assert "SYNTHETIC" in each.SeriesDescription
            assert sample.row["generator"] in each.SeriesDescription
            assert sample.manipulation in each.SeriesDescription
            assert each.SyntheticData == "YES"


def test_every_object_has_the_private_note(case, release):
    sample, folder, slices = case
    masks = [] if sample.label == "pristine" else [pydicom.dcmread(folder / "mask.dcm")]
    for each in (*slices, *masks):
        note = each.private_block(0x4D33, "M3DSYNTH")
        values = [note[element].value for element in (0x01, 0x02, 0x03, 0x04, 0x05, 0x08)]
        generator = sample.row["generator"]
        assert values == ["1.1", sample.id, sample.label, sample.manipulation, generator, release.manifest.digest]
        if sample.label != "pristine":
            assert list(note[0x0A].value) == sample.row["box_start_zyx"]
            assert list(note[0x0B].value) == sample.row["box_shape_zyx"]


@pytest.mark.parametrize(("source", "expected"), [("LIDC-IDRI", "NO"), ("phantom", "YES"), ("user", None)])
def test_a_pristine_scan_is_called_synthetic_only_if_it_is(release, tmp_path, source, expected):
    sample = release.sample("pristine/scan-1")
    sample.row["source"] = source
    first = pydicom.dcmread(sample.export(tmp_path, to="dicom") / "ct/0001.dcm")
    assert first.get("SyntheticData") == expected
    assert ("SYNTHETIC" in first.ImageType) == ("SYNTHETIC" in first.SeriesDescription) == (expected == "YES")
    assert list(first.ImageType)[:3] == ["DERIVED", "SECONDARY", "AXIAL"]


def test_nothing_switches_the_marks_off():
    def parameters(function):
        return list(inspect.signature(inspect.unwrap(function)).parameters)

    assert parameters(Sample.export) == ["self", "out", "to", "source"]
    assert parameters(export_dicom) == ["sample", "out", "source"]
    assert {field.name for field in fields(Export)} == {
        "release", "samples", "to", "out", "config", "split", "all", "source", "workers"
    }  # fmt: skip
    for path in Path(m3dsynth_dataset.export.__file__).parent.glob("*.py"):
        assert not re.search(r"environ|getenv", path.read_text())


def test_uids_are_new_valid_and_those_of_this_sample_alone(exported):
    seen = set()
    for folder in exported.values():
        slices = headers(folder / "ct")
        assert len({each.SeriesInstanceUID for each in slices}) == 1
        masks = [pydicom.dcmread(path) for path in folder.glob("mask.dcm")]
        own = {each.SOPInstanceUID for each in (*slices, *masks)}
        own |= {each.SeriesInstanceUID for each in (*slices, *masks)}
        assert len(own) == len(slices) + 1 + 2 * len(masks)
        assert all(uid.is_valid and uid.startswith("2.25.") for uid in own)
        assert not own & seen
        seen |= own


def test_exporting_again_gives_the_same_slices(release, exported, tmp_path):
    again = release.sample(IDS[0]).export(tmp_path, to="dicom")
    first = exported[IDS[0], False]
    for path in sorted((first / "ct").iterdir()):
        assert (again / "ct" / path.name).read_bytes() == path.read_bytes()
    one, other = (pydicom.dcmread(folder / "mask.dcm") for folder in (first, again))
    assert one.SOPInstanceUID == other.SOPInstanceUID


def test_samples_of_a_scan_lie_in_one_study_and_frame_of_reference(exported):
    for with_source in (True, False):
        first, second = (headers(exported[sample_id, with_source] / "ct")[0] for sample_id in (IDS[0], IDS[2]))
        assert first.StudyInstanceUID == second.StudyInstanceUID
        assert first.FrameOfReferenceUID == second.FrameOfReferenceUID


def test_the_original_header_is_kept_as_far_as_it_holds(exported):
    for index, each in enumerate(headers(exported[IDS[0], True] / "ct")):
        assert each.StudyInstanceUID == f"{ORIGINAL.scan_id}.0"
        assert each.FrameOfReferenceUID == "1.2.3.4"
        assert (each.PatientID, each.Manufacturer, each.KVP) == (ORIGINAL.patient_id, "ACME", 120)
        assert (each.StudyDate, each.AcquisitionDate) == ("20010203", "20010203")
        assert (each.PatientIdentityRemoved, each.IrradiationEventUID) == ("YES", "1.2.3.5")
        assert (each.SliceThickness, each.LossyImageCompression) == (9, "00")
        assert each.SourceImageSequence[0].ReferencedSOPInstanceUID == f"{ORIGINAL.scan_id}.{index + 1}"
        assert each.ReferencedSeriesSequence[0].SeriesInstanceUID == ORIGINAL.scan_id
        assert each.DerivationDescription.endswith("Before that: denoised")


def test_nothing_of_the_original_header_is_kept_that_is_false_now(exported):
    for each in headers(exported[IDS[0], True] / "ct"):
        for name in (
            "SmallestImagePixelValue", "WindowCenterWidthExplanation", "DigitalSignaturesSequence", "SOPInstanceStatus",
            "ContentDate", "SeriesDate", "PerformedProcedureStepStartDate", "OverlayDate",
        ):  # fmt: skip
            assert name not in each
        assert {element.tag.group for element in each if element.tag.group % 2} == {0x4D33}
        assert not [element for element in each if element.tag.group in (0x5000, 0x6000)]
        assert not [element for element in each.ReferencedImageSequence[0] if element.tag.is_private]
        assert (each.RescaleSlope, each.RescaleIntercept, each.PixelRepresentation) == (1, 0, 1)
        # -2000 and -1990 as they were stored, with the intercept of -1024.
        assert (each.PixelPaddingValue, each.PixelPaddingRangeLimit) == (-3024, -3014)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"PixelPaddingValue": 63536}, -3024),  # -2000, said as an unsigned number of a signed slice
        ({"PixelPaddingValue": -32768}, None),  # -33792 HU: no such voxel can be
        ({}, None),
    ],
)
def test_padding_is_said_in_hu_or_not_at_all(release, tmp_path, header, expected):
    series = CTSeries(shape=tiny_release.SHAPE)
    for path in series.write(tmp_path / "source"):
        dataset = pydicom.dcmread(path)
        for name, value in header.items():
            dataset.add_new(name, "US" if value > 0 else "SS", value)
        dataset.save_as(path)
    folder = of_original(release, IDS[2]).export(tmp_path / "out", to="dicom", source=tmp_path / "source")
    assert pydicom.dcmread(folder / "ct/0001.dcm").get("PixelPaddingValue") == expected


@pytest.mark.parametrize("value", ["YES", "NO"])
def test_burned_in_text_and_synthetic_data_of_the_original_are_not_denied(release, tmp_path, value):
    CTSeries(shape=tiny_release.SHAPE, header={"BurnedInAnnotation": value, "SyntheticData": value}).write(
        tmp_path / "in"
    )
    sample = of_original(release, IDS[2])
    sample.row["source"] = "LIDC-IDRI"
    first = pydicom.dcmread(sample.export(tmp_path / "out", to="dicom", source=tmp_path / "in") / "ct/0001.dcm")
    assert (first.BurnedInAnnotation, first.SyntheticData) == (value, value)


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (CTSeries(shape=tiny_release.SHAPE, scan_id="1.2.3"), "holds no CT slice of series"),
        (CTSeries(shape=tiny_release.SHAPE, missing=[4]), "19 slices of series .* the scan in the release has 20"),
        (CTSeries(shape=tiny_release.SHAPE, top_mm=-28), "are not those of slice 0 of sample pristine/scan-1"),
        (CTSeries(shape=(20, 64, 66)), "64 x 66 pixels are not those"),
        (CTSeries(shape=tiny_release.SHAPE, spacing_mm=(2.5, 0.8, 0.8)), "are not those of slice 0"),
        (CTSeries(shape=tiny_release.SHAPE, header={"ImagePositionPatient": None}), "without ImagePositionPatient"),
    ],
)
def test_a_source_that_is_not_the_scan_is_an_error(release, tmp_path, series, message):
    series.write(tmp_path / "source")
    with pytest.raises(ExportError, match=message):
        of_original(release, IDS[2]).export(tmp_path / "out", to="dicom", source=tmp_path / "source")
    assert not (tmp_path / "out").exists()


def test_a_source_that_is_not_there_is_an_error(release, tmp_path):
    with pytest.raises(ExportError, match="no such folder"):
        release.sample(IDS[2]).export(tmp_path, to="dicom", source=tmp_path / "missing")


def test_the_mask_is_a_segmentation_of_the_series(case):
    sample, folder, slices = case
    if sample.label == "pristine":
        assert not (folder / "mask.dcm").exists()
        return
    mask = hd.seg.segread(folder / "mask.dcm")
    frames = mask.get_pixels_by_source_instance(
        [each.SOPInstanceUID for each in slices], assert_missing_frames_are_empty=True
    )
    np.testing.assert_array_equal(frames[..., 0], sample.mask[...])
    assert mask.segmentation_type.value == "BINARY"
    assert mask.FrameOfReferenceUID == slices[0].FrameOfReferenceUID
    assert mask.StudyInstanceUID == slices[0].StudyInstanceUID
    assert mask.ReferencedSeriesSequence[0].SeriesInstanceUID == slices[0].SeriesInstanceUID
    assert shortcomings(mask) == []


def test_the_mask_lies_where_the_voxels_lie(case):
    sample, folder, _ = case
    if sample.label == "pristine":
        pytest.skip("a pristine sample has no mask")
    image = sitk.ReadImage(str(folder / "mask.dcm"))
    z = int(np.flatnonzero(sample.mask[...].any(axis=(1, 2)))[0])
    assert image.TransformIndexToPhysicalPoint((4, 3, 0)) == pytest.approx(sample.geometry.to_mm((z, 3, 4)))


def test_the_mask_says_what_made_the_region(exported):
    tampered, control = (hd.seg.segread(exported[each, False] / "mask.dcm").SegmentSequence[0] for each in IDS[:2])
    assert tampered.SegmentLabel == "AI-generated region"
    assert control.SegmentLabel == "Control region, no generative model"
    algorithm = tampered.SegmentationAlgorithmIdentificationSequence[0]
    assert (algorithm.AlgorithmName, algorithm.AlgorithmSource) == ("pix2pix injection", "m3dsynth")
    assert algorithm.AlgorithmFamilyCodeSequence[0].CodeMeaning == "Artificial Intelligence"


@pytest.mark.parametrize("padding", [-2000, -1024, 6916])
def test_padding_is_seen_in_the_corners_where_no_header_names_it(release, padding):
    from m3dsynth_dataset.export.padding import visible_padding

    plane = release.sample(IDS[2]).ct[0]
    plane[[0, 0, -1, -1], [0, -1, 0, -1]] = padding
    seen = visible_padding(plane)
    assert (seen and seen.value) == (-2000 if padding == -2000 else None)
    plane[0, -1] = -1999
    assert visible_padding(plane) is None
