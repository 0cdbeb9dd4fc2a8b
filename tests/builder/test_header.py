import pydicom
import pytest
from ct_series import CTSeries

from builder.finding import Finding
from builder.header import Header, Orphan, read_header

SCAN_ID = CTSeries().scan_id


def written(folder, **header):
    return CTSeries(shape=(1, 8, 6), header=header).write(folder)[0]


def test_a_slice_tells_its_series_patient_place_and_grey_values(tmp_path):
    found = read_header(written(tmp_path, FrameOfReferenceUID="1.2.9"))
    assert isinstance(found, Header)
    assert (found.scan_id, found.patient_id, found.frame, found.fault) == (SCAN_ID, "TEST-0001", "1.2.9", None)
    assert found.slice.position_mm == (-100.0, -90.0, -30.0)
    assert found.slice.shape == (8, 6)
    assert (found.slice.slope, found.slice.intercept) == (1.0, -1024.0)
    assert found.slice.range_hu == (-32768 - 1024, 32767 - 1024)
    assert not found.slice.is_compressed
    assert not found.slice.is_lossy


def test_pixels_that_compression_has_altered_are_known_from_the_header(tmp_path):
    assert read_header(written(tmp_path, LossyImageCompression="01")).slice.is_lossy


def test_a_fault_belongs_to_the_series_even_where_nothing_else_can_be_read(tmp_path):
    found = read_header(written(tmp_path, PatientID="", PixelSpacing=None))
    assert isinstance(found, Header)
    assert found.slice is None
    assert "the CT slice has no PatientID" in found.fault.reason


def test_a_file_that_does_not_tell_its_series_is_an_orphan(tmp_path):
    found = read_header(written(tmp_path, SeriesInstanceUID=None))
    assert isinstance(found, Orphan)
    assert found.is_dicom


@pytest.mark.parametrize("size", [300, 420, 600])
def test_a_file_that_ends_within_its_header_is_an_orphan_since_its_last_value_may_be_cut(tmp_path, size):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    found = read_header(path)
    assert isinstance(found, Orphan)
    assert found.is_dicom


def test_a_file_without_preamble_is_refused_with_its_series(tmp_path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[132:])
    found = read_header(path)
    assert found.scan_id == SCAN_ID
    assert "a DICOM file without preamble" in found.fault.reason


@pytest.mark.parametrize("name", ["notes.txt", "._001.dcm", "archive.zip", "slice"])
def test_a_file_that_is_no_dicom_and_not_called_so_is_passed_over(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK\3\4 or anything else")
    assert read_header(tmp_path / name) is None


def test_a_file_that_is_called_dicom_and_is_none_is_an_orphan(tmp_path):
    (tmp_path / "7.DCM").write_bytes(b"404 Not Found")
    found = read_header(tmp_path / "7.DCM")
    assert isinstance(found, Orphan)
    assert not found.is_dicom


@pytest.mark.parametrize("modality", ["SEG", "SR", "DX"])
def test_other_objects_are_harmless(tmp_path, modality):
    assert isinstance(read_header(written(tmp_path, Modality=modality)), Finding)


@pytest.mark.parametrize("uid", ["../../evil", "/etc/passwd", "1.2.x", "1..2", "1." * 40 + "1", "a b"])
def test_a_series_whose_name_could_not_be_a_folder_is_refused(tmp_path, uid):
    path = written(tmp_path)
    dataset = pydicom.dcmread(path)
    with pydicom.config.disable_value_validation():
        dataset.SeriesInstanceUID = uid
        dataset.save_as(path)
    assert "is no DICOM identifier" in read_header(path).fault.reason
