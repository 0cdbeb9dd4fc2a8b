import json
import os

import handed_in
import numpy as np
import polars
import pyarrow as pa
import pytest

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import SubmissionError, SubmissionNotFoundError
from m3dsynth_dataset.submission import as_table, read_submission
from m3dsynth_dataset.submission.prediction import METADATA, PREDICTIONS

SCANS = dict.fromkeys(handed_in.IDS, (20, 70, 66))


def told(predictions):
    """What predictions say, in a form that can be compared."""
    return [
        (each.sample_id, each.score, each.heatmap and (each.heatmap.box, each.heatmap.values.tobytes()))
        for each in predictions
    ]


def refusal(path, scans=None):
    with pytest.raises(SubmissionError) as caught:
        list(read_submission(path).predictions(scans))
    return str(caught.value)


def other_rows(path, **changes):
    """A submission with other values in its second row, which has a map."""
    rows = handed_in.rows()
    rows[1] |= changes
    schema = pa.schema([field.with_nullable(True) for field in as_table([]).schema])
    return handed_in.folder(path, handed_in.table_bytes(handed_in.from_rows(rows, schema)))


def test_predictions_come_back_as_they_were_written(tmp_path):
    submission = read_submission(handed_in.folder(tmp_path / "s"))

    assert submission.metadata == handed_in.metadata()
    assert told(submission.predictions(SCANS)) == told(handed_in.predictions())
    assert told(submission.predictions()) == told(handed_in.predictions())


@pytest.mark.parametrize(
    "options",
    [
        {"data_page_version": "2.0", "compression": "gzip"},
        {"use_dictionary": False, "compression": "none"},
        {"compression": "snappy", "row_group_size": 1},
        {"compression": "lz4", "data_page_size": 1},
    ],
)
def test_any_ordinary_way_to_write_the_table_will_do(tmp_path, options):
    table = as_table(handed_in.predictions(40))
    submission = read_submission(handed_in.folder(tmp_path / "s", handed_in.table_bytes(table, **options)))
    assert told(submission.predictions()) == told(handed_in.predictions(40))


def test_polars_writes_submissions_too(tmp_path):
    place = handed_in.folder(tmp_path / "s")
    polars.from_arrow(as_table(handed_in.predictions())).write_parquet(place / PREDICTIONS)
    assert told(read_submission(place).predictions()) == told(handed_in.predictions())


def test_a_table_of_scores_alone_is_a_submission_without_maps(tmp_path):
    table = pa.table({"score": pa.array([0.5, 1.0], pa.float32()), "sample_id": ["a", "b"]})
    submission = read_submission(handed_in.folder(tmp_path / "s", handed_in.table_bytes(table)))
    assert told(submission.predictions()) == [("a", 0.5, None), ("b", 1.0, None)]


def test_the_digest_is_of_the_file_of_predictions(tmp_path):
    from hashlib import sha256

    data = handed_in.table_bytes()
    assert read_submission(handed_in.folder(tmp_path / "s", data)).digest == sha256(data).hexdigest()


def test_what_changed_since_it_was_opened_is_not_scored(tmp_path):
    submission = read_submission(handed_in.folder(tmp_path / "s"))
    handed_in.folder(tmp_path / "s", handed_in.table_bytes(as_table(handed_in.predictions(2))))
    with pytest.raises(SubmissionError, match="it has changed since"):
        list(submission.predictions())


def test_nothing_at_a_path_is_an_error_that_says_so(tmp_path):
    for name in ("nothing", "zero\0byte"):
        with pytest.raises(SubmissionNotFoundError, match="no submission there"):
            read_submission(tmp_path / name)
    assert issubclass(SubmissionNotFoundError, SubmissionError)


@pytest.mark.parametrize("name", [PREDICTIONS, METADATA])
def test_links_are_not_followed(tmp_path, name):
    place = handed_in.folder(tmp_path / "s")
    (place / name).rename(tmp_path / "elsewhere")
    (place / name).symlink_to(tmp_path / "elsewhere")
    assert "must be a plain file, got a symbolic link" in refusal(place)

    (tmp_path / "link").symlink_to(handed_in.folder(tmp_path / "t"))
    assert "must be a plain file, got a symbolic link" in refusal(tmp_path / "link")


@pytest.mark.parametrize("name", [PREDICTIONS, METADATA])
def test_pipes_devices_and_folders_are_no_files(tmp_path, name):
    place = handed_in.folder(tmp_path / "s")
    (place / name).unlink()
    os.mkfifo(place / name)
    assert "got a pipe" in refusal(place)
    (place / name).unlink()
    (place / name).mkdir()
    assert "got a folder" in refusal(place)


