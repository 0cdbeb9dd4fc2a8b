import json

import handed_in
import pytest

from m3dsynth_dataset.cli import main
from m3dsynth_dataset.submission import as_table
from m3dsynth_dataset.submission.description import describe_format
from m3dsynth_dataset.submission.metadata import metadata_schema
from m3dsynth_dataset.submission.prediction import METADATA, PREDICTIONS, SCHEMA


@pytest.fixture
def submission(tmp_path, release_path):
    meta = json.dumps(handed_in.metadata(release_path)).encode()
    return handed_in.folder(tmp_path / "s", meta=meta)


def validate(submission, release_path, *options):
    return main(["validate", str(submission), "--release", str(release_path), *map(str, options)])


def test_validate_says_that_a_sound_submission_is(submission, release_path, capsys, tmp_path):
    assert validate(submission, release_path, "--json", tmp_path / "found.json") == 0
    assert capsys.readouterr().out == f"{submission}: sound; it can be scored on test\n"
    assert json.loads((tmp_path / "found.json").read_text())["findings"] == []


def test_validate_prints_findings_one_a_line_and_exits_with_1(submission, release_path, capsys, tmp_path):
    (submission / PREDICTIONS).write_bytes(handed_in.table_bytes(as_table(handed_in.predictions(150))))
    assert validate(submission, release_path, "--json", tmp_path / "found.json") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("'nobody/inj_0': is a sample of the split test, or of validation; found none of that id")
    assert lines[-2:] == ["... and 47 more; --json FILE has them all", f"{submission}: 147 findings"]
    assert len(lines) == 102
    found = json.loads((tmp_path / "found.json").read_text())
    assert len(found["findings"]) == 147
    assert set(found["findings"][0]) == {"place", "rule", "found", "remedy"}


def test_validate_exits_with_2_where_there_is_nothing(tmp_path, release_path, capsys):
    assert validate(tmp_path / "nothing", release_path) == 2
    assert "no submission there; make one with SubmissionWriter" in capsys.readouterr().err
    assert validate(tmp_path, release_path, "--split", "validation") == 2
    assert "has no rows of the split 'validation'" in capsys.readouterr().err
    assert validate(tmp_path, tmp_path / "nowhere") == 2


def test_validate_takes_a_submission_and_a_release_or_neither(submission, release_path):
    for call in (["validate"], ["validate", str(submission)], ["validate", "--schema", "--release", "x"]):
        with pytest.raises(SystemExit) as caught:
            main(call)
        assert caught.value.code == 2


def test_validate_prints_the_schema(capsys):
    assert main(["validate", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == describe_format() == json.loads(json.dumps(describe_format()))


def test_the_description_is_of_the_schema_that_is_written():
    described = describe_format()
    assert described[METADATA] == metadata_schema()
    columns = described[PREDICTIONS]["columns"]
    assert [(each["name"], each["type"], each["nullable"]) for each in columns] == [
        (field.name, str(field.type), field.nullable) for field in SCHEMA
    ]
    assert [each["name"] for each in columns if each["required"]] == ["sample_id", "score"]
