"""The phantom from outside: its files, its annotations, and what a scan of it shows."""

import hashlib
import sqlite3
from contextlib import closing

import numpy as np
import pydicom
import pytest
import SimpleITK

from builder.annotations import read_annotations
from builder.errors import BuilderError
from builder.nodules import find_nodules
from builder.phantom import write_phantom
from builder.phantom.identity import Identity
from builder.phantom.patient import draw_subject, write_patient

PATIENTS = 3


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    """Three small patients, with three ways of storing numbers; the second has a localizer. Tests only read them."""
    return write_phantom(tmp_path_factory.mktemp("phantom") / "lidc", patients=PATIENTS, seed=0, size="small")


@pytest.fixture(scope="module")
def subjects():
    """What was drawn of the same patients."""
    return [draw_subject(Identity(0, "small", number)) for number in range(1, PATIENTS + 1)]


@pytest.fixture(scope="module")
def annotated(phantom):
    return read_annotations(phantom / "annotations.sqlite")


@pytest.fixture(scope="module")
def volumes(phantom, annotated):
    """HU of each scan, slice 0 the most cranial."""
    return [hu_of(phantom, scan) for scan in annotated]


def series_of(phantom, scan):
    (folder,) = phantom.glob(f"{scan.patient_id}/*/{scan.scan_id}")
    return folder


def headers_of(phantom, scan):
    files = sorted(series_of(phantom, scan).iterdir())
    return [pydicom.dcmread(file, stop_before_pixels=True) for file in files]


def hu_of(phantom, scan):
    slices = [pydicom.dcmread(file) for file in series_of(phantom, scan).iterdir()]
    slices.sort(key=lambda header: -header.ImagePositionPatient[2])
    return np.stack([item.pixel_array.astype(np.int32) + int(item.RescaleIntercept) for item in slices])


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def voxel(scan, nodule):
    z = int(np.abs(scan.slices_mm - nodule.centre[0]).argmin())
    return z, round(nodule.centre[1]), round(nodule.centre[2])


def around(volume, z, y, x, reach=1):
    return float(np.median(volume[z, y - reach : y + reach + 1, x - reach : x + reach + 1]))


