import json
import os
import shutil

import annotation_database as database
import numpy as np
import official_example as example
import pydicom
import pytest
from ct_series import UID_ROOT
from datasets import load_dataset

from builder import official_import, official_scan
from builder.cli import main
from builder.official_tables import MODS
from m3dsynth_dataset import open_release
from m3dsynth_dataset.verification import verify

A, B, C = "LIDC-IDRI-9001", "LIDC-IDRI-9002", "LIDC-IDRI-9003"
SERIES = {A: example.series(A, 3), B: example.series(B, 5, lowest=-512, padding=-512), C: example.series(C, 7)}
SPLITS = {A: "train", B: "validation", C: "test"}
SITES = {
    "inj_1": (A, (11, 46, 40)),
    "rem_1": (A, (4, 40, 44)),
    "rem_2": (A, (12, 10, 10)),
    "inj_2": (B, (20, 46, 40)),
    "inj_3": (C, (11, 46, 40)),
}
OFFSETS = {"dm/inj_1": 2048, "pix2pix/inj_2": 512}
"""Where it is not 1024."""
IMPORTED = {
    "pix2pix/inj_1": "plain",
    "dm/inj_1": "another offset",
    "cyclegan/inj_1": "slices from the feet up",
    "pix2pix/rem_1": "empty label slices beyond the last",
    "cyclegan/rem_1": "a voxel beside the cube",
    "pix2pix/rem_2": "padding in the box",
    "pix2pix/inj_2": "another patient and offset",
}
REFUSED = {
    "dm/rem_1": "voxels beyond 48 mm around the site differ from the pristine scan",
    "cyclegan/inj_2": "slice 7 missing",
    "dm/inj_2": "slide0003.tiff: cannot be read",
    "cyclegan/rem_2": "its label marks no voxel",
}
MISSING = "dm/rem_2"


def change_of(sample_id):
    return 100 + 7 * len(sample_id)


def wanted(sample_id):
    """A sample in HU as it was made, its label, and the pristine scan."""
    patient, centre = SITES[sample_id.partition("/")[2]]
    pristine = SERIES[patient].hu
    hu, label = example.edited(pristine, centre, change_of(sample_id))
    if sample_id == "cyclegan/rem_1":
        hu[4, 40, 44 + 24] += 1
    return hu, label, pristine


def write_sample(root, sample_id):
    generator, _, site_id = sample_id.partition("/")
    hu, label, _ = wanted(sample_id)
    spoil = {
        "cyclegan/inj_1": lambda: (hu[::-1], label[::-1]),
        "pix2pix/rem_1": lambda: (hu, np.concatenate([label, label[-1:] & False])),
        "dm/rem_1": lambda: (np.where(np.indices(hu.shape).sum(axis=0) == 24 + 90 + 84 - 60, hu + 1, hu), label),
        "cyclegan/rem_2": lambda: (hu, label & False),
    }
    hu, label = spoil.get(sample_id, lambda: (hu, label))()
    stored = example.published(hu.astype(np.int16), OFFSETS.get(sample_id, 1024))
    scan = example.write_slices(root / MODS[generator] / "scan" / site_id, stored)
    example.write_slices(root / MODS[generator] / "label" / site_id, label)
    if sample_id == "cyclegan/inj_2":
        (scan / "slide0007.tiff").unlink()
    if sample_id == "dm/inj_2":
        (scan / "slide0003.tiff").write_bytes((scan / "slide0003.tiff").read_bytes()[:500])


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """DICOM of two patients of three, the tables of all, and the archives; tests only read them."""
    root = tmp_path_factory.mktemp("published")
    for patient in (A, B):
        SERIES[patient].write(root / "lidc" / patient)
    data = []
    for site_id, (patient, centre) in SITES.items():
        number = SERIES[patient].header["SeriesNumber"]
        data += [(site_id, site_id[:3], mod, patient, number, *centre) for mod in MODS.values()]
    centres = [("inj_1", "diffusion", 9.0, 256.0, 256.0), ("inj_909", "cycle", 9.0, 256.0, 256.0)]
    scans = [(patient, series.header["SeriesNumber"]) for patient, series in SERIES.items()]
    example.write_tables(root / "clone" / "data", data, scans, SPLITS, centres)
    (root / "clone" / "LICENSE.md").write_text("Non-profit only; keep this notice.")
    for sample_id in (*IMPORTED, *REFUSED):
        write_sample(root / "m3dsynth", sample_id)
    nodules = [database.Ball((3, 40, 44), 10.0, (2, 4))]
    shape = {"slices": 24, "spacing_mm": 2.5, "pixel_mm": 0.8, "top_mm": -30.0}
    database.write(root / "annotations.sqlite", [database.AnnotatedSeries(SERIES[A].scan_id, A, nodules, **shape)])
    return root


