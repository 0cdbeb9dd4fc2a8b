"""Exports of many samples: selected, resumed, side by side, listed, and within the room there is."""

import csv
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pydicom
import pytest
import SimpleITK as sitk
import tiny_release
from ct_series import CTSeries
from dicom_reading import itk_image

from m3dsynth_dataset import open_release
from m3dsynth_dataset.cli import main
from m3dsynth_dataset.errors import ExportError, NotEnoughSpaceError, UnknownSampleError
from m3dsynth_dataset.export import batch, space
from m3dsynth_dataset.export.batch import export_samples
from m3dsynth_dataset.export.selection import select
from m3dsynth_dataset.export.space import predicted

ROOT = Path(__file__).parents[2]
ALL = {f"{generator}/{site}" for generator, site in tiny_release.EDITS} | {"pristine/scan-1", "pristine/scan-2"}
FORMS = {"dicom": "dicom", "nifti": "nifti", "zarr": "sample.zarr"}


@pytest.fixture(scope="module")
def release(release_path):
    return open_release(release_path)


def files(folder):
    """The content of every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def index(out):
    with (out / "index.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ALL),
        ({"config": "pix2pix-injection"}, {"pix2pix/inj_1"}),
        ({"config": "pristine"}, {"pristine/scan-1", "pristine/scan-2"}),
        ({"config": "pristine", "split": "test"}, {"pristine/scan-2"}),
        ({"split": "train"}, {"pix2pix/inj_1", "identity/inj_1", "pristine/scan-1"}),
        ({"config": "all"}, {"pix2pix/inj_1", "pix2pix/rem_1", "pristine/scan-1", "pristine/scan-2"}),
        ({"sample_ids": ("pix2pix/rem_1", "identity/inj_1")}, {"pix2pix/rem_1", "identity/inj_1"}),
    ],
)
def test_samples_are_selected_by_name_config_and_split(release, wanted, expected):
    entries = select(release, **wanted)
    assert {entry.sample_id for entry in entries} == expected
    assert len(entries) == len(expected)
    for entry in entries:
        row = release.sample(entry.sample_id).row
        assert (entry.patient_id, entry.generator) == (row["patient_id"], row["generator"])
        assert entry.split == tiny_release.SCANS[entry.scan_id][1]


@pytest.mark.parametrize(
    ("wanted", "error", "message"),
    [
        ({"sample_ids": ("pix2pix/inj_2",)}, UnknownSampleError, "did you mean 'pix2pix/inj_1'"),
        ({"config": "dm-injection"}, ExportError, "no rows of dm-injection; it has identity-injection"),
        ({"config": "pix2pix-injection", "split": "test"}, ExportError, "no rows of pix2pix-injection, test"),
        ({"config": "pristine", "sample_ids": ("pix2pix/inj_1",)}, ExportError, "not by both"),
    ],
)
def test_a_selection_that_names_nothing_is_an_error(release, wanted, error, message):
    with pytest.raises(error, match=message):
        select(release, **wanted)


@pytest.mark.parametrize("form", FORMS)
def test_every_sample_is_written_and_listed(release, tmp_path, form):
    done = export_samples(release, tmp_path, to=form)
    assert (set(done.written), done.ready, done.failed) == (ALL, (), {})
    rows = index(tmp_path)
    assert [row["sample_id"] for row in rows] == sorted(ALL)
    for row in rows:
        sample = release.sample(row["sample_id"])
        assert (row["label"], row["manipulation"]) == (sample.label, sample.manipulation)
        assert row["path"] == f"{row['sample_id']}/{FORMS[form]}"
        assert (tmp_path / row["path"]).is_dir()


def test_workers_do_not_change_the_files(release, tmp_path):
    wanted = {"to": "nifti", "config": "pristine"}
    export_samples(release, tmp_path / "one", **wanted)
    export_samples(release, tmp_path / "two", **wanted, workers=2)
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert one.keys() == two.keys()
    for name in one:
        if not name.endswith(".gz"):  # gzip notes the time
            assert one[name] == two[name]
    for path in (tmp_path / "one").rglob("*.nii.gz"):
        other = sitk.ReadImage(str(tmp_path / "two" / path.relative_to(tmp_path / "one")))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), sitk.GetArrayFromImage(other))


def test_a_second_run_writes_only_what_is_missing(release, tmp_path):
    export_samples(release, tmp_path, to="dicom", config="pristine")
    before = files(tmp_path / "pristine/scan-1")
    shutil.rmtree(tmp_path / "pristine/scan-2")
    done = export_samples(release, tmp_path, to="dicom", config="all")
    assert set(done.ready) == {"pristine/scan-1"}
    assert set(done.written) == {"pristine/scan-2", "pix2pix/inj_1", "pix2pix/rem_1"}
    assert files(tmp_path / "pristine/scan-1") == before
    assert {row["sample_id"] for row in index(tmp_path)} == {*done.ready, *done.written}


def test_a_run_that_was_killed_is_resumed_and_ends_as_if_it_had_not_been(release, release_path, tmp_path):
    out = tmp_path / "killed"
    code = f"""