def contrast(image, y, x, reach):
    """HU of a place over those of a ring around it."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rows, columns = np.rint([y + reach * np.sin(angles), x + reach * np.cos(angles)]).astype(int)
    return np.median(image[y - 1 : y + 2, x - 1 : x + 2]) - np.median(image[rows, columns])


def hu_at(subject, volume, model_point):
    """Median HU around a place that is given in mm of the model body."""
    scanner = subject.scanner
    z, y, x = subject.anatomy.posture.patient_points(np.array([model_point], dtype=float))[0]
    ascending = np.abs(scanner.heights - z).argmin()
    row, column = (int(np.abs(axis - place).argmin()) for axis, place in ((scanner.rows, y), (scanner.columns, x)))
    return around(volume, scanner.slices - 1 - ascending, row, column, reach=2)


# Files.


def test_folders_are_named_after_patient_study_and_series(phantom, annotated):
    for scan in annotated:
        series = series_of(phantom, scan)
        header = headers_of(phantom, scan)[0]
        assert (header.SeriesInstanceUID, header.StudyInstanceUID) == (series.name, series.parent.name)
        assert (header.PatientID, series.parent.parent.name) == (scan.patient_id, scan.patient_id)


def test_patient_two_of_three_is_patient_two_of_two_from_other_processes(phantom, tmp_path):
    again = write_phantom(tmp_path / "again", patients=2, seed=0, size="small", workers=2)
    assert digest(again / "PHANTOM-0001") == digest(phantom / "PHANTOM-0001")
    assert digest(again / "PHANTOM-0002") == digest(phantom / "PHANTOM-0002")


def test_another_seed_gives_other_patients_and_uids(phantom, tmp_path):
    write_patient(tmp_path, Identity(1, "small", 1))
    here, there = (next((folder / "PHANTOM-0001").rglob("000001.dcm")) for folder in (tmp_path, phantom))
    assert here.parent.name != there.parent.name
    assert pydicom.dcmread(here).SOPInstanceUID != pydicom.dcmread(there).SOPInstanceUID
    assert pydicom.dcmread(here).PixelData != pydicom.dcmread(there).PixelData


def test_itk_reads_a_series_with_its_spacing(phantom, annotated, subjects):
    for scan, subject in zip(annotated, subjects, strict=True):
        reader = SimpleITK.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(series_of(phantom, scan)), scan.scan_id))
        image = reader.Execute()
        scanner = subject.scanner
        assert image.GetSize() == (256, 256, scanner.slices)
        assert image.GetSpacing() == pytest.approx((scanner.pixel, scanner.pixel, scanner.spacing))


def test_headers_say_that_there_is_no_patient(phantom, annotated):
    for header in headers_of(phantom, annotated[0]):
        assert list(header.ImageType) == ["DERIVED", "SECONDARY", "AXIAL"]
        assert header.SeriesDescription == "m3dsynth phantom, not a patient"
        assert (header.Manufacturer, header.PatientIdentityRemoved) == ("m3dsynth", "YES")


def test_instance_numbers_follow_the_slices_one_way_or_the_other(phantom, annotated):
    for scan in annotated:
        headers = sorted(headers_of(phantom, scan), key=lambda header: header.InstanceNumber)
        steps = np.diff([header.ImagePositionPatient[2] for header in headers])
        assert np.ptp(steps) < 1e-6
        assert abs(steps[0]) == pytest.approx(np.median(-np.diff(scan.slices_mm)))


def test_every_slice_has_its_own_uid(phantom, annotated):
    headers = [header for scan in annotated for header in headers_of(phantom, scan)]
    assert len({header.SOPInstanceUID for header in headers}) == len(headers)
    assert all(header.file_meta.MediaStorageSOPInstanceUID == header.SOPInstanceUID for header in headers)


def test_a_localizer_lies_beside_the_second_patients_scan_only(phantom):
    series = [sorted(phantom.glob(f"PHANTOM-000{number}/*/*")) for number in (1, 2, 3)]
    assert [len(folders) for folders in series] == [1, 2, 1]
    single = [folder for folder in series[1] if len(list(folder.iterdir())) == 1]
    assert pydicom.dcmread(single[0] / "000001.dcm").ImageType[2] == "LOCALIZER"


# What the scans show.


def test_padding_or_air_lies_outside_the_circular_field_of_view(phantom, annotated):
    corners = {}
    for scan in annotated:
        image = pydicom.dcmread(series_of(phantom, scan) / "000001.dcm")
        corners[scan.patient_id] = (int(image.pixel_array[0, 0]), image.get("PixelPaddingValue"))
        assert image.pixel_array[0, 0] == image.pixel_array[-1, -1] != image.pixel_array[128, 128]
    assert corners == {"PHANTOM-0001": (-2000, -2000), "PHANTOM-0002": (0, None), "PHANTOM-0003": (-2000, -2000)}


def test_stored_numbers_are_signed_or_not_and_shifted_or_not(phantom, annotated):
    headers = [headers_of(phantom, scan)[0] for scan in annotated]
    forms = [(header.PixelRepresentation, int(header.RescaleIntercept)) for header in headers]
    assert forms == [(1, -1024), (0, -1024), (1, 0)]


@pytest.mark.parametrize(
    ("place", "low", "high"),
    [
        ((-40.0, 20.0, -112.0), -960, -700),  # right lung
        ((-40.0, 20.0, 112.0), -960, -700),  # left lung
        ((60.0, -5.0, -3.0), -1024, -900),  # windpipe
        ((-60.0, -34.0, 30.0), 20, 260),  # left ventricle
        ((-60.0, 37.0, 25.0), 20, 260),  # aorta
        ((-150.0, 0.0, -75.0), 30, 170),  # liver
        ((1.6, 57.0, 0.0), 110, 400),  # marrow of T5
    ],
)
def test_organs_have_the_hu_of_organs(subjects, volumes, place, low, high):
    assert all(low <= hu_at(*case, place) <= high for case in zip(subjects, volumes, strict=True))


def test_every_slice_holds_dense_bone_and_air(volumes):
    for volume in volumes:
        assert (volume.max(axis=(1, 2)) > 400).all()
        assert (np.percentile(volume, 10, axis=(1, 2)) < -950).all()


def test_noise_in_the_air_is_correlated_in_plane(volumes):
    for volume in volumes:
        air = volume[:, 20:44, 110:146].astype(float)
        air -= air.mean(axis=(1, 2), keepdims=True)
        shared = [(air[:, :, lag:] * air[:, :, : 36 - lag]).mean() / air.var() for lag in (1, 2)]
        assert max(map(abs, shared)) > 0.08
        assert air.std() > 2


# Annotations.


def test_annotated_nodules_are_those_that_were_drawn(annotated, subjects):
    for scan, subject in zip(annotated, subjects, strict=True):
        found = sorted(nodule.diameter_mm for nodule in find_nodules(scan))
        drawn = sorted(lesion.diameter for lesion in subject.lesions)
        assert found == pytest.approx(drawn, abs=1.0)


def test_nodules_are_of_3_to_31_mm_inside_the_scan(annotated, volumes):
    for scan, volume in zip(annotated, volumes, strict=True):
        for nodule in find_nodules(scan):
            assert 3 <= nodule.diameter_mm <= 31
            assert scan.slices_mm[-1] < nodule.centre[0] < scan.slices_mm[0]
            assert 0 < min(nodule.centre[1:]) < max(nodule.centre[1:]) < volume.shape[1]


def test_every_patient_has_a_small_and_a_middle_nodule(annotated):
    for scan in annotated:
        diameters = [nodule.diameter_mm for nodule in find_nodules(scan)]
        assert any(4 <= diameter <= 8 for diameter in diameters)
        assert any(11 <= diameter <= 17 for diameter in diameters)


def test_a_solid_nodule_lies_under_its_annotation_and_not_under_its_mirror_image(annotated, subjects, volumes):
    under, swapped = [], []
    for scan, subject, volume in zip(annotated, subjects, volumes, strict=True):
        solid = {round(lesion.diameter) for lesion in subject.lesions if lesion.texture == "solid"}
        for nodule in find_nodules(scan):
            if round(nodule.diameter_mm) in solid:
                z, y, x = voxel(scan, nodule)
                reach = (nodule.diameter_mm / 2 + 4) / scan.pixel_spacing_mm
                under.append(contrast(volume[z], y, x, reach))
                swapped.append(contrast(volume[z], x, y, reach))
    assert len(under) >= 4
    assert np.median(under) > 500
    assert np.median(swapped) < 250


def test_readers_outline_closed_polygons_on_slices_of_the_scan(phantom, annotated):
    with closing(sqlite3.connect(phantom / "annotations.sqlite")) as connection:
        rows = connection.execute("SELECT coords, image_z_position, dicom_file_name FROM contours").fetchall()
    heights = {round(height, 6) for scan in annotated for height in scan.slices_mm}
    for text, height, file in rows:
        points = [tuple(map(int, line.split(","))) for line in text.splitlines()]
        assert points[0] == points[-1]
        assert len(set(points)) >= 3
        assert round(height, 6) in heights
        assert file.endswith(".dcm")


def test_contours_name_the_file_of_their_slice(phantom):
    with closing(sqlite3.connect(phantom / "annotations.sqlite")) as connection:
        rows = connection.execute(
            "SELECT patient_id, series_instance_uid, image_z_position, dicom_file_name FROM contours"
            " JOIN annotations ON annotations.id = annotation_id JOIN scans ON scans.id = scan_id"
        ).fetchall()
    for patient, series, height, file in rows[::7]:
        (path,) = phantom.glob(f"{patient}/*/{series}/{file}")
        assert pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient[2] == height


def test_ratings_keep_to_the_scales_of_lidc(phantom):
    with closing(sqlite3.connect(phantom / "annotations.sqlite")) as connection:
        rows = connection.execute("SELECT * FROM annotations").fetchall()
    ratings = np.array([row[3:] for row in rows])
    assert ratings.min() >= 1
    assert ratings.max(axis=0).tolist()[2] <= 6
    assert np.delete(ratings, 2, axis=1).max() <= 5
    assert len(set(ratings[:, -1].tolist())) > 1


def test_every_eighth_patient_has_no_nodule():
    assert [bool(draw_subject(Identity(0, "small", number)).lesions) for number in (7, 8, 16)] == [True, False, False]


# What may go wrong.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patients": 0}, "patients must be from 1"),
        ({"seed": -1}, "seed must be >= 0"),
        ({"workers": 0}, "workers must be >= 1"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, options, message):
    with pytest.raises(BuilderError, match=message):
        write_phantom(tmp_path / "phantom", **options)
    assert not (tmp_path / "phantom").exists()


def test_a_folder_with_anything_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "LIDC-IDRI-0001").mkdir()
    with pytest.raises(BuilderError, match="LIDC-IDRI-0001"):
        write_phantom(tmp_path, patients=1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["LIDC-IDRI-0001"]


def test_a_database_of_other_patients_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "annotations.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE scans (patient_id)")
        connection.execute("INSERT INTO scans VALUES ('LIDC-IDRI-0001')")
    with pytest.raises(BuilderError, match="not of phantom patients"):
        write_phantom(tmp_path, patients=1)


def test_a_file_is_no_folder_for_a_phantom(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BuilderError, match="is a file"):
        write_phantom(tmp_path / "file", patients=1)


def test_a_smaller_phantom_replaces_a_larger_one(tmp_path, monkeypatch):
    monkeypatch.setattr("builder.phantom.cohort.write_patient", write_nothing)
    write_phantom(tmp_path, patients=3)
    write_phantom(tmp_path, patients=1)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["PHANTOM-0001", "annotations.sqlite"]


def write_nothing(out, identity):
    (out / identity.patient).mkdir()
    return record_of(identity)


def record_of(identity):
    from builder.phantom.records import ScanRecord

    return ScanRecord("1", "2", identity.patient, 1.0, 0.7, False, (0.0,), ("000001.dcm",), ())


def test_a_patient_cut_short_leaves_nothing_under_its_name(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("builder.phantom.series.Series.write", fail)
    with pytest.raises(OSError, match="disk full"):
        write_phantom(tmp_path, patients=1, size="small")
    assert not list(tmp_path.glob("PHANTOM*"))
    assert not (tmp_path / "annotations.sqlite").exists()