def bring(published, out, *options, **places):
    folders = {
        "lidc": published / "lidc",
        "m3dsynth": published / "m3dsynth",
        "tables": published / "clone",
        "annotations": published / "annotations.sqlite",
        "workers": 1,
    } | places
    arguments = [text for name, value in folders.items() for text in (f"--{name}", str(value))]
    return main(["import-official", *arguments, "--out", str(out), *options])


@pytest.fixture(scope="session")
def out(published, tmp_path_factory):
    out = tmp_path_factory.mktemp("imported") / "m3dsynth"
    assert bring(published, out) == 0
    return out


@pytest.fixture(scope="session")
def release(out):
    return open_release(out)


@pytest.fixture(scope="session")
def report(out):
    return json.loads(out.with_name("m3dsynth.report.json").read_text())


@pytest.mark.parametrize("sample_id", IMPORTED)
def test_a_sample_is_its_slices_voxel_for_voxel(published, release, sample_id):
    hu, label, pristine = wanted(sample_id)
    sample = release.sample(sample_id)
    ct, mask = sample.ct[...], sample.mask[...]
    np.testing.assert_array_equal(mask, label)
    np.testing.assert_array_equal(sample.pristine[...], pristine)
    kept = np.maximum(hu, -OFFSETS.get(sample_id, 1024)) > -OFFSETS.get(sample_id, 1024)
    np.testing.assert_array_equal(ct[kept], hu[kept])
    np.testing.assert_array_equal(ct[~label & (hu == pristine)], pristine[~label & (hu == pristine)])
    generator, _, site_id = sample_id.partition("/")
    stored = example.read_slices(published / "m3dsynth" / MODS[generator] / "scan" / site_id).astype(np.int32)
    stored = stored[::-1] if sample_id == "cyclegan/inj_1" else stored
    offset = OFFSETS.get(sample_id, 1024)
    np.testing.assert_array_equal(np.maximum(ct, -offset), stored - offset)


def test_the_release_is_sound(out):
    """Also where a label leaves out a voxel that differs: so it was published, and the report tells."""
    assert list(verify(out)) == []


def test_rows_are_those_of_the_tables(release):
    row = release.sample("pix2pix/rem_1").row
    assert (row["site_id"], row["patient_id"], row["source"]) == ("rem_1", A, "LIDC-IDRI")
    assert row["centre_zyx"] == [4, 40, 44]
    np.testing.assert_allclose(row["centre_mm"], [-100 + 44 * 0.7, -90 + 40 * 0.8, -30 - 4 * 2.5])
    assert (row["weights_sha256"], row["seed"]) == (None, -1)
    assert (row["malignancy"], row["readers"]) == (3.0, 2)
    assert row["nodule_diameter_mm"] == pytest.approx(10, rel=0.1)
    assert release.sample("pix2pix/inj_1").row["nodule_diameter_mm"] is None