import os
from m3dsynth_dataset import open_release
from m3dsynth_dataset.export import dicom
from m3dsynth_dataset.export.batch import export_samples
write, written = dicom._write, []
def killed(path, *others):
    written.append(path)
    if len(written) == 30:  # amid the second sample
        os._exit(9)
    write(path, *others)
dicom._write = killed
export_samples(open_release({str(release_path)!r}), {str(out)!r}, to="dicom", config="pristine")
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 9
    assert [path.name for path in (out / "pristine").iterdir() if path.is_dir() and (path / "dicom").exists()] == [
        "scan-1"
    ]
    done = export_samples(release, out, to="dicom", config="pristine")
    assert (done.ready, done.written) == (("pristine/scan-1",), ("pristine/scan-2",))
    export_samples(release, tmp_path / "whole", to="dicom", config="pristine")
    for name, content in files(tmp_path / "whole").items():
        assert (out / name).read_bytes() == content


def test_another_release_or_other_headers_are_written_anew(release, tmp_path):
    export_samples(release, tmp_path / "out", to="dicom", samples=["pristine/scan-1"])
    record = tmp_path / "out/pristine/scan-1/dicom/export.json"
    text = record.read_text()
    for key, value in ((release.manifest.digest, "0" * 64), ("built", "original")):
        record.write_text(text.replace(key, value))
        assert export_samples(release, tmp_path / "out", to="dicom", samples=["pristine/scan-1"]).written
        assert record.read_text() == text


def test_forms_lie_side_by_side_and_the_index_forgets_what_is_gone(release, tmp_path):
    for form in FORMS:
        export_samples(release, tmp_path, to=form, samples=["pix2pix/inj_1"])
    assert [row["form"] for row in index(tmp_path)] == ["dicom", "nifti", "zarr"]
    shutil.rmtree(tmp_path / "pix2pix/inj_1/nifti")
    export_samples(release, tmp_path, to="zarr", samples=["pix2pix/inj_1"])
    assert [row["form"] for row in index(tmp_path)] == ["dicom", "zarr"]


def test_a_sample_that_cannot_be_written_does_not_stop_the_others(release_path, tmp_path):
    damaged = shutil.copytree(release_path, tmp_path / "m3dsynth")
    shard = damaged / "volumes/scan-1.zarr/c/0/0/0"
    shard.write_bytes(shard.read_bytes()[:-100])
    done = export_samples(open_release(damaged), tmp_path / "out", to="zarr", config="pristine")
    assert done.written == ("pristine/scan-2",)
    assert done.failed.keys() == {"pristine/scan-1"}
    assert [row["sample_id"] for row in index(tmp_path / "out")] == ["pristine/scan-2"]


@pytest.mark.parametrize("form", FORMS)
def test_the_predicted_size_is_that_of_the_files(release, tmp_path, form):
    export_samples(release, tmp_path, to=form, config="pristine")
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    # Small volumes: their headers weigh more, and noise compresses less, than in scans.
    assert 0.5 * size < predicted(select(release, config="pristine"), form, release.manifest) < 2 * size


