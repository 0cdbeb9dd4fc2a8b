import os
import sys

from builder.complaints import complaints


def say(text):
    os.write(2, text.encode())


def test_what_a_decoder_says_of_damage_is_heard(capfd):
    with complaints(True) as told:
        say("Unsupported JPEG data precision 12\nCorrupt JPEG data: bad Huffman code\n")
    assert told == ["Corrupt JPEG data: bad Huffman code"]
    assert capfd.readouterr().err == ""


def test_afterwards_standard_error_is_what_it_was(capfd):
    with complaints(True):
        say("noise\n")
    sys.stderr.write("still here\n")
    assert capfd.readouterr().err == "still here\n"


def test_nothing_is_held_back_where_nobody_listens(capfd):
    with complaints(False) as told:
        say("Corrupt JPEG data: bad Huffman code\n")
    assert told == []
    assert "Corrupt" in capfd.readouterr().err
