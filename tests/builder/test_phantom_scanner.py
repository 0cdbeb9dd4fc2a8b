"""What a scanner does to a body: noise, storage, headers and the annotation database."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from builder.annotations import read_annotations
from builder.phantom.database import write_database
from builder.phantom.files import Template
from builder.phantom.identity import Identity
from builder.phantom.noise import Noise, strength
from builder.phantom.records import Contour, Ratings, Reading, ScanRecord
from builder.phantom.scanner import KERNELS, STORAGES, draw_scanner
from builder.phantom.series import draw_sequence, outside, stored
from builder.phantom.stature import draw_stature


def scanner(number=1, seed=0, size="small"):
    rng = np.random.default_rng(seed)
    return draw_scanner(rng, size, draw_stature(rng, size), number)


def noise(kernel=KERNELS[0], count=12, **options):
    source = Noise(np.random.default_rng(0), replace(scanner(), kernel=kernel, **options))
    return np.stack([source.plane() for _ in range(count)])


def neighbours(planes, axis):
    first = np.take(planes, range(planes.shape[axis] - 1), axis=axis)
    second = np.take(planes, range(1, planes.shape[axis]), axis=axis)
    return float((first * second).mean() / planes.var())


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_noise_has_unit_deviation(kernel):
    assert noise(kernel).std() == pytest.approx(1, abs=0.02)


def test_a_soft_kernel_shares_noise_between_pixels_more_than_a_sharp_one():
    soft, sharp = (neighbours(noise(KERNELS[index]), 2) for index in (0, -1))
    assert soft > 0.3
    assert soft > sharp + 0.15


def test_noise_is_alike_along_rows_and_columns():
    planes = noise()
    assert neighbours(planes, 1) == pytest.approx(neighbours(planes, 2), abs=0.02)


def test_thin_slices_share_noise_with_their_neighbours():
    assert neighbours(noise(spacing=1.0, count=30), 0) == pytest.approx(0.35, abs=0.03)
    assert abs(neighbours(noise(spacing=3.0, count=30), 0)) < 0.08


def test_noise_is_strongest_in_the_body():
    camera = scanner()
    deviation = strength(camera, 90.0, 60.0)
    assert deviation[128, 128] == pytest.approx(camera.noise, rel=0.05)
    assert deviation[5, 5] < 0.6 * deviation[128, 128]


@pytest.mark.parametrize("size", ["small", "full"])
def test_scanners_keep_to_their_ranges(size):
    scanners = [scanner(number, seed=number, size=size) for number in range(1, 40)]
    assert {camera.storage for camera in scanners} == set(STORAGES)
    assert {camera.matrix for camera in scanners} == {{"small": 256, "full": 512}[size]}
    assert all(0.5 <= camera.pixel <= 0.9 for camera in scanners)
    assert all(0.6 <= camera.spacing <= 3 for camera in scanners)
    assert all(10 <= camera.noise <= 40 for camera in scanners)
    low, high = {"small": (110, 155), "full": (240, 300)}[size]
    assert all(low <= camera.slices * camera.spacing <= high for camera in scanners)


@pytest.mark.parametrize("storage", STORAGES)
def test_stored_numbers_give_the_hu_back(storage):
    camera = replace(scanner(), storage=storage)
    hu = np.random.default_rng(0).uniform(-1024, 3000, (256, 256)).astype(np.float32)
    values = stored(hu, camera, outside(camera))
    assert values.dtype == (np.int16 if storage.signed else np.uint16)
    inner = ~outside(camera)
    assert (np.abs(values[inner].astype(int) + storage.intercept - hu[inner]) <= 0.5).all()
    assert values[0, 0] == (-2000 if storage.padded else -1024 - storage.intercept)


def test_hu_beyond_the_range_of_a_scanner_are_clipped():
    camera = replace(scanner(), storage=STORAGES[4])
    hu = np.full((256, 256), -3000, dtype=np.float32)
    hu[128, 128] = 9000
    values = stored(hu, camera, outside(camera))
    assert (values.min(), values.max()) == (-1024, 3071)


@pytest.mark.parametrize("seed", range(6))
def test_a_sequence_names_and_numbers_every_slice_once(seed):
    camera = scanner(seed=seed)
    sequence = draw_sequence(np.random.default_rng(seed), camera)
    assert sorted(sequence.files) == [f"{number:06d}.dcm" for number in range(1, camera.slices + 1)]
    assert sorted(sequence.instances) == list(range(1, camera.slices + 1))
    assert (sequence.instances[0] > sequence.instances[-1]) == camera.descending
    assert np.diff([z for _, _, z in sequence.positions]) == pytest.approx(camera.spacing)


def test_a_template_writes_what_pydicom_writes(tmp_path):
    shared, varying = Dataset(), Dataset()
    shared.SOPClassUID, shared.PatientID, shared.Rows, shared.Columns = CTImageStorage, "A", 2, 3
    shared.PixelRepresentation, shared.PixelPaddingValue, shared.BitsAllocated = 1, -2000, 16
    varying.SOPInstanceUID, varying.InstanceNumber = "2.25.77", 5
    pixels = np.arange(6, dtype=np.int16).reshape(2, 3) - 3
    Template(shared, ("SOPInstanceUID", "InstanceNumber")).write(tmp_path / "ours.dcm", varying, pixels)
    ours = pydicom.dcmread(tmp_path / "ours.dcm")
    whole = Dataset()
    whole.update({**dict(shared.items()), **dict(varying.items())})
    theirs = FileDataset(
        tmp_path / "theirs.dcm", whole, preamble=b"\0" * 128, file_meta=FileMetaDataset(ours.file_meta)
    )
    theirs.save_as(tmp_path / "theirs.dcm", enforce_file_format=True)
    assert ours.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (tmp_path / "ours.dcm").read_bytes() == (tmp_path / "theirs.dcm").read_bytes()


def test_uids_depend_on_everything_and_fit_dicom():
    identities = [Identity(seed, size, number) for seed in (0, 1) for size in ("small", "full") for number in (1, 2)]
    uids = {identity.uid(role) for identity in identities for role in ("study", "ct", "ct/1")}
    assert len(uids) == 24
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in uids)


def record(patient="PHANTOM-0001"):
    square = tuple((x, y) for x, y in ((10, 20), (20, 20), (20, 30), (10, 30), (10, 20)))
    contours = tuple(Contour(height, "000001.dcm", square) for height in (-2.0, 0.0, 2.0))
    reading = Reading("Nodule 001", Ratings(4, 1, 6, 3, 4, 1, 2, 5, 3), contours)
    return ScanRecord("1.2", "1.3", patient, 2.0, 0.5, True, (-4.0, -2.0, 0.0, 2.0), ("a",) * 4, (reading,))


def test_the_database_is_read_as_pylidcs_is(tmp_path):
    write_database(tmp_path / "annotations.sqlite", [record()])
    (scan,) = read_annotations(tmp_path / "annotations.sqlite")
    (annotation,) = scan.annotations
    assert (scan.patient_id, scan.scan_id, scan.slices_mm.tolist()) == ("PHANTOM-0001", "1.3", [2.0, 0.0, -2.0, -4.0])
    assert annotation.malignancy == 3
    assert annotation.outline[:, 1].max() == 30
    assert annotation.diameter_mm == pytest.approx(np.cbrt(6 / np.pi * 9 * 9 * 0.25 * 3 * 2))


def test_equal_scans_give_equal_databases(tmp_path):
    for name in ("a", "b"):
        write_database(tmp_path / name, [record(), record("PHANTOM-0002")])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