def test_a_full_disk_is_said_before_anything_is_written(release, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 100_000))
    with pytest.raises(NotEnoughSpaceError, match=r"2 samples as zarr take about 2\d\d kB, 100 kB are free there"):
        export_samples(release, tmp_path / "out", to="zarr", config="pristine")
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fills_up_is_said_plainly(release, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(batch.errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(batch, "load_exporter", lambda *_: full)
    with pytest.raises(NotEnoughSpaceError, match="the disk is full; the samples written so far stay"):
        export_samples(release, tmp_path / "out", to="zarr", config="pristine")


def test_the_command_finds_each_scan_in_a_source_of_any_layout(release_path, tmp_path, capsys):
    lidc = tmp_path / "lidc"
    renamed = renamed_release(release_path, tmp_path / "m3dsynth", {"scan-1": "1.2.3.1", "scan-2": "1.2.3.2"})
    for number in (1, 2):
        series = CTSeries(
            shape=tiny_release.SHAPE, scan_id=f"1.2.3.{number}", header={"FrameOfReferenceUID": f"1.2.4.{number}"}
        )
        series.write(lidc, prefix=f"{number}-")
    call = ["export", str(renamed), "--split", "train", "--all", "--to", "dicom", "--out", str(tmp_path / "out")]
    assert main([*call, "--source", str(lidc), "--workers", "2"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out'}: 3 written, 0 there already, 0 failed\n"
    folder = tmp_path / "out/pix2pix/inj_1/dicom/ct"
    np.testing.assert_array_equal(
        sitk.GetArrayFromImage(itk_image(folder))[::-1], tiny_release.tampered("pix2pix", "inj_1")
    )
    assert pydicom.dcmread(folder / "0001.dcm").FrameOfReferenceUID == "1.2.4.1"


def renamed_release(release_path, path, names):
    """A copy of a release whose scans have other names; its digest is that of the first."""
    shutil.copytree(release_path, path)
    for file in (path / "data").rglob("*.parquet"):
        table = pq.read_table(file)
        scan_ids = pa.array([names[each] for each in table["scan_id"].to_pylist()])
        pq.write_table(table.set_column(table.schema.get_field_index("scan_id"), "scan_id", scan_ids), file)
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pix2pix/inj_9", "--to", "zarr"], "has no sample 'pix2pix/inj_9'"),
        (["--config", "none", "--to", "zarr"], "has no rows of none"),
        (["--all", "--to", "dicom", "--source", "no/such/folder"], "no/such/folder: no such folder"),
    ],
)
def test_a_users_mistake_is_a_line_and_exit_status_2(release_path, tmp_path, capsys, arguments, message):
    assert main(["export", str(release_path), *arguments, "--out", str(tmp_path / "out"), "--workers", "1"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say which samples"),
        (["pix2pix/inj_1", "--all"], "say which samples"),
        (["pix2pix/inj_1", "--split", "test"], "--split goes with"),
        (["--all", "--source", "."], "it needs --to dicom"),
        (["--all", "--workers", "0"], "--workers must be >= 1"),
    ],
)
def test_options_that_contradict_each_other_are_refused(release_path, tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(release_path), *arguments, "--to", "zarr", "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", "").split())


def test_a_file_in_the_place_of_the_folder_is_the_users_mistake(release_path, tmp_path, capsys):
    (tmp_path / "out").write_text("mine")
    assert main(["export", str(release_path), "--all", "--to", "zarr", "--out", str(tmp_path / "out")]) == 2
    assert "is a file; --out names a folder" in capsys.readouterr().err


def test_samples_that_fail_are_named_and_the_exit_status_is_1(release_path, tmp_path, capsys):
    (tmp_path / "out/pristine/scan-1/sample.zarr").mkdir(parents=True)
    call = ["export", str(release_path), "--config", "pristine", "--to", "zarr", "--out", str(tmp_path / "out")]
    assert main([*call, "--workers", "1"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("pristine/scan-1: ")
    assert captured.out.endswith("1 written, 0 there already, 1 failed\n")
    assert [row["sample_id"] for row in index(tmp_path / "out")] == ["pristine/scan-2"]
