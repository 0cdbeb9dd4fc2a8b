import json
import os

from builder.finding import HARMLESS, Finding, summarised


def test_bytes_of_no_encoding_and_control_characters_can_be_printed_and_written():
    found = Finding(os.fsdecode(b"slice\xff\x1b[31m\n.dcm"), "Modality is \x00", "fetch it")
    assert str(found) == r"slice\udcff\x1b[31m\n.dcm: Modality is \x00; fetch it"
    json.dumps(found.path).encode()
    found.path.encode()


def test_letters_of_any_script_stay_as_they_are():
    assert Finding("größer 肺.dcm", "r", "s").path == "größer 肺.dcm"


def test_a_reason_is_cut_where_a_header_holds_a_book():
    assert Finding("p", "x" * 100_000, "s").reason == "x" * 500 + " ..."


def test_alike_findings_of_a_place_become_one():
    found = [Finding(f"{place}/{number}", "SEG", HARMLESS) for place in "ab" for number in range(3)]
    found.append(Finding("a/9", "SR", HARMLESS))
    assert [str(each) for each in summarised(found, lambda it: it.path[0])] == [
        f"a/0: SEG (and 2 more); {HARMLESS}", f"b/0: SEG (and 2 more); {HARMLESS}", f"a/9: SR; {HARMLESS}"
    ]  # fmt: skip
    assert [each.reason for each in summarised(found)] == ["SEG (and 5 more)", "SR"]
