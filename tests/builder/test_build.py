import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from ct_series import UID_ROOT, CTSeries

from builder import build as build_stage
from builder.cli import main
from builder.phantom import write_phantom
from m3dsynth_dataset import open_release

PATIENTS = 3


@pytest.fixture(scope="session")
def phantom(tmp_path_factory):
    """A few small phantom patients; tests only read them."""
    return write_phantom(tmp_path_factory.mktemp("phantom") / "lidc", patients=PATIENTS, seed=0, size="small")


def build(lidc, out, *options):
    arguments = ["build", "--lidc", str(lidc), "--out", str(out), "--weights", str(out.parent / "weights")]
    return main([*arguments, "--workers", "1", *map(str, options)])


@pytest.fixture(scope="session")
def release(phantom, tmp_path_factory):
    out = tmp_path_factory.mktemp("release") / "m3dsynth"
    assert build(phantom, out) == 0
    return open_release(out)


def samples(release):
    for config, splits in release.splits.items():
        for split in splits:
            for row in release.rows(config, split).to_pylist():
                yield release.sample(row)


def dicom_hu(lidc, scan_id):
    """A series as SimpleITK reads it by itself, slices from the head down."""
    reader = sitk.ImageSeriesReader()
    for folder in {path.parent for path in lidc.rglob("*.dcm")}:
        if scan_id in reader.GetGDCMSeriesIDs(str(folder)):
            image = sitk.ReadImage(reader.GetGDCMSeriesFileNames(str(folder), scan_id))
            return sitk.GetArrayFromImage(image)[::-1]
    raise LookupError(scan_id)


def test_every_sample_is_the_dicom_but_for_its_mask(phantom, release):
    for sample in samples(release):
        hu = dicom_hu(phantom, sample.row["scan_id"])
        mask = sample.mask[...]
        np.testing.assert_array_equal(sample.pristine[...], hu)
        np.testing.assert_array_equal(sample.ct[...][~mask], hu[~mask])
        assert mask.any() == (sample.label != "pristine")


def test_every_patient_is_in_one_split(release):
    splits = {}
    for config, names in release.splits.items():
        for split in names:
            for patient in release.rows(config, split, ["patient_id"])["patient_id"].to_pylist():
                assert splits.setdefault(patient, split) == split
    assert len(splits) == PATIENTS


def test_the_control_is_there_for_both_manipulations(release):
    assert {"pristine", "identity-injection", "identity-removal"} == set(release.configs)
    assert {sample.row["source"] for sample in samples(release)} == {"phantom"}


def test_the_result_does_not_depend_on_the_number_of_workers(phantom, release, tmp_path):
    assert build(phantom, tmp_path / "m3dsynth", "--workers", 2) == 0
    assert (tmp_path / "m3dsynth" / "manifest.json").read_bytes() == (release.path / "manifest.json").read_bytes()


def test_a_build_that_was_stopped_goes_on_and_ends_the_same(phantom, release, tmp_path, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build_stage, "inpaint", stop)
        assert build(phantom, tmp_path / "m3dsynth") == 130
    assert not (tmp_path / "m3dsynth").exists()
    ready = {path: path.stat().st_mtime_ns for path in (tmp_path / "m3dsynth.work" / "scans").rglob("zarr.json")}
    assert len(ready) == PATIENTS
    with monkeypatch.context() as patch:
        patch.setattr("builder.prepare.read_scan", stop)  # nothing is read twice
        assert build(phantom, tmp_path / "m3dsynth") == 0
    assert (tmp_path / "m3dsynth" / "manifest.json").read_bytes() == (release.path / "manifest.json").read_bytes()
    assert not (tmp_path / "m3dsynth.work").exists()


def test_a_plan_made_beforehand_gives_the_same_release(phantom, release, tmp_path):
    plan = tmp_path / "plan.parquet"
    assert main(["plan", "--lidc", str(phantom), "--out", str(plan), "--workers", "1"]) == 0
    assert build(phantom, tmp_path / "m3dsynth", "--plan", plan) == 0
    assert open_release(tmp_path / "m3dsynth").manifest.digest == release.manifest.digest


