import os

import pytest
from ct_series import UID_ROOT, CTSeries

from builder.errors import BuilderError
from builder.inventory import find_series


def only_finding(root):
    inventory = find_series(root)
    assert inventory.series == ()
    (finding,) = inventory.findings
    return finding


def test_a_series_is_found_by_its_headers_whatever_its_files_are_called(tmp_path):
    for number, path in enumerate(CTSeries().write(tmp_path / "a" / "b")):
        path.rename(tmp_path / f"IM{number}")
    (series,) = find_series(tmp_path).series
    assert series.scan_id == CTSeries().scan_id
    assert series.patient_id == "TEST-0001"
    assert series.shape_zyx == CTSeries().shape


def test_slices_run_from_the_head_down(tmp_path):
    CTSeries(top_mm=-30).write(tmp_path)
    positions = find_series(tmp_path).series[0].positions_mm
    assert positions.tolist() == [-30.0, -32.5, -35.0, -37.5, -40.0, -42.5]


def test_spacing_comes_from_positions_and_not_from_the_thickness(tmp_path):
    CTSeries(spacing_mm=(1.25, 0.8, 0.7)).write(tmp_path)
    assert find_series(tmp_path).series[0].geometry.spacing_mm == pytest.approx((1.25, 0.8, 0.7))


def test_two_series_in_one_folder_are_told_apart(tmp_path):
    CTSeries().write(tmp_path, "a")
    CTSeries(scan_id=UID_ROOT + "2", shape=(4, 8, 8)).write(tmp_path, "b")
    assert [series.shape_zyx for series in find_series(tmp_path).series] == [(6, 16, 12), (4, 8, 8)]


def test_files_that_are_not_dicom_are_passed_over(tmp_path):
    CTSeries().write(tmp_path)
    (tmp_path / "072.xml").write_text("<x/>")
    (tmp_path / "empty").touch()
    inventory = find_series(tmp_path)
    assert len(inventory.series) == 1
    assert inventory.findings == ()


@pytest.mark.parametrize("modality", ["SEG", "SR", "DX"])
def test_objects_that_are_not_ct_are_reported_and_left_out(tmp_path, modality):
    CTSeries().write(tmp_path / "ct")
    CTSeries(scan_id=UID_ROOT + "2", modality=modality, shape=(2, 8, 8)).write(tmp_path / "other")
    inventory = find_series(tmp_path)
    assert len(inventory.series) == 1
    assert f"not a CT slice but {modality} (and 1 more)" in str(inventory.findings[0])


def test_a_localizer_is_reported_and_left_out(tmp_path):
    CTSeries().write(tmp_path / "ct")
    CTSeries(scan_id=UID_ROOT + "2", image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")).write(tmp_path / "scout")
    inventory = find_series(tmp_path)
    assert len(inventory.series) == 1
    assert "a localizer" in inventory.findings[0].reason


def test_a_missing_slice_is_reported_with_the_file_after_the_gap(tmp_path):
    CTSeries(missing=[2]).write(tmp_path)
    finding = only_finding(tmp_path)
    assert "slice missing: 5 mm below 007.dcm (z = -32.5 mm), usually 2.5 mm" in finding.reason
    assert finding.path.endswith("021.dcm")


def test_a_doubled_slice_is_reported_with_both_files(tmp_path):
    series = CTSeries()
    series.write(tmp_path)
    series.write_slice(tmp_path / "copy.dcm", 3)
    finding = only_finding(tmp_path)
    assert "duplicated slice: at z = -37.5 mm, where 021.dcm lies too" in finding.reason
    assert finding.path.endswith("copy.dcm")


@pytest.mark.parametrize(("cut", "left"), [(100, 284), (2, 382)])
def test_a_truncated_file_takes_its_series_with_it(tmp_path, cut, left):
    path = CTSeries().write(tmp_path)[-1]
    path.write_bytes(path.read_bytes()[:-cut])
    CTSeries(scan_id=UID_ROOT + "2").write(tmp_path / "whole")
    inventory = find_series(tmp_path)
    assert [series.scan_id for series in inventory.series] == [UID_ROOT + "2"]
    assert inventory.findings[0].path == str(path)
    assert f"truncated: {left} bytes after the header, 384 needed" in inventory.findings[0].reason


def test_a_file_cut_within_its_header_is_reported_and_nothing_is_raised(tmp_path):
    path = CTSeries().write(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:400])
    inventory = find_series(tmp_path)
    assert any(finding.path == str(path) for finding in inventory.findings)


def test_uneven_spacing_is_reported(tmp_path):
    series = CTSeries()
    series.write(tmp_path)
    series.header = {"ImagePositionPatient": [-100.0, -90.0, -38.5]}
    series.write_slice(tmp_path / "021.dcm", 3)
    assert "uneven spacing" in only_finding(tmp_path).reason


def test_a_tilted_gantry_is_reported_by_its_orientation_or_by_its_shear(tmp_path):
    CTSeries(orientation=(1, 0, 0, 0, 0.94, -0.34)).write(tmp_path / "a")
    CTSeries(scan_id=UID_ROOT + "2", shear_mm=0.9).write(tmp_path / "b")
    inventory = find_series(tmp_path)
    assert inventory.series == ()
    assert all("tilted gantry" in finding.reason for finding in inventory.findings)


def test_slices_of_two_sizes_in_one_series_are_reported(tmp_path):
    CTSeries().write(tmp_path)
    CTSeries(shape=(1, 8, 8), top_mm=-45).write(tmp_path, "odd")
    assert "size (8, 8)" in only_finding(tmp_path).reason


