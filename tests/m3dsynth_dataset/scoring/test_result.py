import json
import math
from dataclasses import replace

import pytest

from m3dsynth_dataset.errors import ResultError
from m3dsynth_dataset.metrics import Interval, Overlap
from m3dsynth_dataset.scoring import Judgement, read_result, result, scorecard, write_result
from m3dsynth_dataset.scoring.result import MOST_BYTES, Subject, as_bytes

SUBJECT = Subject("m3dsynth", "d" * 64, True, "test", "volume", None, "5" * 64, 3, {"detector": "x", "url": "y"})


NOTHING = Overlap(0, 0, 0)


def judgement(label, score, manipulation="none", overlap=NOTHING):
    return Judgement(f"{label}/{score}", f"patient-{score}", label, "dm", manipulation, score, overlap)


@pytest.fixture(scope="module")
def card():
    """One group of it has no mask."""
    tampered = [judgement("tampered", 0.7, "injection", Overlap(1, 0, 2)), judgement("tampered", 0.6, "removal")]
    return scorecard([*tampered, judgement("pristine", 1 / 3)], draws=20)


@pytest.fixture
def path(card, tmp_path):
    write_result(tmp_path / "result.json", result(SUBJECT, card))
    return tmp_path / "result.json"


def test_what_was_written_is_read(card, path):
    found = read_result(path)

    assert found == json.loads(as_bytes(result(SUBJECT, card)))
    assert found["release"] == {"digest": "d" * 64, "name": "m3dsynth", "phantom": True}
    assert found["submission"] == {"sha256": "5" * 64, "samples": 3, "metadata": {"detector": "x", "url": "y"}}


def test_keys_are_sorted_figures_rounded_and_the_threshold_exact(path):
    found = json.loads(path.read_text())

    assert list(found) == sorted(found)
    assert found["threshold"] == found["parity"]["threshold"] == 1 / 3
    assert found["groups"][1]["f1"]["value"] == 0.5
    assert found["groups"][1]["iou"]["value"] == 0.333333


def test_what_is_not_defined_is_null(path):
    found = read_result(path)
    removal = found["groups"][2]

    assert removal["group"] == "dm-removal"
    assert [removal[name] for name in ("f1", "iou", "pooled_f1", "patient_f1")] == [None] * 4
    assert found["control"] is None
    assert found["worst"] == {"f1": "dm-injection", "iou": "dm-injection", "pd": "dm-injection",
                              "accuracy": "dm-injection", "auc": "dm-injection"}  # fmt: skip
    assert "NaN" not in path.read_text()


def test_a_worst_group_that_none_is_is_null(card):
    nowhere = replace(card, groups=tuple(replace(each, f1=Interval(*[math.nan] * 3)) for each in card.groups))

    assert result(SUBJECT, nowhere)["worst"]["f1"] is None


def test_metadata_that_json_has_not_is_no_file(card, tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_result(tmp_path / "r.json", result(replace(SUBJECT, metadata={"a": math.nan}), card))
    assert not (tmp_path / "r.json").exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda found: found.pop("groups"), "it has no 'groups'"),
        (lambda found: found["groups"][0]["f1"].pop("low"), r"it.groups\[0\].f1 has no 'low'"),
        (lambda found: found["groups"][0].update(auc="high"), r"it.groups\[0\].auc is str, not dict"),
        (lambda found: found.update(warnings=[1]), r"it.warnings\[0\] is int, not str"),
        (lambda found: found["parity"]["pd"].update(overall=0.5), "it.parity.pd.overall is float, not dict"),
        (lambda found: found.update(threshold=10**400), "it.threshold is beyond all figures"),
        (lambda found: found.update(false_alarms=True), "it.false_alarms is bool, not float"),
        (lambda found: found.update(format="2.0"), "format '2.0', this version reads 1.0"),
        (lambda found: found["submission"].update(metadata=[]), "it.submission.metadata is list, not dict"),
    ],
)
def test_what_is_no_result_is_refused_by_name(path, change, reason):
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))
    with pytest.raises(ResultError, match=reason):
        read_result(path)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", '"text"', "{", '{"format": NaN}', "[" * 100_000, "\x00", '{"threshold": 1e999}'],
)
def test_what_is_no_json_of_ours_is_refused(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ResultError, match="not a result"):
        read_result(tmp_path / "r.json")


def test_a_figure_that_is_infinite_is_refused(path):
    path.write_text(path.read_text().replace('"false_alarms": 0.0', '"false_alarms": 1e999'))
    with pytest.raises(ResultError, match="beyond all figures"):
        read_result(path)


def test_what_is_missing_or_too_large_is_refused(tmp_path):
    with pytest.raises(ResultError, match="cannot be read"):
        read_result(tmp_path / "nothing.json")
    (tmp_path / "r.json").write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(ResultError, match="at most"):
        read_result(tmp_path / "r.json")


def test_a_result_of_a_later_version_may_hold_more(path):
    found = json.loads(path.read_text()) | {"format": "1.7", "more": 1}
    path.write_text(json.dumps(found))

    assert read_result(path)["more"] == 1