@pytest.fixture
def messy(phantom, tmp_path):
    """The phantom with one patient's file cut off, and another series that is not in the database."""
    lidc = shutil.copytree(phantom, tmp_path / "messy")
    path = sorted((lidc / "PHANTOM-0001").rglob("*.dcm"), key=lambda each: each.stat().st_size)[-1]
    path.write_bytes(path.read_bytes()[:-5000])
    CTSeries(scan_id=UID_ROOT + "9").write(lidc / "stray")
    return lidc, path


def test_what_cannot_be_used_is_reported_and_left_out(messy, tmp_path, capsys):
    lidc, cut = messy
    assert build(lidc, tmp_path / "m3dsynth") == 0
    release = open_release(tmp_path / "m3dsynth")
    patients = {sample.row["patient_id"] for sample in samples(release)}
    assert patients == {f"PHANTOM-{number:04d}" for number in range(2, PATIENTS + 1)}
    report = json.loads((tmp_path / "m3dsynth.report.json").read_text())
    assert "truncated" in {each["path"]: each["reason"] for each in report["left_out"]}[str(cut)]
    assert report["not_in_the_plan"] == [{"scan_id": UID_ROOT + "9", "patient_id": "TEST-0001"}]
    shown = capsys.readouterr().out
    assert str(cut) in shown
    assert "not in the plan: 1 of 3 series at hand;" in shown


def test_strict_stops_where_something_would_be_left_out(messy, tmp_path, capsys):
    lidc, _ = messy
    assert build(lidc, tmp_path / "m3dsynth", "--strict") == 2
    assert not (tmp_path / "m3dsynth").exists()
    assert "had to be left out" in capsys.readouterr().err


def test_sites_of_the_users_are_edited_up_to_the_edge_and_reported_beyond_it(phantom, release, tmp_path, capsys):
    scan = next(sample for sample in samples(release) if sample.label == "pristine")
    patient, (depth, height, _) = scan.row["patient_id"], scan.ct.shape
    lines = [
        f"{patient},0,{height // 2},{height // 2},injection",
        f"{patient},{depth},{height // 2},{height // 2},removal",
        f"{patient},{depth * 3},9,9,removal",
    ]
    (tmp_path / "sites.csv").write_text("\n".join(["patient_id,z,y,x,manipulation", *lines]))
    assert build(phantom, tmp_path / "m3dsynth", "--sites", tmp_path / "sites.csv") == 0
    built = open_release(tmp_path / "m3dsynth")
    top = built.sample("identity/inj_1")
    assert top.row["box_start_zyx"][0] == 0
    assert top.mask[0].any()
    assert built.sample("identity/rem_2").row["centre_zyx"][0] == depth
    assert f"site rem_3 of {patient}: its centre" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lidc", "gone"], "gone: no such folder"),
        (["--annotations", "gone.sqlite"], "gone.sqlite: no annotation database there"),
        (["--plan", "gone.parquet"], "gone.parquet: no plan there"),
        (["--sites", "gone.csv"], "gone.csv: cannot be read"),
        (["--inpainters", "dm"], "inpainter 'dm' has no weights in"),
        (["--device", "abacus"], "device must be auto, cpu, cuda or cuda:N"),
    ],
)
def test_a_users_mistake_is_one_line_and_leaves_nothing(phantom, tmp_path, capsys, options, message):
    assert build(phantom, tmp_path / "m3dsynth", *options) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "m3dsynth").exists()


def test_an_annotation_database_of_other_scans_is_an_error(phantom, tmp_path, capsys):
    from annotation_database import AnnotatedSeries, write

    other = write(tmp_path / "other.sqlite", [AnnotatedSeries("1.2.3", "SOMEBODY")])
    assert build(phantom, tmp_path / "m3dsynth", "--annotations", other) == 2
    assert "none of the series at hand is of a patient that is taken" in capsys.readouterr().err