def test_a_single_slice_is_no_scan(tmp_path):
    CTSeries(shape=(1, 8, 8)).write(tmp_path)
    assert "single slice" in only_finding(tmp_path).reason


@pytest.mark.parametrize("name", ["PixelSpacing", "ImagePositionPatient", "PatientID"])
def test_a_slice_without_a_needed_tag_is_reported(tmp_path, name):
    CTSeries(header={name: None}, shape=(2, 8, 8)).write(tmp_path / "bad")
    CTSeries(scan_id=UID_ROOT + "2").write(tmp_path / "good")
    inventory = find_series(tmp_path)
    assert len(inventory.series) == 1
    assert f"has no {name}" in inventory.findings[0].reason


@pytest.mark.parametrize("name", ["PixelSpacing", "ImagePositionPatient", "RescaleSlope"])
def test_a_slice_of_no_use_takes_its_series_with_it_even_where_the_others_would_pass_for_a_shorter_one(tmp_path, name):
    series = CTSeries()
    series.write(tmp_path)
    series.header = {name: None}
    last = series.write_slice(tmp_path / "035.dcm", 5)
    finding = only_finding(tmp_path)
    assert finding.path == str(last)
    assert f"has no {name}" in finding.reason


@pytest.mark.parametrize("content", [b"", b"not found", b"\0" * 5000])
def test_a_slice_that_tells_nothing_takes_the_series_beside_it_along(tmp_path, content):
    CTSeries().write(tmp_path / "patient")[-1].write_bytes(content)
    CTSeries(scan_id=UID_ROOT + "2").write(tmp_path / "other")
    inventory = find_series(tmp_path)
    assert [series.scan_id for series in inventory.series] == [UID_ROOT + "2"]
    empty, lost = inventory.findings
    assert empty.path == str(tmp_path / "patient" / "035.dcm")
    assert lost.path == str(tmp_path / "patient")
    assert f"series {CTSeries().scan_id} may have lost a slice: 035.dcm lies beside it" in lost.reason


def test_slices_of_two_patients_in_one_series_are_reported(tmp_path):
    series = CTSeries()
    series.write(tmp_path)
    series.patient_id = "SOMEBODY-ELSE"
    series.write_slice(tmp_path / "021.dcm", 3)
    assert "PatientID 'SOMEBODY-ELSE' is not that of 000.dcm" in only_finding(tmp_path).reason


def test_positions_in_two_frames_of_reference_cannot_be_compared(tmp_path):
    series = CTSeries()
    series.write(tmp_path)
    series.header = {"FrameOfReferenceUID": "1.2.3"}
    series.write_slice(tmp_path / "021.dcm", 3)
    assert "FrameOfReferenceUID '1.2.3' is not that of 000.dcm" in only_finding(tmp_path).reason


def test_links_lead_to_a_file_once(tmp_path):
    files = CTSeries().write(tmp_path / "a")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "c").mkdir()
    for path in files:
        (tmp_path / "c" / path.name).symlink_to(path)
        (tmp_path / "c" / f"hard-{path.name}").hardlink_to(path)
    inventory = find_series(tmp_path)
    assert inventory.findings == ()
    assert inventory.series[0].shape_zyx == CTSeries().shape


def test_a_link_that_leads_nowhere_is_a_lost_slice(tmp_path):
    path = CTSeries().write(tmp_path)[-1]
    path.unlink()
    path.symlink_to("gone")
    inventory = find_series(tmp_path)
    assert inventory.series == ()
    assert "cannot be read (No such file or directory)" in inventory.findings[0].reason


def test_a_pipe_is_not_waited_for(tmp_path):
    CTSeries().write(tmp_path)
    os.mkfifo(tmp_path / "pipe.dcm")
    inventory = find_series(tmp_path)
    assert len(inventory.series) == 1
    assert "a pipe or a device" in inventory.findings[0].reason


def test_a_folder_that_cannot_be_read_is_reported(tmp_path, monkeypatch):
    # The tests may run as root, who can read all.
    CTSeries().write(tmp_path / "open")
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    inventory = find_series(tmp_path)
    assert len(inventory.series) == 1
    assert inventory.findings[0].path == str(tmp_path / "closed")
    assert "the folder cannot be read (Permission denied)" in inventory.findings[0].reason


def test_harmless_files_are_told_of_once_for_every_patient(tmp_path):
    for patient in "ab":
        CTSeries(scan_id=UID_ROOT + "1", modality="SEG", shape=(3, 8, 8)).write(tmp_path / patient / "x" / "y")
    CTSeries().write(tmp_path / "c")
    inventory = find_series(tmp_path)
    assert [finding.reason for finding in inventory.findings] == ["not a CT slice but SEG (and 2 more)"] * 2


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(BuilderError, match=r"nowhere: no such folder; --lidc names"):
        find_series(tmp_path / "nowhere")


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(BuilderError, match="no CT slice in this folder \\(0 files, none of them DICOM\\)"):
        find_series(tmp_path)


def test_a_folder_without_ct_is_named_with_what_is_in_it(tmp_path):
    CTSeries(modality="MR").write(tmp_path)
    with pytest.raises(BuilderError, match=r"no CT slice in this folder .* not a CT slice but MR"):
        find_series(tmp_path)


def test_the_result_does_not_depend_on_the_number_of_workers(tmp_path):
    CTSeries().write(tmp_path / "a")
    CTSeries(scan_id=UID_ROOT + "2", missing=[1]).write(tmp_path / "b")
    assert find_series(tmp_path, workers=1) == find_series(tmp_path, workers=2)
