import json
from dataclasses import replace

import handed_in
import pyarrow as pa
import pytest

from m3dsynth_dataset import open_release
from m3dsynth_dataset.errors import SubmissionError, SubmissionNotFoundError
from m3dsynth_dataset.submission import as_table, expected_of, validate
from m3dsynth_dataset.submission.prediction import METADATA, PREDICTIONS

PIX, CONTROL, PRISTINE = "pix2pix/rem_1", "identity/rem_1", "pristine/scan-2"
NULLABLE = pa.schema([field.with_nullable(True) for field in as_table([]).schema])


@pytest.fixture(scope="module")
def expected(release_path):
    return expected_of(open_release(release_path), "test")


@pytest.fixture
def found(tmp_path, release_path, expected):
    """What is said of rows and metadata."""

    def of(rows=None, meta=None, expected=expected, **changes):
        table = handed_in.table_bytes(handed_in.from_rows(handed_in.rows() if rows is None else rows, NULLABLE))
        meta = json.dumps(handed_in.metadata(release_path, **changes)).encode() if meta is None else meta
        return [str(finding) for finding in validate(handed_in.folder(tmp_path / "s", table, meta), expected)]

    return of


def row(sample_id, **changes):
    return dict.fromkeys(NULLABLE.names) | {"sample_id": sample_id, "score": 0.5} | changes


def test_what_is_expected_is_every_sample_of_the_split(expected, release_path):
    assert dict(expected.required) == dict.fromkeys(handed_in.IDS, (20, 70, 66))
    assert (dict(expected.welcome), expected.pristine) == ({}, frozenset())
    with pytest.raises(SubmissionError, match="has no rows of the split 'validation'"):
        expected_of(open_release(release_path), "validation")


def test_a_sound_submission_has_no_findings(found):
    assert found() == []


def test_the_order_of_rows_does_not_matter(found):
    assert found(handed_in.rows()[::-1]) == []


def test_every_finding_is_listed_and_not_only_the_first(found):
    sound = handed_in.rows()
    rows = [
        sound[0] | {"score": float("nan")},
        sound[0],
        sound[1] | {"box_start_zyx": [17, 0, 0], "score": 2.0},
        row("dm/inj_9"),
        row(None, score=float("inf")),
    ]
    lines = found(rows, split="train", detector="")
    assert [line.split("; found")[0] for line in lines] == [
        "metadata.json: detector has 1 to 200 characters",
        "metadata.json: split is that of what is scored, test",
        f"{CONTROL}: score lies in 0 to 1",
        f"{PIX}: score lies in 0 to 1",
        f"{PIX}: its map lies in the scan of (20, 70, 66) voxels",
        "'dm/inj_9': is a sample of the split test, or of validation",
        "row 4: it names a sample",
        "row 4: score lies in 0 to 1",
        f"{CONTROL}: has one row",
        f"{PRISTINE}: is judged, as all samples of test are",
    ]


def test_every_missing_sample_is_named(found):
    assert sorted(line.split(":")[0] for line in found([])) == sorted(handed_in.IDS)


def test_metadata_of_another_release_is_found(found):
    (line,) = found(release_digest="f" * 64)
    assert line.startswith("metadata.json: release_digest is that of what is scored, ")


def test_what_cannot_be_read_is_a_finding_and_the_other_file_is_looked_at_still(found, tmp_path, expected):
    (line,) = found(meta=b"{")
    assert line.startswith("metadata.json: is one that can be read; found metadata.json: it is no JSON")

    found(handed_in.rows()[:2], detector=1)
    (tmp_path / "s" / PREDICTIONS).write_bytes(b"PAR1")
    lines = [str(finding) for finding in validate(tmp_path / "s", expected)]
    assert [line.split(";")[0] for line in lines] == [
        "metadata.json: detector is of type string",
        "predictions.parquet: is one that can be read",
    ]


def test_a_table_that_cannot_be_unpacked_is_a_finding(tmp_path, expected):
    data = handed_in.table_bytes(use_dictionary=False, compression="none", write_page_checksum=True)
    place = handed_in.folder(tmp_path / "s", data.replace(PIX.encode(), b"pix2pix/rem_2"))
    assert "its rows cannot be unpacked" in "".join(map(str, validate(place, expected)))


def test_a_file_that_is_missing_is_a_finding(tmp_path, expected):
    place = handed_in.folder(tmp_path / "s")
    (place / METADATA).unlink()
    (place / PREDICTIONS).unlink()
    assert [finding.place for finding in validate(place, expected)] == [METADATA, PREDICTIONS]


def test_what_is_no_submission_is_one_finding(tmp_path, expected):
    (tmp_path / "s.tar").write_bytes(b"x")
    (finding,) = validate(tmp_path / "s.tar", expected)
    assert (finding.place, finding.rule) == ("s.tar", "is a submission")


def test_nothing_at_a_path_is_no_finding(tmp_path, expected):
    with pytest.raises(SubmissionNotFoundError, match="no submission there"):
        validate(tmp_path / "nothing", expected)


def test_maps_that_cannot_be_unpacked_are_found(found):
    rows = handed_in.rows()
    rows[1]["heatmap"] = rows[1]["heatmap"][:-3]
    rows[1]["score"] = None
    assert [line.split(";")[0] for line in found(rows)] == [
        f"{PIX}: score lies in 0 to 1",
        f"{PIX}: heatmap can be unpacked",
    ]


def test_maps_of_foreign_samples_are_not_unpacked(found, monkeypatch):
    monkeypatch.setattr("m3dsynth_dataset.submission.row.Row.prediction", lambda row: pytest.fail("it was unpacked"))
    box = {"box_start_zyx": [0, 0, 0], "box_shape_zyx": [2**9] * 3, "heatmap": b"\x28\xb5\x2f\xfd" + bytes(20)}
    assert any("'dm/inj_9'" in line for line in found([row("dm/inj_9", **box)]))


VALIDATION = {"pristine/scan-8": (9, 9, 9), "pristine/scan-9": (9, 9, 9), "dm/inj_8": (9, 9, 9)}


@pytest.fixture
def calibrating(expected):
    """A release that has a validation split, too."""
    return replace(expected, welcome=VALIDATION, pristine=frozenset(("pristine/scan-8", "pristine/scan-9")))


def test_rows_of_validation_may_stand_beside_those_of_test(found, calibrating):
    assert found(expected=calibrating) == []
    assert found([*handed_in.rows(), *map(row, VALIDATION)], expected=calibrating) == []
    assert found([*handed_in.rows(), row("dm/inj_8")], expected=calibrating) == []


def test_of_validations_pristine_scans_all_are_there_or_none(found, calibrating):
    (line,) = found([*handed_in.rows(), row("pristine/scan-9")], expected=calibrating)
    assert line.startswith("pristine/scan-8: is judged, as other pristine scans of validation are")


def test_what_a_file_says_is_printed_in_one_line_without_control_characters(found):
    (line,) = found([*handed_in.rows(), row("a\x1b[31m\nb" * 100)])
    assert line.isprintable()
    assert len(line) < 500