def test_splits_are_the_published_ones_and_every_scan_has_its_pristine_row(out):
    splits = {
        (row["patient_id"], split)
        for split, rows in load_dataset(str(out)).items()
        for row in rows.select_columns("patient_id")
    }
    assert splits == {(A, "train"), (B, "validation")}
    pristine = load_dataset(str(out), "pristine")
    assert {split: rows["scan_id"][:] for split, rows in pristine.items()} == {
        "train": [SERIES[A].scan_id],
        "validation": [SERIES[B].scan_id],
    }
    everything = [each for rows in load_dataset(str(out)).values() for each in rows["sample_id"]]
    assert sorted(each for each in everything if not each.startswith("pristine")) == sorted(IMPORTED)


def test_every_sample_is_imported_or_refused_by_name_and_reason(report):
    assert {each["sample_id"] for each in report["imported"]} == set(IMPORTED)
    refused = {each["sample_id"]: each["reason"] for each in report["refused"]}
    assert set(refused) == set(REFUSED)
    for sample_id, reason in REFUSED.items():
        assert reason in refused[sample_id]
    assert all(each["remedy"] for each in report["refused"])
    assert report["samples_without_images"] == [MISSING]
    assert report["series_not_at_hand"] == [f"{C}, series 7"]
    assert [each["path"] for each in report["tables"]] == ["centers.csv, line 3"]


def test_the_report_tells_what_was_odd(report):
    seen = {each["sample_id"]: each["observations"] for each in report["imported"]}
    assert {name: each["offset_hu"] for name, each in seen.items()} == {
        name: OFFSETS.get(name, 1024) for name in IMPORTED
    }
    assert {name for name, each in seen.items() if each["ascending"]} == {"cyclegan/inj_1"}
    assert {name: each["extra_label_slices"] for name, each in seen.items() if each["extra_label_slices"]} == {
        "pix2pix/rem_1": 1
    }
    grown = {name: each["outside_box_bounds"] for name, each in seen.items() if each["outside_box"]}
    assert grown == {"cyclegan/rem_1": [[4, 40, 68], [5, 41, 69]]}
    assert {name for name, each in seen.items() if each["cut_off"]} >= {"pix2pix/rem_2"}


def test_the_summary_counts_and_names(published, out, tmp_path, capsys):
    assert bring(published, tmp_path / "m3dsynth") == 0
    text = capsys.readouterr().out
    assert "offset from HU: 512 (1), 1024 (5), 2048 (1)" in text
    assert "refused: cyclegan/inj_2: slice 7 missing in " in text
    assert "missing: 1 samples of the series at hand have no folder of images: dm/rem_2" in text
    assert "missing: 1 of 3 published series are not at hand: LIDC-IDRI-9003, series 7" in text
    assert "orphan: inj_909 of cyclegan" not in text
    assert "centers.csv, line 3: orphan: inj_909 of cycle is not in data.csv" in text
    assert (tmp_path / "m3dsynth" / "manifest.json").read_bytes() == (out / "manifest.json").read_bytes()


def test_the_licence_is_the_published_one(out, release):
    assert release.manifest.built["imported"]["licence"] == "GRIP-UNINA, non-profit use only"
    licence = (out / "LICENSE").read_text()
    assert "non-profit use only" in licence
    assert "CC BY 3.0" in licence
    assert licence.endswith("Non-profit only; keep this notice.\n")
    assert "M3Dsynth as published, by GRIP-UNINA: Zingarini" in (out / "ATTRIBUTION.md").read_text()
    card = (out / "README.md").read_text()
    assert "license: other\nlicense_name: grip-unina-non-profit\nlicense_link: LICENSE\n" in card
    assert "Imported from M3Dsynth as published" in card
    assert "- `dm-injection`: as published; neither weights nor seeds are known" in card
    assert "identity" not in card


def test_the_result_does_not_depend_on_the_number_of_workers(published, out, tmp_path):
    assert bring(published, tmp_path / "m3dsynth", workers=2) == 0
    assert (tmp_path / "m3dsynth" / "manifest.json").read_bytes() == (out / "manifest.json").read_bytes()


