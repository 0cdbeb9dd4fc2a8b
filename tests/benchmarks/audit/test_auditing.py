"""The audit as a whole: it passes on what does not leak, and names what does, each kind by its own check."""

import json
from dataclasses import replace

import auditable_release as auditable
import numpy as np
import pytest
import sealable_release
from auditable_release import edited, spoilt, surveyed

from benchmarks import cli
from benchmarks.audit import audit
from benchmarks.audit.auditing import CHECKS
from benchmarks.audit.columns import check_columns
from benchmarks.audit.duplicates import check_duplicates
from benchmarks.audit.edits import check_edits
from benchmarks.audit.patients import check_patients
from benchmarks.audit.shortcuts import answer, check_shortcuts, questions
from benchmarks.audit.verdict import Verdict
from benchmarks.audit.volume_form import check_volumes
from m3dsynth_dataset import DamagedReleaseError, open_release
from m3dsynth_dataset.schema import volume_path
from m3dsynth_dataset.volume import open_volume

FIRST, OTHER = (name for name, _ in auditable.patients()[:2])
TESTED = auditable.patients()[-1][0]
SHORTCUTS = 14
"""Questions that a release with rows of all kinds leaves open and that decide."""


def with_value(value, share=1.0):
    def change(patch, mask):
        places = np.flatnonzero(mask)[: max(1, int(share * mask.sum()))]
        patch.flat[places] = value
        return patch

    return change


def outside(patch, mask):
    return np.where(mask, patch, patch + 1)


def brighter(patch, mask):
    return np.where(mask, patch + 30, patch)


