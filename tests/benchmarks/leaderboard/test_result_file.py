import json

import pytest
from leaderboard_site import document, write_results

from benchmarks.cli import main
from benchmarks.errors import BenchmarkError
from benchmarks.leaderboard import read_entries


def broken(change):
    found = document()
    change(found)
    return json.dumps(found)


def set_value(path, value):
    def change(found):
        *parents, last = path
        for key in parents:
            found = found[key]
        found[last] = value

    return change


BROKEN = {
    "key that is missing": (broken(lambda found: found.pop("groups")), "'groups'"),
    "figure that is no number": (broken(set_value(["groups", 0, "f1", "low"], "0.4")), r"groups\[0\].f1.low"),
    "figure over one": (broken(set_value(["groups", 1, "auc", "value"], 1.5)), r"groups\[1\].auc.value must be a num"),
    "interval upside down": (
        broken(set_value(["groups", 0, "pd"], {"value": 0.5, "low": 0.6, "high": 0.4})),
        r"groups\[0\].pd must be an interval",
    ),
    "control over one": (broken(set_value(["control", "high"], 2)), "control.high must be a number"),
    "false alarms under zero": (broken(set_value(["false_alarms"], -0.1)), "false_alarms must be"),
    "digest that is none": (broken(set_value(["release", "digest"], "../../x")), "release.digest must be a sha256"),
    "submission that is none": (broken(set_value(["submission", "sha256"], "F" * 64)), "submission.sha256 must be"),
    "labels that are none": (broken(set_value(["labels"], "x")), "labels must be null or a sha256"),
    "protocol that is none": (broken(set_value(["protocol"], "patch")), "protocol must be 'volume' or 'slab'"),
    "split that is none": (broken(set_value(["split"], "<b>")), "split must be train"),
    "scorer that is no version": (broken(set_value(["scorer"], "<script>")), "scorer must be a version"),
    "calibration on what is unknown": (broken(set_value(["calibrated_on"], "x")), "calibrated_on must be"),
    "group with markup": (broken(set_value(["groups", 1, "group"], "<b>")), r"groups\[1\].group must be"),
    "group that is a column": (broken(set_value(["groups", 1, "group"], "worst")), r"groups\[1\].group must be"),
    "group that comes twice": (broken(set_value(["groups", 1, "group"], "dm-injection")), "groups must be groups of"),
    "overall not first": (broken(lambda found: found["groups"].reverse()), "groups must be groups of"),
    "no groups": (broken(set_value(["groups"], [])), "groups must be groups of"),
    "count under zero": (broken(set_value(["groups", 0, "tampered"], -1)), r"groups\[0\].tampered must be 0"),
    "format of the future": (broken(set_value(["format"], "2.0")), "2.0"),
    "NaN": (broken(set_value(["false_alarms"], float("nan"))), "NaN"),
    "not JSON": ("{", "not a result"),
    "nothing": ("", "not a result"),
    "another document": ('{"detector": "unet"}', "no 'format'"),
    "depth": ("[" * 100_000, "not a result"),
    "not text": ("\udcff", "not a result"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_is_no_result_is_named_with_key_and_remedy_and_leaves_no_site(what, tmp_path, capsys):
    text, named = BROKEN[what]
    write_results(tmp_path / "results", document("sound"))
    (tmp_path / "results/broken.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BenchmarkError, match=named) as error:
        read_entries([tmp_path / "results"])
    assert str(error.value).startswith(str(tmp_path / "results/broken.json"))
    assert "m3dsynth score" in str(error.value)
    assert "\n" not in str(error.value)
    assert main(["leaderboard", str(tmp_path / "results"), "--out", str(tmp_path / "site")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "site").exists()


def test_folders_are_searched_for_results_and_metadata_of_submissions_is_none(tmp_path):
    write_results(tmp_path / "a/deep", document("one"))
    (tmp_path / "a/deep/metadata.json").write_text("{}")
    (tmp_path / "a/.hidden").mkdir()
    (tmp_path / "a/.hidden/x.json").write_text("{}")
    (tmp_path / "a/notes.txt").write_text("no result")
    (tmp_path / "outside.json").write_text("{}")
    (tmp_path / "a/link.json").symlink_to(tmp_path / "outside.json")
    file = write_results(tmp_path / "b", document("two")) / "0.json"
    found = read_entries([tmp_path / "a", file, tmp_path / "b"])
    assert [entry.account.name for entry in found] == ["one", "two"]


def test_no_results_is_an_error_that_says_how_to_make_some(tmp_path):
    with pytest.raises(BenchmarkError, match=r"no results in .*m3dsynth score"):
        read_entries([tmp_path])
    with pytest.raises(BenchmarkError, match="does not exist"):
        read_entries([tmp_path / "nowhere"])