def test_an_import_that_was_stopped_goes_on_and_ends_the_same(published, out, tmp_path, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(official_import, "write_release", stop)
        assert bring(published, tmp_path / "m3dsynth") == 130
    assert not (tmp_path / "m3dsynth").exists()
    with monkeypatch.context() as patch:
        patch.setattr(official_scan, "find_edit", stop)  # nothing is compared twice
        patch.setattr("builder.prepare.read_scan", stop)
        assert bring(published, tmp_path / "m3dsynth") == 0
    assert (tmp_path / "m3dsynth" / "manifest.json").read_bytes() == (out / "manifest.json").read_bytes()
    assert (tmp_path / "m3dsynth.report.json").read_bytes() == out.with_name("m3dsynth.report.json").read_bytes()
    assert not (tmp_path / "m3dsynth.work").exists()


def test_a_changed_slice_is_looked_at_again(published, tmp_path):
    images = shutil.copytree(published / "m3dsynth", tmp_path / "images")
    work = tmp_path / "work"
    assert bring(published, tmp_path / "m3dsynth", m3dsynth=images, work=work) == 0
    (images / "pix2pix" / "scan" / "inj_1" / "slide0002.tiff").unlink()
    assert bring(published, tmp_path / "m3dsynth", m3dsynth=images, work=work) == 0
    report = json.loads((tmp_path / "m3dsynth.report.json").read_text())
    assert {each["sample_id"] for each in report["refused"]} == {*REFUSED, "pix2pix/inj_1"}


def test_a_missing_licence_is_told(published, tmp_path):
    tables = shutil.copytree(published / "clone" / "data", tmp_path / "tables")
    assert bring(published, tmp_path / "m3dsynth", tables=tables) == 0
    report = json.loads((tmp_path / "m3dsynth.report.json").read_text())
    assert [each["path"] for each in report["left_out"]] == ["LICENSE.md"]


def test_two_series_of_one_number_are_not_guessed_at(published, tmp_path):
    lidc = shutil.copytree(published / "lidc", tmp_path / "lidc")
    twin = example.series(A, 3)
    twin.scan_id = UID_ROOT + "77"
    twin.write(lidc / "twin")
    assert bring(published, tmp_path / "m3dsynth", lidc=lidc) == 0
    report = json.loads((tmp_path / "m3dsynth.report.json").read_text())
    assert report["left_out"][0]["reason"] == "2 series of that number at hand"
    assert {each["sample_id"] for each in report["imported"]} == {"pix2pix/inj_2"}
    assert report["series_not_at_hand"] == [f"{A}, series 3", f"{C}, series 7"]


def test_a_scan_that_cannot_be_read_is_named_and_the_others_are_imported(published, tmp_path):
    lidc = shutil.copytree(published / "lidc", tmp_path / "lidc")
    path = sorted((lidc / A).iterdir())[4]
    path.write_bytes(path.read_bytes()[:-400])
    assert bring(published, tmp_path / "m3dsynth", lidc=lidc) == 0
    report = json.loads((tmp_path / "m3dsynth.report.json").read_text())
    assert "truncated" in report["left_out"][0]["reason"]
    assert f"{A}, series 3" in report["series_not_at_hand"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lidc": "nowhere"}, "nowhere: no such folder; --lidc names the folder"),
        ({"m3dsynth": "nowhere"}, "nowhere: no folder pix2pix/scan or cycle/scan or diffusion/scan there"),
        ({"tables": "nowhere"}, "nowhere: no data.csv, LIDC.csv, sets.csv, centers.csv there or in its folder data"),
    ],
)
def test_a_wrong_folder_is_one_line(published, tmp_path, capsys, monkeypatch, wrong, message):
    monkeypatch.chdir(tmp_path)
    assert bring(published, tmp_path / "m3dsynth", **wrong) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert not (tmp_path / "m3dsynth").exists()