def comb(patch, mask):
    return np.where(mask, patch // 8 * 8, patch)


def to_train(row):
    return row | {"split": "train"} if row["config"] == "pix2pix-removal" and row["patient_id"] == TESTED else row


def rounded(row):
    return row if row["patch"] is None else row | {"spacing_mm": [round(value) for value in row["spacing_mm"]]}


def without_pristine(row):
    return None if row["sample_id"] == f"pristine/{FIRST}" else row


def without_a_control(row):
    return None if (row["config"], row["patient_id"]) == ("identity-injection", FIRST) else row


def in_one_file(row):
    return row | {"config": "pristine"} if row["patient_id"] == FIRST and row["generator"] == "pix2pix" else row


def of_another_scan(row):
    return row | {"volume": volume_path(OTHER)} if row["sample_id"] == f"pristine/{FIRST}" else row


def of_another_scanner(row):
    return row if row["patch"] is None else row | {"spacing_mm": [value + 9 for value in row["spacing_mm"]]}


def of_the_tests_scanner(row):
    return row | {"spacing_mm": [9.0, 1.0, 1.0]} if row["split"] == "test" else row


METAL = with_value(3000, 0.001)
MIRRORED = {OTHER: auditable.voxels_of(FIRST)[::-1, :, ::-1] + np.int16(40)}
TWO_SIDED = ["patients in two splits", "volumes in two splits", "pristine partners", "sites of generators"]
PILED = ["piled values", "comb of values", "offset of the control"]
SPOILT = [
    (check_patients, TWO_SIDED, to_train, {}),
    (check_patients, ["pristine partners"], without_pristine, {}),
    (check_patients, ["sites of generators"], without_a_control, {}),
    (check_duplicates, ["duplicated scans"], None, {"volumes": MIRRORED}),
    (check_columns, ["columns of the scan"], rounded, {}),
    (check_columns, ["row order"], in_one_file, {}),
    (check_volumes, ["form of volumes"], None, {"volumes": {FIRST: auditable.voxels_of(FIRST)},
                                                "attributes": {"note": "tampered"}}),
    (check_volumes, ["path of voxels"], of_another_scan, {}),
    (check_edits, ["outside the mask"], edited(outside), {}),
    (check_edits, ["range of HU"], edited(with_value(5000, 0.01)), {}),
    (check_edits, ["quantisation step"], None, {"volumes": {FIRST: auditable.voxels_of(FIRST) // 2 * 2}}),
    (check_edits, ["comb of values"], edited(comb), {}),
    (check_edits, PILED, edited(with_value(-1024, 0.3), "control"), {}),
    (check_edits, ["offset of the control"], edited(brighter, "control"), {}),
    (check_shortcuts, ["label from the maximum", "label from global statistics"], edited(METAL), {}),
    (check_shortcuts, ["control from global statistics"], edited(METAL, "control"), {}),
    (check_shortcuts, ["label from the seed"], lambda row: row | {"seed": row["label"]}, {}),
    (check_shortcuts, ["label from the row's facts"], of_another_scanner, {}),
    (check_shortcuts, ["split from the row's facts"], of_the_tests_scanner, {}),
]  # fmt: skip
"""The checks, those of them that leak, and what spoils the release."""
NAMES = {name for _, names, _, _ in SPOILT for name in names}


def checks_of(survey, checks, names):
    if checks is not check_shortcuts:
        return {check.name: check for check in checks(survey)}
    return {each.name: answer(each, SHORTCUTS) for each in questions(survey) if each.name in names}


@pytest.mark.parametrize(("checks", "names", "change", "others"), SPOILT, ids=[names[0] for _, names, _, _ in SPOILT])
def test_a_release_that_is_spoilt_on_purpose_leaks_in_the_check_of_its_kind(
    clean, tmp_path, checks, names, change, others
):
    path = spoilt(clean, tmp_path / "spoilt", change or (lambda row: row), **others)
    found = checks_of(surveyed(path), checks, names)
    for name in names:
        assert found[name].verdict is Verdict.LEAK
        assert found[name].value
        assert found[name].remedy
    others = [check.name for check in found.values() if check.verdict is Verdict.LEAK and check.name not in names]
    assert others == []


def test_the_audit_passes_on_a_release_that_does_not_leak(clean, tmp_path, capsys):
    out = tmp_path / "audit.json"
    assert cli.main(["audit", str(clean), "--json", str(out)]) == 0
    assert "no leak found" in capsys.readouterr().out
    report = json.loads(out.read_text())
    assert report["leaks"] == []
    assert report["samples"] == 80
    verdicts = {check["name"]: check["verdict"] for check in report["checks"]}
    assert {name for name in NAMES if verdicts[name] != "pass"} == {"row order"}
    assert verdicts["row order"] == "not measurable"


def test_every_kind_of_leak_has_a_release_that_is_spoilt_by_it():
    assert {checks for checks, *_ in SPOILT} == set(CHECKS)


def test_the_command_names_a_leak_with_its_remedy_and_ends_with_1(clean, tmp_path, capsys):
    path = spoilt(clean, tmp_path / "spoilt", edited(outside))
    with pytest.raises(SystemExit) as ended:
        cli.main(["audit", str(path), "--md", str(tmp_path / "audit.md")])
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert "LEAK  outside the mask: 32 of 64 edits" in said
    assert "do: restore the pristine voxels there" in said
    assert "| leak | outside the mask | 32 |" in (tmp_path / "audit.md").read_text()


def test_the_audit_of_the_tiny_release_says_what_two_patients_cannot_tell(release_path):
    report = audit(open_release(release_path))
    assert [check.name for check in report.leaks] == ["offset of the control"]  # a constant is added there
    unmeasured = [check for check in report.checks if check.verdict is Verdict.NOT_MEASURABLE]
    assert any(check.found == "2 patients are too few" for check in unmeasured)


def test_a_damaged_volume_is_an_error_and_no_verdict(clean, tmp_path):
    path = spoilt(clean, tmp_path / "damaged")
    (path / volume_path(FIRST) / "c/0/0/0").unlink()
    with pytest.raises(DamagedReleaseError):
        audit(open_release(path))


@pytest.fixture(scope="module")
def sealed(clean, tmp_path_factory):
    return sealable_release.Sealing.of(open_release(clean), tmp_path_factory.mktemp("sealed")).public.path


def test_a_sealed_release_passes_and_what_its_labels_would_show_is_not_measurable(sealed):
    report = audit(open_release(sealed))
    assert report.leaks == ()
    found = {check.name: check for check in report.checks}
    assert {"sealed columns", "sealed origins"} <= found.keys()
    assert found["row order"].verdict is Verdict.PASS
    assert found["age of files"].verdict is Verdict.PASS
    assert found["split from the row's facts"].verdict is Verdict.NOT_MEASURABLE


def test_a_sealed_release_does_not_show_the_picture_of_where_the_edits_are(clean, sealed):
    assert "](statistics.png)" in (clean / "README.md").read_text()
    assert "statistics.png" not in (sealed / "README.md").read_text()
    assert not (sealed / "statistics.png").exists()


def test_a_sealed_sample_beside_its_original_is_a_leak(sealed, tmp_path):
    """Here the original is called a scan of train."""
    hidden = next(row for row in surveyed(sealed).rows if row["label"] == "sealed")
    original = {FIRST: open_volume(sealed / hidden["volume"])[...]}
    (found,) = check_duplicates(surveyed(spoilt(sealed, tmp_path / "spoilt", volumes=original)))
    assert found.verdict is Verdict.LEAK
    assert "8 slices, two splits" in found.found


SEALED_AND_SPOILT = {
    "sealed columns": lambda row: row | {"nodule_diameter_mm": 9.0} if row["config"] == "sealed" else row,
    "sealed origins": lambda row: (
        row
        | {
            "origin_mm": [float(row["scan_id"].encode()[0]), 0.0, 0.0]
            if row["config"] == "sealed"
            else row["origin_mm"]
        }
    ),
}


@pytest.mark.parametrize("name", SEALED_AND_SPOILT)
def test_a_sealed_release_that_tells_something_leaks(sealed, tmp_path, name):
    path = spoilt(sealed, tmp_path / "spoilt", SEALED_AND_SPOILT[name])
    assert {check.name: check for check in check_columns(surveyed(path))}[name].verdict is Verdict.LEAK


def test_sealed_rows_in_another_order_than_that_of_their_names_leak(sealed):
    survey = surveyed(sealed)
    turned = replace(survey, rows=survey.rows[::-1])
    assert {check.name: check for check in check_columns(turned)}["row order"].verdict is Verdict.LEAK