def test_a_device_is_no_submission():
    assert "must be a plain file, got a device" in refusal("/dev/zero")


def test_a_missing_file_is_named(tmp_path):
    place = handed_in.folder(tmp_path / "s")
    (place / PREDICTIONS).unlink()
    assert PREDICTIONS in refusal(place)


def test_a_file_that_only_seems_large_is_not_read(tmp_path):
    place = handed_in.folder(tmp_path / "s")
    for name in (METADATA, PREDICTIONS):
        os.truncate(place / name, 10 << 30)
        assert "must have at most" in refusal(place)
        handed_in.folder(place)


def test_a_row_that_breaks_a_rule_is_refused_by_name(tmp_path):
    assert "pix2pix/rem_1: score lies in 0 to 1; found 2.0" in refusal(other_rows(tmp_path / "s", score=2.0))
    silent = b"\x28\xb5\x2f\xfd"
    assert "pix2pix/rem_1: heatmap can be unpacked" in refusal(other_rows(tmp_path / "s", heatmap=silent))


def test_rows_that_come_twice_or_are_of_other_samples_are_refused(tmp_path):
    place = other_rows(tmp_path / "s", sample_id=handed_in.IDS[0])
    assert f"{handed_in.IDS[0]}: comes twice" in refusal(place)
    assert "pristine/scan-2: is no sample" in refusal(handed_in.folder(tmp_path / "t"), dict(list(SCANS.items())[:2]))


def test_a_map_outside_of_its_scan_is_refused(tmp_path):
    place = other_rows(tmp_path / "s", box_start_zyx=[17, 0, 0])
    assert "its map lies in the scan of (20, 70, 66) voxels; found (17, 0, 0) to (21, 5, 6)" in refusal(place, SCANS)
    read_submission(other_rows(tmp_path / "s", box_start_zyx=[16, 65, 60]))


def test_a_map_that_unpacks_to_more_than_its_box_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    bomb = pa.Codec("zstd").compress(bytes(64 << 20), asbytes=True)
    place = other_rows(tmp_path / "s", heatmap=bomb)
    monkeypatch.setattr("m3dsynth_dataset.submission.row.Row.prediction", lambda row: pytest.fail("it was unpacked"))
    rows = read_submission(place).rows()
    next(rows)
    (finding,) = next(rows).problems()
    rows.close()
    assert f"found {64 << 20} bytes" in str(finding)


def test_a_map_that_does_not_say_its_size_is_unpacked_into_the_box_and_no_further(tmp_path):
    stream = pa.BufferOutputStream()
    values = handed_in.heatmap(1).values
    with pa.CompressedOutputStream(stream, "zstd") as packed:
        packed.write(values.tobytes())
    silent = stream.getvalue().to_pybytes()
    place = other_rows(tmp_path / "s", heatmap=silent)
    found = [each.heatmap for each in read_submission(place).predictions()][1]
    assert np.array_equal(found.values, values)
    assert found.box == Box((1, 2, 3), (4, 5, 6))
    assert "heatmap can be unpacked" in refusal(other_rows(tmp_path / "s", heatmap=silent, box_shape_zyx=[4, 5, 5]))
    assert "heatmap can be unpacked" in refusal(other_rows(tmp_path / "s", heatmap=silent, box_shape_zyx=[4, 5, 7]))


def test_metadata_of_another_form_is_refused(tmp_path):
    meta = handed_in.metadata(detector=5)
    assert "detector is of type string" in refusal(handed_in.folder(tmp_path / "s", meta=json.dumps(meta).encode()))


def test_nothing_is_left_behind_when_reading_stops_half_way(tmp_path):
    import subprocess

    started = []
    original = subprocess.Popen

    class Watched(original):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            started.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", Watched)
        table = handed_in.table_bytes(as_table(handed_in.predictions(5000)))
        predictions = read_submission(handed_in.folder(tmp_path / "s", table)).predictions()
        next(predictions)
        predictions.close()
    (process,) = started
    assert process.returncode is not None


def test_a_table_without_rows_is_one(tmp_path):
    empty = handed_in.from_rows([])
    assert list(read_submission(handed_in.folder(tmp_path / "s", handed_in.table_bytes(empty))).predictions()) == []
    polars.from_arrow(empty).write_parquet(tmp_path / "s" / PREDICTIONS)
    assert list(read_submission(tmp_path / "s").predictions()) == []