def test_without_any_published_series_or_sample_it_says_so(published, tmp_path, capsys):
    other = tmp_path / "other"
    example.series("LIDC-IDRI-9009", 3).write(other)
    assert bring(published, tmp_path / "m3dsynth", lidc=other) == 2
    assert "none of the 1 series there is one of the 3 published" in capsys.readouterr().err
    (tmp_path / "empty" / "cycle" / "scan").mkdir(parents=True)
    assert bring(published, tmp_path / "m3dsynth", m3dsynth=tmp_path / "empty") == 2
    assert "the series at hand have no folder of images" in capsys.readouterr().err


def test_lidc_must_be_named(published, capsys):
    assert main(["import-official", "--m3dsynth", str(published / "clone")]) == 2
    assert "with --lidc DIR, or --check the tables only" in capsys.readouterr().err


# LIDC-IDRI-0003 and the published tables themselves.

SITES_OF_0003 = {"pix2pix/rem_1": (57, 198, 308), "cyclegan/rem_535": (57, 219, 221)}


@pytest.fixture(scope="module")
def real(real_lidc, tmp_path_factory):
    """Patient 0003 with edits of our own at two published sites, imported with the published tables."""
    tables = real_lidc.parent / "official"
    if not tables.is_dir():
        pytest.skip(f"no published tables: {tables} is missing")
    root = tmp_path_factory.mktemp("real")
    files = [pydicom.dcmread(path) for path in (real_lidc / "LIDC-IDRI-0003").rglob("*.dcm")]
    files.sort(key=lambda file: -file.ImagePositionPatient[2])
    stored = np.stack([file.pixel_array for file in files])
    # In the published form all slices are LZMA; that takes half a minute a scan to write, and reads the same.
    shared = {
        "scan": example.write_slices(root / "scan", example.published(stored, -int(stored.min())), "raw"),
        "label": example.write_slices(root / "label", np.zeros(stored.shape, bool), "raw"),
    }
    tampered = {}
    for sample_id, (z, y, x) in SITES_OF_0003.items():
        label = np.zeros(stored.shape, bool)
        label[z - 3 : z + 4, y - 10 : y + 11, x - 10 : x + 11] = True
        values = np.where(label, np.random.default_rng(z + x).integers(0, 900, stored.shape, np.int16), stored)
        tampered[sample_id] = values, label
        generator, _, site_id = sample_id.partition("/")
        for kind, voxels in (("scan", example.published(values, -int(stored.min()))), ("label", label)):
            folder = root / "images" / MODS[generator] / kind / site_id
            shutil.copytree(shared[kind], folder, copy_function=os.link)
            for index in range(z - 3, z + 4):
                (folder / f"slide{index:04d}.tiff").unlink()
                example.write_slice(folder, index, voxels[index])
    out = root / "m3dsynth"
    arguments = {"--lidc": real_lidc, "--m3dsynth": root / "images", "--tables": tables, "--out": out, "--workers": 1}
    assert main(["import-official", *(str(each) for pair in arguments.items() for each in pair)]) == 0
    return open_release(out), tampered, json.loads((root / "m3dsynth.report.json").read_text())


def test_0003_is_imported_at_its_published_sites(real):
    release, tampered, report = real
    for sample_id, (values, label) in tampered.items():
        sample = release.sample(sample_id)
        np.testing.assert_array_equal(sample.ct[...], values - 1024)  # its RescaleIntercept
        np.testing.assert_array_equal(sample.mask[...], label)
        assert sample.row["patient_id"] == "LIDC-IDRI-0003"
        assert 8 <= sample.row["nodule_diameter_mm"] < 18
    assert release.splits == dict.fromkeys(("pristine", "pix2pix-removal", "cyclegan-removal"), ("train",))
    # Stored values plus 1024, the intercept being -1024.
    assert {each["observations"]["offset_hu"] for each in report["imported"]} == {2048}
    assert list(verify(release.path)) == []


def test_all_other_published_series_are_named_as_missing(real):
    _, _, report = real
    assert len(report["series_not_at_hand"]) == 743
    assert len(report["samples_without_images"]) == 10
    assert not report["refused"]
